"""Reads the fields of a form, however many bytes somebody sends, and leads back to the page."""

from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, quote, urlencode

from fastapi import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

MAX_FORM: Final = 65_536
"""Bytes: the longest reason in any script, and room for a sentence about a longer one."""
BY: Final = "the page"
"""Who says it: whoever sits before the page."""


async def read_form(request: Request, limit: int = MAX_FORM) -> dict[str, str]:
    """The fields of an ``application/x-www-form-urlencoded`` body, the first of each name.

    Raises:
        HTTPException: the body has more than ``limit`` bytes.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    fields = parse_qs(body.decode("utf-8", "replace"))
    return {name: values[0] for name, values in fields.items()}


def lead_back(environment: str, database: str, section: str = "") -> Response:
    """To the page of the database whose form was sent, however it is named."""
    where = urlencode({"environment": environment})
    return lead_to(f"/databases/{quote(database, safe='')}?{where}{section}")


def lead_to(page: str) -> Response:
    """To another page, which a browser asks for anew."""
    return RedirectResponse(page, HTTPStatus.SEE_OTHER)

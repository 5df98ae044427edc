"""Reads the fields of a form, however many bytes somebody sends, and leads back to the page."""

from http import HTTPStatus
from urllib.parse import parse_qs, quote, urlencode

from fastapi import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response


async def read_form(request: Request, limit: int) -> dict[str, str]:
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
    page = f"/databases/{quote(database, safe='')}?{where}{section}"
    return RedirectResponse(page, HTTPStatus.SEE_OTHER)

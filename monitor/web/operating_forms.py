"""The page of silences, and the forms by which people say that they are at an incident."""

from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from monitor.web.answers import AcknowledgeRequest, SilenceRequest
from monitor.web.forms import BY, lead_to, read_form
from monitor.web.operating import (
    acknowledge,
    add_silence,
    end_silence,
    withdraw_acknowledgement,
)
from monitor.web.view import View


def make_operating_routes(view: View) -> APIRouter:
    """Where the forms go; not part of the JSON interface."""
    router = APIRouter(include_in_schema=False)

    @router.post("/incidents/{incident_id}/ack")
    async def acknowledge_incident(request: Request, incident_id: str) -> Response:
        fields = await read_form(request)
        if fields.get("withdraw"):
            await withdraw_acknowledgement(view, incident_id)
        else:
            asked = AcknowledgeRequest(note=fields.get("note", ""), by=BY)
            await acknowledge(view, incident_id, asked)
        return lead_to(f"/incidents/{quote(incident_id, safe='')}#do")

    @router.post("/silences")
    async def silence(request: Request) -> Response:
        fields = await read_form(request)
        await add_silence(view, _read_silence(fields))
        return lead_to("/silences")

    @router.post("/silences/{silence_id}/end")
    async def end(silence_id: str) -> Response:
        await end_silence(view, silence_id)
        return lead_to("/silences")

    return router


def _read_silence(fields: dict[str, str]) -> SilenceRequest:
    said = {
        "database": fields.get("database", ""),
        "environment": fields.get("environment") or "*",
        "class": fields.get("class") or None,
        "object": fields.get("object") or "*",
        "reason": fields.get("reason", ""),
        "for": fields.get("for") or None,
        "by": BY,
    }
    return SilenceRequest.model_validate(said)

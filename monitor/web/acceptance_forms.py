"""The forms by which a page accepts and withdraws; then it shows the database again."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from monitor.web.acceptance import accept, withdraw
from monitor.web.answers import AcceptanceList, AcceptRequest, Choice
from monitor.web.forms import BY, lead_back, read_form
from monitor.web.view import View


def make_acceptance_routes(view: View) -> APIRouter:
    """Where the forms of a database's page go; not part of the JSON interface."""
    router = APIRouter(include_in_schema=False)

    @router.post("/databases/{name}/accept")
    async def accept_findings(request: Request, name: str) -> Response:
        fields = await read_form(request)
        done = await accept(view, name, fields.get("environment"), _read_request(fields))
        return _show_again(done)

    @router.post("/databases/{name}/withdraw")
    async def withdraw_finding(request: Request, name: str) -> Response:
        fields = await read_form(request)
        finding = fields.get("finding", "")
        return _show_again(await withdraw(view, name, fields.get("environment"), finding))

    return router


def _read_request(fields: dict[str, str]) -> AcceptRequest:
    """One finding as it was shown, or all as they were shown."""
    finding = fields.get("finding")
    return AcceptRequest(
        findings=(Choice(id=finding[:100], digest=fields.get("digest", "")[:100]),)
        if finding
        else None,
        seen=fields.get("seen", ""),
        reason=fields.get("reason", ""),
        until=fields.get("until"),
        by=BY,
    )


def _show_again(done: AcceptanceList) -> Response:
    return lead_back(done.environment, done.database, "#accepted")

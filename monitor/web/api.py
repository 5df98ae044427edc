"""The JSON interface: typed, described at ``/api/openapi.json``; it accepts and asks for looks."""

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Security
from fastapi.security import HTTPBearer
from starlette.responses import Response

from monitor.web.acceptance import accept, list_accepted, withdraw
from monitor.web.answers import (
    AcceptanceList,
    AcceptRequest,
    DatabaseList,
    DatabasePage,
    IncidentList,
    IncidentPage,
    LookAsked,
)
from monitor.web.channels import add_channel_routes
from monitor.web.description import describe_incident
from monitor.web.events import add_event_routes
from monitor.web.operating_routes import add_operating_routes
from monitor.web.overview import (
    ask_for_look,
    list_databases,
    list_incidents,
    load_database,
    load_incident,
)
from monitor.web.problems import NO_SNAPSHOT, make_not_found
from monitor.web.pushing import add_push_routes
from monitor.web.refusals import FOREIGN, NOT_FOUND, refuse
from monitor.web.view import View

MAX_INCIDENTS: Final = 1000


class IncidentState(StrEnum):
    """Which incidents are asked for."""

    OPEN = "open"
    ALL = "all"


type Name = Annotated[str, Path(description="The database's configured name.", max_length=200)]
type Where = Annotated[
    str | None,
    Query(description="Its environment, where several share the name.", max_length=200),
]

# The guard checks the token before any route is found; this only tells clients so.
_BEARER: Final = HTTPBearer(auto_error=False, description="ANCHORWATCH_API_TOKEN, where it is set")

_ERRORS: Final = (
    refuse(401, "A token is needed.")
    | refuse(422, "A parameter is not valid.")
    | refuse(503, "The ledger cannot be read, or written.")
)
_NOT_ASKED: Final = refuse(409, "Nobody here looks at this database.")
_NOT_ACCEPTED: Final = refuse(413, "The request is longer than a megabyte.") | refuse(
    409, "It has changed, or the last look saw nothing."
)


def make_api_routes(view: View) -> APIRouter:
    """The routes below ``/api``."""
    router = APIRouter(prefix="/api", responses=_ERRORS, dependencies=[Security(_BEARER)])
    _add_database_routes(router, view)
    _add_acceptance_routes(router, view)
    add_push_routes(router, view)
    _add_incident_routes(router, view)
    add_operating_routes(router, view)
    add_channel_routes(router, view)
    add_event_routes(router, view)
    return router


def _add_database_routes(router: APIRouter, view: View) -> None:
    @router.get("/databases", tags=["databases"], summary="Every watched database")
    async def show_databases() -> DatabaseList:
        databases = await list_databases(view)
        return DatabaseList(databases=databases, warnings=tuple(view.warnings))

    @router.get(
        "/databases/{name}",
        tags=["databases"],
        summary="One database, with what is wrong and what was",
        responses=NOT_FOUND,
    )
    async def show_database(name: Name, environment: Where = None) -> DatabasePage:
        return await load_database(view, name, environment)

    @router.get(
        "/databases/{name}/snapshot",
        tags=["databases"],
        summary="The schema as it was seen last, as a snapshot file",
        response_class=Response,
        responses=NOT_FOUND | {200: {"content": {"application/json": {}}}},
    )
    async def show_snapshot(name: Name, environment: Where = None) -> Response:
        found = await load_database(view, name, environment)
        snapshot = await view.load_snapshot(found.environment, found.name)
        if snapshot is None:
            raise make_not_found(NO_SNAPSHOT)
        return Response(snapshot, media_type="application/json")

    @router.post(
        "/databases/{name}/look",
        tags=["databases"],
        summary="Ask for a look at one database, as soon as its `min_interval` lets it",
        status_code=HTTPStatus.ACCEPTED,
        responses=NOT_FOUND | FOREIGN | _NOT_ASKED,
    )
    async def ask(name: Name, environment: Where = None) -> LookAsked:
        found = await ask_for_look(view, name, environment)
        return LookAsked(name=found.name, environment=found.environment, last_look=found.last_look)


def _add_acceptance_routes(router: APIRouter, view: View) -> None:
    @router.get(
        "/databases/{name}/accepted",
        tags=["databases"],
        summary="What is accepted at a database",
        responses=NOT_FOUND,
    )
    async def show_accepted(name: Name, environment: Where = None) -> AcceptanceList:
        return await list_accepted(view, name, environment)

    @router.post(
        "/databases/{name}/accept",
        tags=["databases"],
        summary="Accept what the last look found, as it is",
        responses=NOT_FOUND | FOREIGN | _NOT_ACCEPTED,
    )
    async def accept_findings(
        name: Name, asked: AcceptRequest, environment: Where = None
    ) -> AcceptanceList:
        return await accept(view, name, environment, asked)

    @router.delete(
        "/databases/{name}/accepted/{finding}",
        tags=["databases"],
        summary="Take an acceptance back",
        responses=NOT_FOUND | FOREIGN,
    )
    async def withdraw_finding(
        name: Name,
        finding: Annotated[str, Path(description="Its number.", max_length=200)],
        environment: Where = None,
    ) -> AcceptanceList:
        return await withdraw(view, name, environment, finding)


def _add_incident_routes(router: APIRouter, view: View) -> None:
    @router.get("/incidents", tags=["incidents"], summary="Incidents, the newest first")
    async def show_incidents(
        state: Annotated[
            IncidentState, Query(description="`all` includes what is resolved.")
        ] = IncidentState.OPEN,
        database: Annotated[
            str | None, Query(description="Only those of this database.", max_length=200)
        ] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_INCIDENTS)] = 100,
    ) -> IncidentList:
        incidents = await list_incidents(
            view,
            include_resolved=state is IncidentState.ALL,
            database=database,
            limit=limit,
        )
        return IncidentList(incidents=tuple(describe_incident(one) for one in incidents))

    @router.get(
        "/incidents/{incident_id}",
        tags=["incidents"],
        summary="One incident, with what was told about it and where",
        responses=NOT_FOUND,
    )
    async def show_incident(
        incident_id: Annotated[str, Path(description="Its number.", max_length=200)],
    ) -> IncidentPage:
        return await load_incident(view, incident_id)

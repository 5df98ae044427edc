"""The JSON interface by which people say that they are at an incident, and ask for quiet."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path

from monitor.web.answers import (
    AcknowledgeRequest,
    IncidentPage,
    SilenceAnswer,
    SilenceList,
    SilenceRequest,
)
from monitor.web.operating import (
    acknowledge,
    add_silence,
    end_silence,
    list_silences,
    withdraw_acknowledgement,
)
from monitor.web.refusals import FOREIGN, NOT_FOUND, refuse
from monitor.web.view import View

type Number = Annotated[str, Path(description="Its number, or name.", max_length=200)]


_OVER: Final = refuse(409, "It is over.")


def add_operating_routes(router: APIRouter, view: View) -> None:
    """The routes below ``/api/incidents`` and ``/api/silences`` that change something."""
    _add_acknowledging(router, view)
    _add_silencing(router, view)


def _add_acknowledging(router: APIRouter, view: View) -> None:
    @router.post(
        "/incidents/{incident_id}/ack",
        tags=["incidents"],
        summary="Say that you are at it: no reminders, until it becomes worse",
        responses=NOT_FOUND | FOREIGN | _OVER,
    )
    async def acknowledge_incident(incident_id: Number, asked: AcknowledgeRequest) -> IncidentPage:
        return await acknowledge(view, incident_id, asked)

    @router.delete(
        "/incidents/{incident_id}/ack",
        tags=["incidents"],
        summary="Nobody is at it any more",
        responses=NOT_FOUND | FOREIGN,
    )
    async def withdraw_it(incident_id: Number) -> IncidentPage:
        return await withdraw_acknowledgement(view, incident_id)


def _add_silencing(router: APIRouter, view: View) -> None:
    @router.get("/silences", tags=["silences"], summary="What is kept quiet now")
    async def show_silences() -> SilenceList:
        return await list_silences(view)

    @router.post(
        "/silences",
        tags=["silences"],
        summary="Send nothing of what matches, until it ends: then what is still so is told",
        status_code=HTTPStatus.CREATED,
        responses=FOREIGN,
    )
    async def make_silence(asked: SilenceRequest) -> SilenceAnswer:
        return await add_silence(view, asked)

    @router.delete(
        "/silences/{silence_id}",
        tags=["silences"],
        summary="End a silence now",
        responses=NOT_FOUND | FOREIGN,
    )
    async def end_it(silence_id: Number) -> SilenceAnswer:
        return await end_silence(view, silence_id)

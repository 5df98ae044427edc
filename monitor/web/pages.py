"""The pages for people: complete without script, current with it."""

import asyncio
import hashlib
import re
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from monitor.core.findings import INCIDENT_CLASSES, LOOKED
from monitor.core.standing import Standing
from monitor.core.verdict import State
from monitor.web.acceptance import list_accepted_of
from monitor.web.answers import IgnoredAnswer, RuleAnswer, TrialAnswer
from monitor.web.channels import list_channels, try_channel
from monitor.web.chronicle import load_chronicle
from monitor.web.description import summarise_incident
from monitor.web.forms import lead_back
from monitor.web.listing import (
    TONE_WORDS,
    count_tones,
    list_environments,
    list_page,
    list_states,
    read_listing,
)
from monitor.web.overview import (
    ask_for_look,
    describe_found,
    find_database,
    list_databases,
    list_incidents,
    load_incident,
)
from monitor.web.plots import HEIGHT, WIDTH
from monitor.web.telling import list_tellings
from monitor.web.templating import render
from monitor.web.view import View

LISTED: Final = 200
"""Differences that a page lists; the JSON interface has them all."""

OPEN: Final = 50
"""Open incidents that the overview lists, the youngest first."""

LATEST: Final = 50
"""The youngest incidents, which the list of all shows whatever became of them; with open ones."""

_CLASSES: Final = tuple(one.value for one in INCIDENT_CLASSES)

_AGES: Final = re.compile(r"(<time[^>]*data-age>)[^<]*")


def make_page_routes(view: View) -> APIRouter:
    """The routes for people; not part of the JSON interface."""
    router = APIRouter(include_in_schema=False)
    show = _Show(view)
    router.add_api_route("/", show.overview, methods=["GET"])
    router.add_api_route("/databases/{name}", show.database, methods=["GET"])
    router.add_api_route("/databases/{name}/look", show.look, methods=["POST"])
    router.add_api_route("/incidents", show.incidents, methods=["GET"])
    router.add_api_route("/incidents/{incident_id}", show.incident, methods=["GET"])
    router.add_api_route("/silences", show.silences, methods=["GET"])
    router.add_api_route("/channels", show.channels, methods=["GET"])
    router.add_api_route("/channels/{channel}/test", show.trial, methods=["POST"])
    return router


class _Show:
    """One method a page."""

    def __init__(self, view: View) -> None:
        self._view = view

    async def overview(self, request: Request) -> Response:
        """The databases that are asked for, those that need a person first."""
        databases = await list_databases(self._view)
        incidents = await list_incidents(self._view, include_resolved=False, limit=OPEN + 1)
        listed = list_page(databases, read_listing(request.query_params))
        return await self._answer(
            request,
            "overview.html",
            shown=listed,
            listing=listed.listing,
            total=len(databases),
            tally=count_tones(databases),
            tones=TONE_WORDS,
            states=list_states(databases, listed.listing),
            environments=list_environments(databases, listed.listing),
            incidents=[summarise_incident(incident) for incident in incidents[:OPEN]],
            has_more=len(incidents) > OPEN,
        )

    async def database(
        self, request: Request, name: str, environment: str | None = None
    ) -> Response:
        """One database with all that is known of it."""
        seen = await find_database(self._view, name, environment)
        found = await describe_found(self._view, seen)
        listed = await list_accepted_of(self._view, seen)
        waiting = {one.id for one in listed.accepted if one.standing is Standing.WAITS}
        return await self._answer(
            request,
            "database.html",
            database=found,
            meaning=State(found.state).meaning,
            acceptances=listed.accepted,
            waiting=waiting,
            rules=gather_ignored(found.ignored),
            chronicle=await load_chronicle(self._view, found, seen.record),
            plot_width=WIDTH,
            plot_height=HEIGHT,
        )

    async def look(self, name: str, environment: str | None = None) -> Response:
        """Asks for a look, and leads back to the database's page."""
        found = await ask_for_look(self._view, name, environment)
        return lead_back(found.environment, found.name)

    async def incidents(self, request: Request) -> Response:
        """What is open and what was."""
        latest = await list_incidents(self._view, include_resolved=True, limit=LATEST)
        # What is open for long is no news, and would be the first to be pushed off the page.
        open_ones = await list_incidents(self._view, include_resolved=False, limit=LISTED + 1)
        found = {one.id: one for one in (*latest, *open_ones[:LISTED])}
        ordered = sorted(found.values(), key=lambda one: one.first_seen, reverse=True)
        return await self._answer(
            request,
            "incidents.html",
            incidents=[summarise_incident(one) for one in ordered],
            has_more=len(open_ones) > LISTED,
        )

    async def incident(self, request: Request, incident_id: str) -> Response:
        """One incident with what was told about it, and the looks while it lasted."""
        found = await load_incident(self._view, incident_id)
        return await self._answer(
            request,
            "incident.html",
            incident=found,
            told=list_tellings(found, self._view.clock()),
            looked=LOOKED,
            can_look=self._is_looked_at(found.environment, found.database),
            classes=_CLASSES,
        )

    async def silences(self, request: Request) -> Response:
        """What is kept quiet, and a form to ask for more."""
        found = await self._view.store.list_silences(after=self._view.clock())
        silences = [
            {
                "id": one.id,
                "what": str(one),
                "until": one.until,
                "reason": one.reason,
                "by": one.by,
            }
            for one in found
        ]
        return await self._answer(request, "silences.html", silences=silences, classes=_CLASSES)

    async def channels(self, request: Request) -> Response:
        """Where messages go, and what waits."""
        return await self._show_channels(request, None)

    async def trial(self, request: Request, channel: str) -> Response:
        """Sends a test message, and shows what became of it."""
        return await self._show_channels(request, await try_channel(self._view, channel))

    async def _show_channels(self, request: Request, trial: TrialAnswer | None) -> Response:
        listed = await list_channels(self._view)
        return await self._answer(request, "channels.html", channels=listed.channels, trial=trial)

    def _is_looked_at(self, environment: str, name: str) -> bool:
        return any(
            one.is_enabled
            for one in self._view.configured()
            if (one.environment, one.name) == (environment, name)
        )

    async def _answer(self, request: Request, template: str, **context: Any) -> Response:
        """The page, or 304 when nothing but the ages in its main part has changed.

        Writing a page of a thousand databases takes a third of a second: a
        thread does it, and looks go on.
        """
        context |= {"view": self._view, "now": self._view.clock(), "listed": LISTED}
        page = await asyncio.to_thread(render, template, **context)
        etag = _tag(page)
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag})
        return Response(page.encode("utf-8", "replace"), headers={"ETag": etag}, media_type=_HTML)


_HTML: Final = "text/html; charset=utf-8"


def _tag(page: str) -> str:
    """A weak ETag of what a reader would miss; RFC 9110 section 8.8.3."""
    main = _AGES.sub(r"\1", page.partition("<main")[2].partition("</main>")[0])
    return f'W/"{hashlib.sha256(main.encode("utf-8", "replace")).hexdigest()[:16]}"'


def gather_ignored(
    ignored: tuple[IgnoredAnswer, ...],
) -> list[tuple[IgnoredAnswer, list[IgnoredAnswer]]]:
    """What each rule ignores, with one of it in front that stands for the rule."""
    rules: dict[RuleAnswer, list[IgnoredAnswer]] = {}
    for one in ignored:
        rules.setdefault(one.rule, []).append(one)
    return [(found[0], found) for found in rules.values()]

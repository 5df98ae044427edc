"""Runs smoke suites: one step after another, each against the real thing, with an end to it.

What goes wrong in a step is an outcome and no error. A step after one that failed is
skipped, unless it always runs: then it has its own time, so that a target that hangs does
not keep it from cleaning up.
"""

import asyncio
import time
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, NamedTuple, final

import msgspec

from monitor.checks.smoke_judging import Told, hold, take
from monitor.core.errors import (
    AnchorwatchError,
    LookError,
    StatementFailed,
    StepFailed,
    TooSlow,
    Untrusted,
)
from monitor.core.expectation_facts import Facts, Unreadable, read_body
from monitor.core.rows import read_rows
from monitor.core.smoke import (
    Query,
    Reason,
    Request,
    SmokeStep,
    StepOutcome,
    StepStatus,
    Suite,
    SuiteOutcome,
)
from monitor.core.smoke_request import build_request, list_parameters, write_curl
from monitor.core.smoke_values import Values
from monitor.core.template import Json
from monitor.sources.deadlines import GRACE_SECONDS
from monitor.sources.dsn import Dsn
from monitor.sources.http import Answer, Client, open_client, read_address
from monitor.sources.postgres import DEADLINES, Deadlines, connect

BODY_BYTES: Final = 1024 * 1024
"""Of one answer: what a smoke test looks at is an object or a page, not a dump."""
MOST_ROWS: Final = 100
"""Of one query: more than that nobody compares in a line."""
LONGEST_STEP: Final = 3600.0
"""The client's own end of an exchange lies behind that of every step."""
CLEAN_SECONDS: Final = 2.0
"""What steps that always run have together when a run is broken off: a process that stops waits
three seconds for what it does."""
_SILENT: Final = (Reason.TIMEOUT, Reason.CONNECT, Reason.TLS)
RUN_HEADER: Final = "X-Anchorwatch-Run"
"""Lets an application tell synthetic traffic from people."""


class SmokeDatabase(NamedTuple):
    """The database that SQL steps ask."""

    dsn: Dsn
    deadlines: Deadlines = DEADLINES


@final
class SmokeRunner:
    """Runs suites, never two runs of one suite at a time: a second one waits for the first.

    One for a process.
    """

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Lock] = {}

    async def run(self, suite: Suite, database: SmokeDatabase | None = None) -> SuiteOutcome:
        """Run every step of the suite once.

        Args:
            suite: with at least one step.
            database: what its SQL steps ask; without it they are unknown.
        """
        async with self._running.setdefault(suite.name, asyncio.Lock()):
            return await _run_suite(suite, database)


async def _run_suite(suite: Suite, database: SmokeDatabase | None) -> SuiteOutcome:
    run_id, at, begin = str(uuid.uuid4()), datetime.now(UTC), time.monotonic()
    values = Values(suite, {"run_id": run_id, "now": at.strftime("%Y-%m-%dT%H:%M:%SZ")})
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            open_client(
                idle_seconds=LONGEST_STEP,
                total_seconds=LONGEST_STEP,
                body_bytes=BODY_BYTES,
                headers={RUN_HEADER: run_id},
            )
        )
        run = _Run(suite, values, client, database, begin + suite.timeout_seconds)
        steps = await run.run_steps()
    return SuiteOutcome(
        name=suite.name,
        database=suite.database,
        run_id=run_id,
        at=at,
        seconds=time.monotonic() - begin,
        steps=steps,
    )


class _Run(NamedTuple):
    suite: Suite
    values: Values
    client: Client
    database: SmokeDatabase | None
    end: float

    async def run_steps(self) -> tuple[StepOutcome, ...]:
        """What came of each step. A run that is cancelled cleans up first."""
        outcomes: list[StepOutcome] = []
        try:
            await self._add_outcomes(outcomes)
        except asyncio.CancelledError:
            await self._clean_up(self.suite.steps[len(outcomes) :])
            raise
        # Once more: what a later step sent as a token was captured by an earlier one.
        return tuple(self._hide(outcome) for outcome in outcomes)

    async def _clean_up(self, left: Sequence[SmokeStep]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLEAN_SECONDS):
                for step in left:
                    if step.is_always:
                        await self._try_once(step, CLEAN_SECONDS)

    async def _add_outcomes(self, outcomes: list[StepOutcome]) -> None:
        is_broken = False
        for step in self.suite.steps:
            if is_broken and not step.is_always:
                outcomes.append(self._skip(step))
                continue
            outcome = await self._run_step(step)
            is_broken |= outcome.status in (StepStatus.FAIL, StepStatus.UNKNOWN)
            outcomes.append(outcome)

    def _hide(self, outcome: StepOutcome) -> StepOutcome:
        messages = tuple(map(self.values.hide, outcome.messages))
        curl = self.values.hide(outcome.curl)
        return msgspec.structs.replace(outcome, messages=messages, curl=curl)

    def _skip(self, step: SmokeStep) -> StepOutcome:
        return StepOutcome(
            name=step.name,
            status=StepStatus.SKIPPED,
            messages=("An earlier step did not pass.",),
            curl=self._write_curl(step),
        )

    async def _run_step(self, step: SmokeStep) -> StepOutcome:
        """Try it as often as it may be; the last try counts."""
        end = None if step.is_always else self.end
        told, seconds, tries = self._tell_late(), 0.0, 0
        for left in reversed(range(1 + step.retry.times)):
            allowed = step.timeout_seconds
            if end is not None:
                allowed = min(allowed, end - time.monotonic())
            if allowed <= 0:
                break
            begin = time.monotonic()
            told = await self._try_once(step, allowed)
            seconds, tries = time.monotonic() - begin, tries + 1
            if not left or told.status in (StepStatus.PASS, StepStatus.WARN):
                break
            await self._wait(step, end)
        return StepOutcome(
            name=step.name,
            status=told.status,
            reason=told.reason,
            messages=told.messages,
            seconds=seconds,
            tries=tries,
            curl=self._write_curl(step),
            code=told.code,
            certificate_ends=told.certificate_ends,
        )

    async def _wait(self, step: SmokeStep, end: float | None) -> None:
        wait = step.retry.wait_seconds
        await asyncio.sleep(wait if end is None else min(wait, max(0, end - time.monotonic())))

    def _tell_late(self) -> Told:
        seconds = self.suite.timeout_seconds
        message = f"The suite took longer than its timeout of {seconds:g} s: no time was left."
        return Told(StepStatus.FAIL, Reason.TIMEOUT, (message,))

    async def _try_once(self, step: SmokeStep, seconds: float) -> Told:
        try:
            facts = await self._act(step, seconds)
            problem = take(step.captures, facts, self.values)
            told = hold(step, facts, self.values, problem)
            return told._replace(code=facts.status, certificate_ends=facts.certificate_ends)
        except TimeoutError:
            told = self._tell_timeout(step, seconds)
        except AnchorwatchError as error:
            status, reason = _explain(error, step)
            # What others say may hold what was captured; only an expectation asks to see it.
            told = Told(status, reason, (self.values.hide_all(str(error)),))
        return told._replace(code=_tell_silence(step, told.reason))

    def _tell_timeout(self, step: SmokeStep, seconds: float) -> Told:
        whose, limit = "The step", step.timeout_seconds
        if seconds < limit:
            whose, limit = "The suite", self.suite.timeout_seconds
        message = f"{whose} took longer than its timeout of {limit:g} s."
        return Told(StepStatus.FAIL, Reason.TIMEOUT, (message,))

    async def _act(self, step: SmokeStep, seconds: float) -> Facts:
        match step.action:
            case Request():
                async with asyncio.timeout(seconds):
                    return await self._send(step.action)
            case Query():
                # The server speaks first, for it knows why.
                async with asyncio.timeout(seconds + 2 * GRACE_SECONDS):
                    return await self._ask(step.action, seconds)

    async def _send(self, request: Request) -> Facts:
        sent = build_request(request, self.values.get)
        self.values.imply_secrets(sent.headers.items())
        begin = time.monotonic()
        answer = await self.client.ask(
            sent.method, read_address(sent.url), sent.body, headers=sent.headers
        )
        return _read_answer(answer, time.monotonic() - begin)

    async def _ask(self, query: Query, seconds: float) -> Facts:
        if self.database is None:
            raise LookError(
                "The suite has no database that can be asked.",
                next_step="Correct the entry of its database in the configuration.",
            )
        args = list_parameters(query.args, self.values.get)
        dsn, deadlines = self.database
        shortened = replace(
            deadlines,
            statement_seconds=seconds,
            connect_seconds=min(seconds, deadlines.connect_seconds),
        )
        begin = time.monotonic()
        async with connect(dsn, deadlines=shortened) as session:
            rows = await session.ask(query.sql, args, most=MOST_ROWS)
            spent = time.monotonic() - begin
        return Facts(seconds=spent, rows=read_rows(rows))

    def _write_curl(self, step: SmokeStep) -> str:
        if not isinstance(step.action, Request):
            return ""
        try:
            return write_curl(step.action, self.values.get, self.values.hidden)
        except StepFailed:
            return ""


def _explain(error: AnchorwatchError, step: SmokeStep) -> tuple[StepStatus, Reason]:
    """What an error means: only that a database cannot be asked leaves us without an answer."""
    if isinstance(error, StepFailed):
        return StepStatus.FAIL, Reason(error.reason)
    if isinstance(error, TooSlow):
        return StepStatus.FAIL, Reason.TIMEOUT
    if isinstance(step.action, Query):
        is_refused = isinstance(error, StatementFailed)
        unknown = StepStatus.UNKNOWN, Reason.DATABASE
        return (StepStatus.FAIL, Reason.SQL) if is_refused else unknown
    if isinstance(error, Untrusted):
        return StepStatus.FAIL, Reason.TLS
    is_network = isinstance(error, LookError)
    return StepStatus.FAIL, Reason.CONNECT if is_network else Reason.REQUEST


def _tell_silence(step: SmokeStep, reason: Reason | None) -> int | None:
    """0 where a request got no answer; None where one may have come."""
    is_asked = isinstance(step.action, Request) and reason in _SILENT
    return 0 if is_asked else None


def _read_answer(answer: Answer, seconds: float) -> Facts:
    if answer.is_cut:
        raise StepFailed(
            f"The body is larger than {BODY_BYTES // 1024} KiB; the rest was not read.",
            next_step="Ask for less: a page of a list, or one object.",
            reason=Reason.BODY,
        )
    is_redirect = 300 <= answer.status < 400  # noqa: PLR2004  # RFC 9110, 15.4
    ends = answer.certificate_ends
    return Facts(
        seconds=seconds,
        status=answer.status,
        headers=answer.headers,
        redirect=answer.headers.get("location") if is_redirect else None,
        text=answer.body.decode(errors="replace"),
        body=_read_json(answer),
        expires_in=(ends - datetime.now(UTC)).total_seconds() if ends else None,
        certificate_ends=ends,
    )


def _read_json(answer: Answer) -> Json | Unreadable:
    coding = answer.headers.get("content-encoding", "identity")
    if coding != "identity":
        return Unreadable("is compressed, though nobody asked for that")
    return read_body(answer.body)

"""What `anchorwatch accept` does: accepts, lists, exports, withdraws."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

from monitor.agent.choices import choose_environment
from monitor.cli.choices import Format
from monitor.cli.loop import run_loop
from monitor.cli.output import describe_key, print_json, print_text, say, write_time
from monitor.cli.person import name_person
from monitor.cli.settings import load_settings, require_database
from monitor.core.checkup import add_checks
from monitor.core.errors import UsageError
from monitor.core.findings import Finding, Severity
from monitor.core.printing import clean
from monitor.core.record import Record
from monitor.core.report import Report
from monitor.core.selection import select
from monitor.core.standing import Standing, list_standings, require_look
from monitor.core.waivers import Acceptance, is_waivable, read_day, write_rule
from monitor.core.waivers import accept as make_acceptances
from monitor.sinks.store import Store
from monitor.sinks.visit import visit_store


class Act(StrEnum):
    """What the command is asked for."""

    ACCEPT = "accept"
    LIST = "list"
    EXPORT = "export"
    WITHDRAW = "withdraw"


class Wish(NamedTuple):
    """What the command line says."""

    database: str
    findings: tuple[str, ...]
    reason: str | None
    until: str | None
    config: str | None


class Place(NamedTuple):
    """A database in its environment, and the ledger of its agent."""

    environment: str
    database: str
    store_url: str

    def __str__(self) -> str:
        """For people."""
        return f"{self.database} ({self.environment})"


class Done(NamedTuple):
    """What came of it.

    Attributes:
        place: where.
        acceptances: what was accepted, withdrawn, or is there.
        report: of the last look, when there was one.
        at: when.
    """

    place: Place
    acceptances: tuple[Acceptance, ...]
    report: Report | None
    at: datetime

    def list_standings(self) -> Iterator[tuple[Acceptance, Standing]]:
        """Each acceptance with how it stands."""
        return list_standings(self.acceptances, self.report, self.at)


def choose_act(*, show: bool, export: bool, withdraw: bool) -> Act:
    """The one act that is asked for.

    Raises:
        UsageError: several are.
    """
    asked = {Act.LIST: show, Act.EXPORT: export, Act.WITHDRAW: withdraw}
    acts = [act for act, is_asked in asked.items() if is_asked]
    if len(acts) > 1:
        names = " and ".join(f"--{act.value}" for act in acts)
        raise UsageError(f"{names} exclude each other.", next_step="Give one of them.")
    return acts[0] if acts else Act.ACCEPT


def run_act(act: Act, wish: Wish, form: Format) -> None:
    """Do it, and print what came of it.

    Raises:
        AnchorwatchError: it could not be done; then nothing was.
    """
    _check(act, wish)
    place = _find_place(wish)
    done = run_loop(_perform(act, wish, place))
    if form is Format.JSON:
        print_json(_describe(act, done))
    else:
        print_text(_WRITERS[act](done))


def _check(act: Act, wish: Wish) -> None:
    """What does not go together is said before anything is read."""
    if act is Act.ACCEPT and wish.reason is None:
        raise UsageError(
            "There is no reason.",
            next_step="Write why it is right as it is: "
            f'`anchorwatch accept {wish.database} --reason "..."`.',
        )
    if act is not Act.ACCEPT and (wish.reason is not None or wish.until is not None):
        raise UsageError(
            f"--{act.value} takes no --reason and no --until.", next_step="Leave them out."
        )
    if act is Act.WITHDRAW and not wish.findings:
        raise UsageError(
            "Nothing is named that is to be withdrawn.",
            next_step="`--list` shows what there is; '*' means all.",
        )


def _find_place(wish: Wish) -> Place:
    if "://" in wish.database:
        raise UsageError(
            "A URL is no configured database, and nothing is remembered of it.",
            next_step="Name the database as the configuration of the agent does.",
        )
    loaded = load_settings(wish.config)
    database = require_database(loaded, wish.database)
    environment = choose_environment(loaded.settings, database)
    return Place(environment, wish.database, loaded.settings.store_url.get_secret_value())


async def _perform(act: Act, wish: Wish, place: Place) -> Done:
    now = datetime.now(UTC)
    async with visit_store(place.store_url) as store:
        record = await _load(store, place)
        acceptances: Sequence[Acceptance]
        if act is Act.ACCEPT:
            acceptances = await _accept(store, wish, place, record, now)
        else:
            acceptances = await store.list_acceptances(place.environment, place.database)
            if wish.findings:
                acceptances = select(acceptances, wish.findings)
        if act is Act.WITHDRAW:
            names = [acceptance.finding for acceptance in acceptances]
            await store.withdraw(place.environment, place.database, names)
    return Done(place, tuple(acceptances), record.report if record else None, now)


async def _load(store: Store, place: Place) -> Record | None:
    """The database as its last look and its checks left it."""
    record = await store.load(place.environment, place.database)
    if record is None:
        return None
    checks = await store.list_checks(place.environment, place.database)
    return msgspec.structs.replace(record, report=add_checks(record.report, checks))


async def _accept(
    store: Store, wish: Wish, place: Place, record: Record | None, now: datetime
) -> tuple[Acceptance, ...]:
    report = require_look(record, str(place))
    known = [one.finding for one in report.accepted]
    chosen = (
        select([*report.findings, *known], wish.findings)
        if wish.findings
        else tuple(filter(is_waivable, report.findings))
    )
    acceptances = make_acceptances(
        chosen,
        reason=wish.reason or "",
        until=read_day(wish.until) if wish.until is not None else None,
        by=name_person(),
        at=now,
    )
    if chosen:
        say("\n".join(_announce(place, report, chosen)))
        await store.accept(acceptances)
    return acceptances


def _announce(place: Place, report: Report, findings: Sequence[Finding]) -> Iterator[str]:
    yield f"accepting what the look of {write_time(report.at)} found at {clean(str(place))}:"
    for finding in findings:
        severity = finding.severity.value
        yield f"  {clean(finding.title)}  [{finding.code} {severity}]  {finding.id}"
    critical = sum(finding.severity is Severity.CRITICAL for finding in findings)
    if critical:
        yield f"  {critical} of {len(findings)} critical: nobody will be told of them any more"


def _write_accepted(done: Done) -> str:
    place, count = clean(str(done.place)), len(done.acceptances)
    if not count:
        return f"Nothing is {_describe_rest(done.report)} at {place}: there is nothing to accept."
    return (
        f"Accepted {_count(count, 'finding')} of {place}. They are left out from the next look "
        "on; what changes further is told again."
    )


def _describe_rest(report: Report | None) -> str:
    waived = len(report.waived) if report else 0
    return f"wrong beside {_count(waived, 'waived finding')}" if waived else "wrong"


def _write_withdrawn(done: Done) -> str:
    return (
        f"Withdrew {_count(len(done.acceptances), 'acceptance')} of {clean(str(done.place))}. "
        "What they left out is told again from the next look on."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _write_list(done: Done) -> str:
    place = clean(str(done.place))
    if not done.acceptances:
        return f"Nothing is accepted at {place}."
    lines = [f"{place}: {len(done.acceptances)} accepted", *_write_lines(done)]
    return "\n".join(lines)


def _write_lines(done: Done) -> Iterator[str]:
    for one, standing in done.list_standings():
        until = f"until {one.until}" if one.until else "for good"
        yield f"  {clean(one.title)}  [{one.code}]  {one.finding}"
        yield f"    {clean(one.reason)}"
        yield f"    {until}, by {clean(one.by)} at {write_time(one.at)}; {standing.sentence}"


_EXPORT_HEAD: Final = """\
# What is accepted at {place}, as rules for its entry in anchorwatch.yaml. Without its
# digest a rule ignores the object whatever becomes of it.
"""


def _write_export(done: Done) -> str:
    import yaml

    head = _EXPORT_HEAD.format(place=clean(str(done.place)))
    rules = [_escape_rule(_list_rule(one)) for one in done.acceptances]
    return head + yaml.safe_dump({"ignore": rules}, sort_keys=False, width=99)


def _list_rule(acceptance: Acceptance) -> dict[str, Any]:
    rule = write_rule(acceptance)
    fields = {
        "code": rule.code,
        "object": rule.object,
        "reason": rule.reason,
        "until": rule.until,
        "digest": rule.digest,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _escape_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """In a document `$` begins a reference to a variable."""
    return {
        name: value.replace("$", "$$") if isinstance(value, str) else value
        for name, value in rule.items()
    }


_WRITERS: Final = {
    Act.ACCEPT: _write_accepted,
    Act.LIST: _write_list,
    Act.EXPORT: _write_export,
    Act.WITHDRAW: _write_withdrawn,
}


def _describe(act: Act, done: Done) -> dict[str, Any]:
    place = {"environment": done.place.environment, "database": done.place.database}
    described = [_describe_one(one, standing) for one, standing in done.list_standings()]
    match act:
        case Act.EXPORT:
            return {**place, "ignore": [_list_rule(one) for one in done.acceptances]}
        case Act.WITHDRAW:
            return {**place, "withdrawn": described}
        case _:
            return {**place, "accepted": described}


def _describe_one(acceptance: Acceptance, standing: Standing) -> dict[str, Any]:
    return {
        "id": acceptance.finding,
        "code": acceptance.code,
        **describe_key(acceptance.key),
        "title": acceptance.title,
        "digest": acceptance.digest,
        "reason": acceptance.reason,
        "until": acceptance.until,
        "by": acceptance.by,
        "at": acceptance.at,
        "standing": standing.value,
    }

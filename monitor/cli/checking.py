"""What `anchorwatch check` does: looks at databases once."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple

from monitor.cli.choices import FailOn
from monitor.cli.loop import run_loop
from monitor.cli.output import say
from monitor.cli.progress import show_progress
from monitor.cli.sources import BuildChoices, make_options, read_url, resolve_source
from monitor.core.errors import ConfigurationError, UsageError
from monitor.core.fault import locate_fault
from monitor.core.findings import Severity
from monitor.core.printing import clean
from monitor.core.scope import DEFAULT_SCOPE, Scope
from monitor.core.source import Scheme, Source, parse_source
from monitor.core.waivers import Waivers
from monitor.sources.dsn import Dsn
from monitor.sources.expected import BuildOptions
from monitor.sources.postgres import DEADLINES, Deadlines
from monitor.sources.servers import WatchedServers
from monitor.watch.bulkhead import contain
from monitor.watch.expectation import Expectations
from monitor.watch.inspection import inspect
from monitor.watch.memory import Memory
from monitor.watch.orphans import OrphanPlan
from monitor.watch.reports import fail_look, report_failure
from monitor.watch.target import Look, Target

COULD_NOT_LOOK: Final = 3
MISCONFIGURED: Final = 2
DEFAULT_ENVIRONMENT: Final = "default"
AT_ONCE: Final = 8
"""Looks that run at the same time: enough that one that hangs holds up no other."""


class Subject(NamedTuple):
    """One database to check, from the command line or the configuration."""

    environment: str
    name: str
    dsn: Dsn
    deadlines: Deadlines
    expected: Source | None
    options: BuildOptions
    waivers: Waivers = Waivers()
    scope: Scope = DEFAULT_SCOPE
    schema: str | None = None
    beside: tuple[Source, ...] = ()
    orphans: OrphanPlan = OrphanPlan()
    repair: Dsn | None = None


class Broken(NamedTuple):
    """A database that the configuration names, and whose entry cannot be used."""

    environment: str
    name: str
    error: ConfigurationError


type Subjects = list[Subject | Broken]


class Checked(NamedTuple):
    """The looks, in the order in which the databases were named.

    Attributes:
        looks: one for each database; what has a broken entry is unknown.
        is_misconfigured: whether there is any such.
    """

    looks: list[Look]
    is_misconfigured: bool


def check_databases(
    texts: list[str], expected: str | None, choices: BuildChoices, config: str | None
) -> Checked:
    """Look at every database once.

    Args:
        texts: URLs or configured names; none means all that are configured.
        expected: what they should be, in place of what the configuration says.
        choices: how sources are built.
        config: where the configuration is.

    Raises:
        AnchorwatchError: the command or the configuration cannot be used for any of them.
    """
    subjects = list_subjects(texts, expected, choices, config)
    broken = [subject for subject in subjects if isinstance(subject, Broken)]
    if subjects and len(broken) == len(subjects):
        raise broken[0].error
    names = ", ".join(subject.name for subject in subjects)
    with show_progress(f"looking at {names}"):
        return Checked(run_loop(_look_at_all(subjects)), is_misconfigured=bool(broken))


def list_subjects(
    texts: list[str], expected: str | None, choices: BuildChoices, config: str | None
) -> Subjects:
    """The databases that are meant; none means all that are configured.

    Raises:
        AnchorwatchError: the command or the configuration cannot be used for any of them.
    """
    source = None if expected is None else resolve_source(expected, config)
    sources = [parse_source(text) for text in texts]
    named = [s.name for s in sources if s.scheme is Scheme.NAME and s.name]
    known: dict[str, Subject | Broken] = {}
    if named or not texts:
        from monitor.cli.subjects import list_configured

        known = {s.name: s for s in list_configured(named, source, choices, config)}
    if not texts:
        return list(known.values())
    return [
        known[item.name] if item.name else _make_subject(item, source, choices) for item in sources
    ]


def _make_subject(item: Source, expected: Source | None, choices: BuildChoices) -> Subject:
    if item.scheme is not Scheme.POSTGRES:
        raise UsageError(
            f"{item} is no database.",
            next_step="Name a postgresql:// URL or a configured database; `--expected` and "
            "`anchorwatch diff` take every source.",
        )
    dsn = read_url(item)
    options = make_options(choices)
    return Subject(DEFAULT_ENVIRONMENT, dsn.database, dsn, DEADLINES, expected, options)


async def _look_at_all(subjects: Subjects) -> list[Look]:
    slots = asyncio.Semaphore(AT_ONCE)
    sound = [subject for subject in subjects if isinstance(subject, Subject)]
    servers = WatchedServers(subject.dsn for subject in sound)
    async with AsyncExitStack() as stack:
        expectations = Expectations(stack)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_look_at(subject, servers, expectations, slots))
                for subject in subjects
            ]
        return [task.result() for task in tasks]


def guard_subject(subject: Subject, servers: WatchedServers) -> Subject:
    """The same, with nothing built on a server that is looked at."""
    options = replace(subject.options, forbidden=servers.list_identifiers)
    return subject._replace(options=options)


async def _look_at(
    subject: Subject | Broken,
    servers: WatchedServers,
    expectations: Expectations,
    slots: asyncio.Semaphore,
) -> Look:
    now = datetime.now(UTC)
    if isinstance(subject, Broken):
        return Look(report_failure(subject.environment, subject.name, now, subject.error), None)
    target = make_target(guard_subject(subject, servers), expectations)
    async with slots:
        return await contain(
            inspect(target, now),
            instead=lambda error: fail_look(target, now, error),
            on_fault=partial(_tell_fault, subject.name),
        )


def make_target(subject: Subject, expectations: Expectations) -> Target:
    """What a look at a subject is at."""
    source, options = subject.expected, subject.options
    is_lock = source is not None and source.scheme is Scheme.LOCK
    return Target(
        environment=subject.environment,
        database=subject.name,
        dsn=subject.dsn,
        deadlines=subject.deadlines,
        memory=Memory(),
        expectation=expectations.find(source, options) if source and not is_lock else None,
        locks=expectations.find_lock(source, options) if source and is_lock else None,
        waivers=subject.waivers,
        spellings=expectations.find_spellings(options),
        scope=subject.scope,
        schema=subject.schema,
        beside=tuple(expectations.find_lock(other, options) for other in subject.beside),
    )


def _tell_fault(name: str, error: Exception) -> None:
    say(f"anchorwatch: looking at {clean(name)} broke: {locate_fault(error)}.")


def choose_exit(checked: Checked, fail_on: FailOn) -> int:
    """The worst first: misconfigured, not looked at, findings that count, nothing."""
    reports = [look.report for look in checked.looks]
    if checked.is_misconfigured:
        return MISCONFIGURED
    if any(not report.state.meaning.is_looked for report in reports):
        return COULD_NOT_LOOK
    if fail_on is FailOn.NEVER:
        return 0
    least = Severity(fail_on.value).rank
    return int(any(f.severity.rank >= least for r in reports for f in r.findings))

"""The settings of what is asserted of the rows of a database."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitor.config.section import Section, explain
from monitor.config.smoke_texts import (
    check_expectation,
    check_sql,
    check_step_name,
    split_expectations,
)
from monitor.config.values import PositiveDuration, invalid, lower
from monitor.core.assertions import AGE, Assertion, Sort, write_freshness
from monitor.core.expectation import HTTP, Expectation
from monitor.core.expectation_grammar import parse_expectation
from monitor.core.findings import Severity
from monitor.core.relation_text import Side, parse_side
from monitor.core.smoke import Query, SmokeStep

type _Expectations = Annotated[
    tuple[Annotated[str, AfterValidator(check_expectation)], ...],
    BeforeValidator(split_expectations),
]


def _check_side(text: str) -> str:
    parse_side(text)
    return text


class AssertionSettings(Section):
    """One assertion: a query with what is expected of it, or rows that keep coming."""

    name: Annotated[str, AfterValidator(check_step_name)] = Field(
        description="What holds, for people: no two of a database have the same."
    )
    sql: Annotated[str, AfterValidator(check_sql)] | None = Field(
        default=None,
        description="A statement, run in a READ ONLY transaction; of its rows the first 100 are "
        "read.",
    )
    expect: _Expectations = Field(
        default=(),
        description="What must hold of them, a line each: `rows[0].n == 0`, `len(rows) < 5`. See "
        "`docs/how-to/smoke-tests.md`.",
    )
    fresh: Annotated[str, AfterValidator(explain(_check_side))] | None = Field(
        default=None,
        description="Instead of a query: a column with a moment, `orders.created_at`.",
    )
    within: PositiveDuration | None = Field(
        default=None, description="How old the newest row of `fresh` may be."
    )
    where: str = Field(default="", description="Which rows of `fresh` count, in SQL.")
    severity: Annotated[Severity, BeforeValidator(lower)] = Field(
        default=Severity.WARNING, description="How bad it is when it does not hold."
    )

    @model_validator(mode="after")
    def _check_sort(self) -> Self:
        if (self.sql is None) == (self.fresh is None):
            raise invalid("has neither sql nor fresh, or both.", "Give one of them.")
        if self.sql is not None and not self.expect:
            raise invalid("expects nothing.", "Add expect: rows[0].n == 0.")
        if self.fresh is not None and (self.within is None or self.expect):
            raise invalid("is about freshness.", "Add within: 1h, and leave out expect.")
        if any(one.path.head in HTTP for one in self._list_expectations()):
            raise invalid("expects what only HTTP has.", "Write it like rows[0].n == 0.")
        if any(one.names for one in self._list_expectations()):
            raise invalid("uses a {{ name }}.", "Only smoke tests have names.")
        return self

    def _list_expectations(self) -> list[Expectation]:
        return [parse_expectation(text) for text in self.expect]

    def make_assertion(self, seconds: float) -> Assertion:
        """The assertion.

        Args:
            seconds: how long its query may take.
        """
        if self.fresh is not None and self.within is not None:
            side: Side = parse_side(self.fresh)
            limit = self.within.total_seconds()
            sql = write_freshness(side, self.where)
            expected = [parse_expectation(f"rows[0].{AGE} <= {limit:g}")]
            sort = Sort.FRESHNESS
        else:
            sql, expected, sort = self.sql or "", self._list_expectations(), Sort.QUERY
        step = SmokeStep(
            name=self.name,
            action=Query(sql),
            expect=tuple(expected),
            is_always=True,
            timeout_seconds=seconds,
        )
        return Assertion(step=step, sort=sort, severity=self.severity)


class AssertionsSettings(Section):
    """What is asserted of the rows of a database."""

    every: PositiveDuration = Field(
        default=timedelta(minutes=10), description="How often they are evaluated."
    )
    statement_timeout: PositiveDuration = Field(
        default=timedelta(seconds=15), description="How long one query may take."
    )
    checks: tuple[AssertionSettings, ...] = Field(default=(), description="The assertions.")

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        names = [one.name for one in self.checks]
        if len(set(names)) < len(names):
            raise invalid("has two assertions of one name.", "Give each a name of its own.")
        return self

    def make_assertions(self) -> tuple[Assertion, ...]:
        """All of them."""
        seconds = self.statement_timeout.total_seconds()
        return tuple(one.make_assertion(seconds) for one in self.checks)

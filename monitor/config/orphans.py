"""The settings of the check for rows without a parent."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from monitor.config.section import Section, explain
from monitor.config.values import Duration, PositiveDuration, invalid
from monitor.core.errors import UsageError
from monitor.core.relation import Relation
from monitor.core.relation_text import parse_relation


def _check_relation(text: str) -> str:
    """The text, which the error does not repeat: it may be a secret in the wrong place."""
    try:
        parse_relation(text)
    except UsageError as error:
        raise UsageError(
            "it says no relation of as many columns on both sides.", next_step=error.next_step
        ) from None
    return text


def _check_condition(text: str) -> str:
    if "\0" in text:
        raise UsageError(
            "A condition is one expression of SQL.", next_step="Write it like deleted_at is null."
        )
    return text.strip()


class RelationSettings(Section):
    """Rows that need others, without a foreign key that says so."""

    relation: Annotated[str, AfterValidator(explain(_check_relation))] = Field(
        description="`orders.user_id -> users.id`, or `app.a(x, y) -> app.b(x, y)`."
    )
    reverse: bool = Field(
        default=False, description="Whether each parent has to have a child, instead."
    )
    where: Annotated[str, AfterValidator(explain(_check_condition))] = Field(
        default="",
        description="Which rows are counted, in SQL: `deleted_at is null`. It is run as it is "
        "written, in a transaction that only reads.",
    )

    def make_relation(self) -> Relation:
        """The relation."""
        return parse_relation(self.relation, where=self.where, is_reverse=self.reverse)


class OrphanSettings(Section):
    """Whether and how rows without a parent are counted."""

    enabled: bool = Field(default=True, description="Whether the agent counts them.")
    every: PositiveDuration = Field(
        default=timedelta(hours=24),
        description="How often those of foreign keys are counted that are missing, NOT VALID or "
        "NOT ENFORCED, and those of `relations`.",
    )
    validated_every: Duration = Field(
        default=timedelta(days=7),
        description="How often those of foreign keys are counted that the server holds for "
        "valid; 0 for never.",
    )
    relations: tuple[RelationSettings, ...] = Field(
        default=(), description="What is related without a foreign key."
    )
    row_keys: bool = Field(
        default=False,
        description="Whether up to ten keys of such rows may leave the database: they are in "
        "messages, pages and the ledger then.",
    )
    statement_timeout: PositiveDuration = Field(
        default=timedelta(seconds=30), description="How long one count may take."
    )
    rows: Annotated[int, Field(ge=1)] = Field(
        default=5_000_000,
        description="How many rows of one relation a look reads; the next one goes on.",
    )
    chunk: Annotated[int, Field(ge=1)] = Field(
        default=100_000,
        description="How many rows are read in one snapshot, where a table has more than ten "
        "times as many.",
    )

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        keys = [one.make_relation().key for one in self.relations]
        if len(set(keys)) < len(keys):
            raise invalid("names a relation twice.", "Join their conditions with `or`.")
        return self

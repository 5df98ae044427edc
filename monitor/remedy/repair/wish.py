"""What is asked for, and what became of it."""

from enum import StrEnum
from typing import Final

import msgspec

from monitor.core.relation import Origin, Relation
from monitor.core.relation_text import write_relation

MAX_ROWS: Final = 1000
"""Rows that a repair may change unless it is told otherwise."""


class Strategy(StrEnum):
    """What is done about rows without a parent."""

    QUARANTINE = "quarantine"
    NULLIFY = "nullify"
    DELETE = "delete"
    ADOPT = "adopt"

    @property
    def takes_rows(self) -> bool:
        """Whether the rows leave their table."""
        return self in (Strategy.QUARANTINE, Strategy.DELETE)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """One repair of one relation.

    Attributes:
        relation: whose rows have no parent.
        strategy: what is done about them.
        max_rows: how many rows of all tables together it may change.
        with_dependents: whether rows that reference them may be changed too.
        fire_triggers: whether triggers of the user's may fire.
        loose: other relations that nothing enforces: whose rows lose their parents is told.
        values: of adopted parents, column and text of each.
        reason: why, for the record of a quarantine.
        version: of anchorwatch, for the same.
    """

    relation: Relation
    strategy: Strategy
    max_rows: int = MAX_ROWS
    with_dependents: bool = False
    fire_triggers: bool = False
    loose: tuple[Relation, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    version: str = ""

    @property
    def label(self) -> str:
        """What the relation is called: the constraint's name, or the relation in full."""
        if self.relation.origin is Origin.CONFIGURED:
            return write_relation(self.relation)
        return self.relation.name


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of rows of one table.

    Attributes:
        table: as it is written in SQL.
        action: one word: ``quarantine``, ``delete``, ``nullify``, ``adopt``, ``restore``,
            ``set null``, ``set default``; ``trigger insert``, ``trigger update`` or
            ``trigger delete`` for what triggers did besides.
        rows: how many.
    """

    table: str
    action: str
    rows: int


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why it is not done.

    Attributes:
        reason: one sentence for a person.
        next: what to do about it.
    """

    reason: str
    next: str


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of another relation that have no parent by this, and that nothing enforces.

    Attributes:
        relation: which, as it is written.
        table: whose rows they are, as it is written in SQL.
        rows: how many; None where nobody can say.
        reason: why not; empty where they were counted.
        next: what to do about it.
    """

    relation: str
    table: str
    rows: int | None
    reason: str = ""
    next: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a repair would do, or did.

    Attributes:
        strategy: its name, or ``undo``.
        relation: what it is about, as people call it.
        applied: whether it was done.
        batch: of a quarantine; None where nothing was kept.
        rows: what becomes of which rows.
        statements: in order; `$1` and so on are places of rows.
        refused: why it is not done; empty where it can be.
        remaining: rows of the relation without a parent afterwards; None where nobody looked.
        lost: rows of other relations that have lost theirs by this.
    """

    strategy: str
    relation: str
    applied: bool = False
    batch: int | None = None
    rows: tuple[Act, ...] = ()
    statements: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    remaining: int | None = None
    lost: tuple[Lost, ...] = ()

"""The registry of rules: every code that a finding can have, with its page."""

from collections.abc import Mapping
from typing import Final, Literal

from monitor.core.findings import FindingClass, Severity
from monitor.core.keys import Kind
from monitor.core.rule import Rule
from monitor.core.rules_data import DATA_RULES
from monitor.core.rules_history import HISTORY_RULES
from monitor.core.rules_smoke import SMOKE_RULES

type ChangeKind = Literal["missing", "unexpected", "altered"]


_INFO, _WARNING, _CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL

_FAMILIES: Final[tuple[tuple[str, tuple[Kind, ...], Severity, str], ...]] = (
    ("schema", (Kind.SCHEMA,), _WARNING, "Queries that name the schema fail without it."),
    ("table", (Kind.TABLE,), _CRITICAL, "Statements on the table fail or behave in another way."),
    (
        "column",
        (Kind.COLUMN,),
        _CRITICAL,
        "Statements that name the column fail or behave in another way.",
    ),
    (
        "primary key",
        (Kind.PRIMARY_KEY,),
        _CRITICAL,
        "Duplicates can creep in, and foreign keys and upserts lose their target.",
    ),
    ("unique constraint", (Kind.UNIQUE,), _CRITICAL, "Duplicates can creep in; upserts fail."),
    (
        "foreign key",
        (Kind.FOREIGN_KEY,),
        _CRITICAL,
        "Rows can lose their parents, and nothing will say so.",
    ),
    ("check constraint", (Kind.CHECK,), _WARNING, "Values that the code rules out can be stored."),
    ("exclusion constraint", (Kind.EXCLUSION,), _WARNING, "Overlapping rows can be stored."),
    ("index", (Kind.INDEX,), _WARNING, "Queries turn slow, or a unique index stops protecting."),
    ("sequence", (Kind.SEQUENCE,), _WARNING, "Inserts that draw from it fail or collide."),
    ("view", (Kind.VIEW,), _WARNING, "What reads the view fails or sees other rows."),
    (
        "materialised view",
        (Kind.MATERIALIZED_VIEW,),
        _WARNING,
        "What reads the view fails or sees other rows.",
    ),
    ("rule", (Kind.RULE,), _WARNING, "Statements are rewritten in another way than expected."),
    ("trigger", (Kind.TRIGGER,), _WARNING, "Side effects that the code relies on do not happen."),
    ("event trigger", (Kind.EVENT_TRIGGER,), _WARNING, "DDL behaves in another way."),
    ("policy", (Kind.POLICY,), _WARNING, "Rows become visible, or invisible, to the wrong role."),
    (
        "routine",
        (Kind.FUNCTION, Kind.PROCEDURE, Kind.AGGREGATE),
        _WARNING,
        "Whatever calls it fails or computes something else.",
    ),
    (
        "type",
        (Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE, Kind.RANGE),
        _WARNING,
        "Values that the code writes are refused, or meant otherwise.",
    ),
    ("operator or cast", (Kind.OPERATOR, Kind.CAST), _WARNING, "Expressions that use it fail."),
    ("extension", (Kind.EXTENSION,), _WARNING, "Functions and types of the extension differ."),
    ("extended statistics", (Kind.STATISTICS,), _WARNING, "The planner estimates worse."),
    ("publication", (Kind.PUBLICATION,), _WARNING, "Subscribers miss changes, or see too many."),
    (
        "foreign data object",
        (
            Kind.FOREIGN_TABLE,
            Kind.FOREIGN_SERVER,
            Kind.FOREIGN_DATA_WRAPPER,
            Kind.USER_MAPPING,
        ),
        _WARNING,
        "Queries on the other server's data fail or go elsewhere.",
    ),
    (
        "default privilege",
        (Kind.DEFAULT_PRIVILEGE,),
        _WARNING,
        "Objects that migrations create tomorrow get other privileges.",
    ),
)
"""Name, kinds, severity when missing, why it matters; three codes each, from AW201 on."""

_UNEXPECTED: Final = (
    "The code does not know it, and a new database would lack it: what it does comes as a "
    "surprise, and a migration that creates it fails."
)

_FIXES: Final[Mapping[ChangeKind, str]] = {
    "missing": (
        "Create it: run the migration that does, or `anchorwatch diff EXPECTED ACTUAL` "
        "to see its definition. If it was dropped on purpose, write that into a migration."
    ),
    "unexpected": (
        "If somebody made it by hand and it is wanted, add it to the models and a migration; "
        "if not, drop it."
    ),
    "altered": (
        "Compare expected and actual. Change it back, or write the change into the "
        "models and a migration."
    ),
}
_TITLES: Final[Mapping[ChangeKind, str]] = {
    "missing": "{noun} is missing",
    "unexpected": "{noun} is there that nothing expects",
    "altered": "{noun} differs",
}
CHANGES: Final[tuple[ChangeKind, ...]] = ("missing", "unexpected", "altered")


def _list_schema_rules() -> list[tuple[Rule, tuple[Kind, ...], ChangeKind]]:
    listed = []
    for place, (noun, kinds, severity, why) in enumerate(_FAMILIES):
        for offset, change in enumerate(CHANGES):
            rule = Rule(
                code=f"AW{201 + 3 * place + offset}",
                title=_TITLES[change].format(noun=f"{_article(noun)} {noun}"),
                severity=severity if change == "missing" else _WARNING,
                finding_class=FindingClass.DRIFT,
                why=_UNEXPECTED if change == "unexpected" else why,
                fix=_FIXES[change],
            )
            listed.append((rule, kinds, change))
    return listed


def _article(noun: str) -> str:
    return "An" if noun[0] in "aeio" else "A"


def _drift(code: str, title: str, severity: Severity, *, why: str, fix: str) -> Rule:
    return Rule(code, title, severity, FindingClass.DRIFT, why, fix)


NOT_VALID: Final = _drift(
    "AW281",
    "A constraint is NOT VALID",
    _WARNING,
    why="New rows are checked, the rows that were there before never were.",
    fix="`ALTER TABLE ... VALIDATE CONSTRAINT ...` after repairing the rows that break it.",
)
INVALID_INDEX: Final = _drift(
    "AW282",
    "An index is invalid",
    _WARNING,
    why="The planner ignores it, every write pays for it, and a unique one protects nothing.",
    fix="`REINDEX INDEX CONCURRENTLY ...`, or drop it and create it again. One whose name ends "
    "in `_ccnew` or `_ccold` was left behind by REINDEX CONCURRENTLY, and the proper one stands "
    "beside it: `DROP INDEX CONCURRENTLY ...`.",
)
DISABLED: Final = _drift(
    "AW283",
    "A trigger, rule or key is not enabled as expected",
    _WARNING,
    why="It exists, so it looks right, and does not fire. A key of which the triggers are "
    "disabled checks nothing.",
    fix="`ALTER TABLE ... ENABLE TRIGGER ...`, for keys `ENABLE TRIGGER ALL`.",
)
NOT_ENFORCED: Final = _drift(
    "AW284",
    "A constraint is NOT ENFORCED",
    _WARNING,
    why="It is documentation only: no row is checked.",
    fix="`ALTER TABLE ... ALTER CONSTRAINT ... ENFORCED`.",
)
PRIVILEGES: Final = _drift(
    "AW285",
    "Privileges differ",
    _WARNING,
    why="Somebody can do more, or less, than was meant. It counts where the expected source "
    "declares privileges of the object; elsewhere it is information.",
    fix="GRANT or REVOKE what differs, or write it into a migration.",
)
OWNER: Final = _drift(
    "AW286",
    "The owner differs",
    _WARNING,
    why="Migrations that run as the expected owner will be refused. It counts where the "
    "expected source gives the object an owner; elsewhere it is information.",
    fix="`ALTER ... OWNER TO ...`.",
)
COMMENT: Final = _drift(
    "AW287",
    "A comment differs",
    _INFO,
    why="Documentation only; nothing behaves differently.",
    fix="`COMMENT ON ... IS ...`, or leave it.",
)
EXTENSION_VERSION: Final = _drift(
    "AW288",
    "An extension has another version",
    _INFO,
    why="Migrations seldom say which version they want, and servers bring what is current: "
    "most often it only means that the database is older or newer than what it is compared with.",
    fix="`ALTER EXTENSION ... UPDATE`, where the newer version is wanted.",
)
SPELLING: Final = _drift(
    "AW289",
    "A text is written differently, and nothing here can tell whether it means the same",
    _INFO,
    why="Servers write one expression in several ways: after dump and restore, on another "
    "major version, after the type of a column changed. A server that reads both texts tells "
    "a spelling from a difference, and none of that version is at hand.",
    fix="`anchorwatch doctor --install-postgres MAJOR` brings one, or name a server: "
    "`--shadow URL`, `shadow_url` in the configuration. Then look again.",
)
DETACHING: Final = _drift(
    "AW290",
    "A partition is half detached",
    _WARNING,
    why="`ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY` was interrupted: queries of the "
    "parent leave its rows out, and nothing else can be detached until it is finished.",
    fix="`ALTER TABLE parent DETACH PARTITION partition FINALIZE`; its rows stay where they are.",
)

STUCK_MIGRATION: Final = Rule(
    "AW501",
    "A migration does not end",
    _WARNING,
    FindingClass.HISTORY,
    why="While somebody changes the schema nobody can say what it should be, and what waits "
    "for the lock, the application among them, waits as long.",
    fix="Find the session in pg_stat_activity and pg_locks (`select * from pg_locks where "
    "mode like '%Exclusive%'`), and end it or let it finish.",
)

UNREACHABLE: Final = Rule(
    "AW901",
    "The database cannot be reached",
    _CRITICAL,
    FindingClass.UNREACHABLE,
    why="Nothing is known about it, and probably the application cannot reach it either.",
    fix="Follow the message: host, port, TLS, password, or the server itself.",
)
CANNOT_LOOK: Final = Rule(
    "AW902",
    "The database cannot be looked at",
    _WARNING,
    FindingClass.UNKNOWN,
    why="Unknown is not fine: drift would go unseen.",
    fix="Follow the message: most often one GRANT is missing, see `anchorwatch grants`.",
)
EXPIRED_RULE: Final = Rule(
    "AW903",
    "An ignore rule has expired",
    _INFO,
    FindingClass.UPKEEP,
    why="Nothing is ignored by it any more: what it matches is told again.",
    fix="Give it a later `until`, or remove it from the configuration.",
)
UNUSED_RULE: Final = Rule(
    "AW904",
    "An ignore rule matches nothing",
    _INFO,
    FindingClass.UPKEEP,
    why="What it was written for is gone, or it was written wrongly. What comes to match it "
    "one day is ignored, and nobody remembers why.",
    fix="Remove it from the configuration, or correct its code and object: the parts of a name "
    "are matched one by one, see docs/how-to/accept-and-ignore.md.",
)

BROKEN_CHANNEL: Final = Rule(
    "AW905",
    "A channel takes no messages",
    _CRITICAL,
    FindingClass.CHANNEL,
    why="Nobody reads there what is found. It is told on the other channels, once, and once more "
    "when a message is taken again.",
    fix="`anchorwatch notify --test CHANNEL` says what it answers now: an address that is no "
    "more has to be made anew, a token to be renewed, a receiver that is down to be started.",
)

_SCHEMA_RULES: Final = _list_schema_rules()

RULES: Final[Mapping[str, Rule]] = {
    rule.code: rule
    for rule in sorted(
        [
            *(rule for rule, _, _ in _SCHEMA_RULES),
            NOT_VALID,
            INVALID_INDEX,
            DISABLED,
            NOT_ENFORCED,
            PRIVILEGES,
            OWNER,
            COMMENT,
            EXTENSION_VERSION,
            SPELLING,
            DETACHING,
            *HISTORY_RULES,
            *DATA_RULES,
            *SMOKE_RULES,
            STUCK_MIGRATION,
            UNREACHABLE,
            CANNOT_LOOK,
            EXPIRED_RULE,
            UNUSED_RULE,
            BROKEN_CHANNEL,
        ],
        key=lambda rule: rule.code,
    )
}

_BY_CHANGE: Final = {
    (kind, change): rule for rule, kinds, change in _SCHEMA_RULES for kind in kinds
}

_BY_ATTRIBUTE: Final[Mapping[str, Rule]] = {
    "not_null_valid": NOT_VALID,
    "detach_pending": DETACHING,
    "enabled": DISABLED,
    "internal_triggers": DISABLED,
    "enforced": NOT_ENFORCED,
    "grants": PRIVILEGES,
    "revokes": PRIVILEGES,
    "owner": OWNER,
    "comment": COMMENT,
    "index_comment": COMMENT,
}


def choose_rule(kind: Kind, change: ChangeKind, attributes: frozenset[str]) -> Rule:
    """The rule for one change.

    A difference in nothing but validity, enforcement, privileges, owner, comment
    or an extension's version has a rule of its own; where several of these differ the worst
    speaks.
    """
    if change != "altered":
        return _BY_CHANGE[kind, change]
    special = [_choose_special(kind, name) for name in attributes]
    found = [rule for rule in special if rule is not None]
    if not found or len(found) < len(special):
        return _BY_CHANGE[kind, change]
    return max(found, key=lambda rule: (rule.severity.rank, rule.code))


def _choose_special(kind: Kind, attribute: str) -> Rule | None:
    if kind is Kind.DEFAULT_PRIVILEGE:
        return None
    if kind is Kind.EXTENSION and attribute == "version":
        return EXTENSION_VERSION
    if attribute == "valid":
        return NOT_VALID if kind in (Kind.CHECK, Kind.FOREIGN_KEY) else INVALID_INDEX
    return _BY_ATTRIBUTE.get(attribute)


def name_change(code: str) -> ChangeKind:
    """Whether the object of a finding with this code is missing, unexpected or altered."""
    return _CHANGES.get(code, "altered")


_CHANGES: Final[Mapping[str, ChangeKind]] = {
    choose_rule(kind, change, frozenset()).code: change
    for kind in Kind
    for change in ("missing", "unexpected")
}
"""Missing and unexpected objects have codes of their own, everything else is altered."""

"""The codes are a promise: they stay what they are, and each has its page."""

import re
from typing import get_args

import pytest

from monitor.core.findings import FindingClass, Severity
from monitor.core.keys import Kind
from monitor.core.kinds import KINDS
from monitor.core.rule import Rule
from monitor.core.rules import RULES, ChangeKind, choose_rule

TITLES = {
    "AW101": "The database has no tables",
    "AW102": "There are tables, but no Alembic revision",
    "AW103": "The stamped revision is not in the history",
    "AW104": "One stamped revision is an ancestor of another",
    "AW105": "Revisions are stamped that nothing brings together",
    "AW106": "A revision stopped halfway",
    "AW107": "A revision in the middle is missing",
    "AW108": "A stamped revision never ran",
    "AW109": "A revision is there that is not stamped",
    "AW110": "A revision is longer than the version column takes",
    "AW111": "A revision was edited after it ran",
    "AW201": "A schema is missing",
    "AW202": "A schema is there that nothing expects",
    "AW203": "A schema differs",
    "AW204": "A table is missing",
    "AW205": "A table is there that nothing expects",
    "AW206": "A table differs",
    "AW207": "A column is missing",
    "AW208": "A column is there that nothing expects",
    "AW209": "A column differs",
    "AW210": "A primary key is missing",
    "AW211": "A primary key is there that nothing expects",
    "AW212": "A primary key differs",
    "AW213": "A unique constraint is missing",
    "AW214": "A unique constraint is there that nothing expects",
    "AW215": "A unique constraint differs",
    "AW216": "A foreign key is missing",
    "AW217": "A foreign key is there that nothing expects",
    "AW218": "A foreign key differs",
    "AW219": "A check constraint is missing",
    "AW220": "A check constraint is there that nothing expects",
    "AW221": "A check constraint differs",
    "AW222": "An exclusion constraint is missing",
    "AW223": "An exclusion constraint is there that nothing expects",
    "AW224": "An exclusion constraint differs",
    "AW225": "An index is missing",
    "AW226": "An index is there that nothing expects",
    "AW227": "An index differs",
    "AW228": "A sequence is missing",
    "AW229": "A sequence is there that nothing expects",
    "AW230": "A sequence differs",
    "AW231": "A view is missing",
    "AW232": "A view is there that nothing expects",
    "AW233": "A view differs",
    "AW234": "A materialised view is missing",
    "AW235": "A materialised view is there that nothing expects",
    "AW236": "A materialised view differs",
    "AW237": "A rule is missing",
    "AW238": "A rule is there that nothing expects",
    "AW239": "A rule differs",
    "AW240": "A trigger is missing",
    "AW241": "A trigger is there that nothing expects",
    "AW242": "A trigger differs",
    "AW243": "An event trigger is missing",
    "AW244": "An event trigger is there that nothing expects",
    "AW245": "An event trigger differs",
    "AW246": "A policy is missing",
    "AW247": "A policy is there that nothing expects",
    "AW248": "A policy differs",
    "AW249": "A routine is missing",
    "AW250": "A routine is there that nothing expects",
    "AW251": "A routine differs",
    "AW252": "A type is missing",
    "AW253": "A type is there that nothing expects",
    "AW254": "A type differs",
    "AW255": "An operator or cast is missing",
    "AW256": "An operator or cast is there that nothing expects",
    "AW257": "An operator or cast differs",
    "AW258": "An extension is missing",
    "AW259": "An extension is there that nothing expects",
    "AW260": "An extension differs",
    "AW261": "An extended statistics is missing",
    "AW262": "An extended statistics is there that nothing expects",
    "AW263": "An extended statistics differs",
    "AW264": "A publication is missing",
    "AW265": "A publication is there that nothing expects",
    "AW266": "A publication differs",
    "AW267": "A foreign data object is missing",
    "AW268": "A foreign data object is there that nothing expects",
    "AW269": "A foreign data object differs",
    "AW270": "A default privilege is missing",
    "AW271": "A default privilege is there that nothing expects",
    "AW272": "A default privilege differs",
    "AW281": "A constraint is NOT VALID",
    "AW282": "An index is invalid",
    "AW283": "A trigger, rule or key is not enabled as expected",
    "AW284": "A constraint is NOT ENFORCED",
    "AW285": "Privileges differ",
    "AW286": "The owner differs",
    "AW287": "A comment differs",
    "AW288": "An extension has another version",
    "AW289": "A text is written differently, and nothing here can tell whether it means the same",
    "AW290": "A partition is half detached",
    "AW301": "Rows have lost their parents, and no foreign key holds them",
    "AW302": "Rows break a foreign key that the server holds for valid",
    "AW303": "Rows break a relation that the configuration names",
    "AW311": "An assertion does not hold",
    "AW312": "Rows that should keep coming do not",
    "AW319": "An assertion cannot be evaluated",
    "AW309": "Rows without a parent cannot be counted",
    "AW401": "A smoke suite fails",
    "AW402": "A smoke suite passes with a warning",
    "AW409": "A smoke suite could not be run",
    "AW501": "A migration does not end",
    "AW901": "The database cannot be reached",
    "AW902": "The database cannot be looked at",
    "AW903": "An ignore rule has expired",
    "AW904": "An ignore rule matches nothing",
    "AW905": "A channel takes no messages",
}
"""Every code that was ever given out; the list only grows, and a title keeps its sense."""

CHANGES: tuple[ChangeKind, ...] = get_args(ChangeKind.__value__)


def test_codes_keep_their_meaning() -> None:
    assert {code: rule.title for code, rule in RULES.items()} == TITLES


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_a_rule_explains_itself(rule: Rule) -> None:
    assert RULES[rule.code] is rule
    assert re.fullmatch(r"AW\d{3}", rule.code)
    assert re.fullmatch(r"[A-Z].*[^.\s]", rule.title)
    assert rule.why.endswith(".")
    assert rule.fix.endswith(".")
    assert rule.severity in Severity
    assert rule.finding_class in FindingClass


def test_titles_are_unique() -> None:
    assert len({rule.title for rule in RULES.values()}) == len(RULES)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", Kind)
def test_every_change_of_every_kind_has_a_rule_of_its_sort(kind: Kind, change: ChangeKind) -> None:
    rule = choose_rule(kind, change, frozenset())
    word = {"missing": "is missing", "unexpected": "that nothing expects", "altered": "differs"}
    assert rule.title.endswith(word[change])
    assert rule.finding_class is FindingClass.DRIFT


@pytest.mark.parametrize("kind", Kind)
def test_every_attribute_of_every_kind_has_a_rule(kind: Kind) -> None:
    for name, attribute in KINDS[kind].items():
        rule = choose_rule(kind, "altered", frozenset({name}))
        assert rule.code in RULES
        assert (rule.severity is Severity.INFO) == attribute.is_remark
        if kind is not Kind.DEFAULT_PRIVILEGE:
            assert (
                rule.code in {"AW285", "AW286"}
            ) == attribute.by_declaration or name == "grants"


def test_what_breaks_an_application_is_critical_when_missing() -> None:
    critical = {
        kind
        for kind in Kind
        if choose_rule(kind, "missing", frozenset()).severity is Severity.CRITICAL
    }
    assert critical == {Kind.TABLE, Kind.COLUMN, Kind.PRIMARY_KEY, Kind.UNIQUE, Kind.FOREIGN_KEY}
    assert not any(
        choose_rule(kind, "unexpected", frozenset()).severity is Severity.CRITICAL for kind in Kind
    )


@pytest.mark.parametrize(
    ("kind", "attributes", "code"),
    [
        (Kind.FOREIGN_KEY, {"valid"}, "AW281"),
        (Kind.INDEX, {"valid"}, "AW282"),
        (Kind.UNIQUE, {"valid"}, "AW282"),
        (Kind.TRIGGER, {"enabled"}, "AW283"),
        (Kind.TABLE, {"internal_triggers"}, "AW283"),
        (Kind.CHECK, {"valid", "enforced"}, "AW284"),
        (Kind.TABLE, {"grants", "comment"}, "AW285"),
        (Kind.TABLE, {"owner", "comment"}, "AW286"),
        (Kind.TABLE, {"comment"}, "AW287"),
        (Kind.INDEX, {"valid", "columns"}, "AW227"),
        (Kind.TABLE, {"comment", "options"}, "AW206"),
        (Kind.DEFAULT_PRIVILEGE, {"grants"}, "AW272"),
    ],
)
def test_the_worst_of_the_attributes_speaks(kind: Kind, attributes: set[str], code: str) -> None:
    assert choose_rule(kind, "altered", frozenset(attributes)).code == code

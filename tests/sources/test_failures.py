"""What each answer of the server means."""

import pytest

from monitor.core.errors import (
    AnchorwatchError,
    Interrupted,
    LookError,
    Migrating,
    Refused,
    StatementFailed,
    TooSlow,
)
from monitor.sources.failures import Answer, explain_asking, explain_reading
from tests.sources.peers import (
    PLANTED,
)


@pytest.mark.parametrize(
    ("sqlstate", "words", "kind"),
    [
        ("XX000", "could not open relation with OID 16385", Interrupted),
        ("XX000", "cache lookup failed for function 16385", Interrupted),
        ("XX000", "could not find tuple for trigger 16385", Interrupted),
        ("XX000", "could not find pg_class entry for 16385", Interrupted),
        ("42883", "function pg_get_future(oid) does not exist", LookError),
        ("XX000", "invalid page in block 0", LookError),
        ("40001", "canceling statement due to conflict with recovery", Interrupted),
        ("57P04", "terminating connection because of drop", Interrupted),
        ("08006", "server conn crashed?", Interrupted),
        ("57014", "Anweisung wird abgebrochen", TooSlow),
        ("55P03", "Anweisung wird abgebrochen", Migrating),
        ("42501", "keine Berechtigung für Tabelle t", Refused),
        ("22P02", f"invalid input syntax: {PLANTED}", LookError),
    ],
)
def test_every_answer_of_the_server_becomes_one_of_our_errors(
    sqlstate: str, words: str, kind: type[LookError]
) -> None:
    error = explain_reading(Answer(sqlstate=sqlstate, words=words, label="h:1/d", user="u"))
    assert type(error) is kind
    assert error.next_step
    assert PLANTED not in str(error)


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        *[("42P01", StatementFailed), ("22012", StatementFailed), ("25006", StatementFailed)],
        *[("42501", Refused), ("57014", TooSlow), ("55P03", Migrating), ("57P01", Interrupted)],
        ("40001", Interrupted),
    ],
)
def test_a_question_is_refused_or_could_not_be_asked(
    sqlstate: str, kind: type[AnchorwatchError]
) -> None:
    answer = Answer(sqlstate=sqlstate, words="said", label="h:1/d", user="u")
    assert type(explain_asking(answer, "select 1")) is kind

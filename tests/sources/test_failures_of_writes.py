"""Why a change could not be made: never in words that may quote a row."""

import pytest

from monitor.core.errors import Rejected
from monitor.sources.failures import Answer, explain_writing


@pytest.mark.parametrize(
    ("sqlstate", "source", "words", "told"),
    [
        ("55P03", "", "canceling statement", "has a lock on what was to be changed"),
        ("42501", "", "permission denied for table orders", "use the table orders"),
        ("42501", "exec_stmt_raise", "row s3cret", "did not permit the change"),
        ("42501", "check_enable_rls", "query would be affected", "row-level security"),
        ("25006", "", "cannot execute", "takes no writes now"),
        ("57014", "", "canceling statement", 'cancelled a statement (deadline "statement")'),
        ("22P02", "", "invalid input: s3cret", "answered a change with error 22P02"),
        ("40P01", "", "deadlock", "in favour of other work"),
        ("23505", "_bt_check_unique", "duplicate key of k", "refused the change: duplicate key"),
        ("23514", "exec_stmt_raise", "row s3cret", "refused the change: error 23514"),
        ("23514", "plperl_elog", "row s3cret", "refused the change: error 23514"),
    ],
)
def test_a_refused_change_is_told_without_rows(
    sqlstate: str, source: str, words: str, told: str
) -> None:
    answer = Answer(sqlstate=sqlstate, words=words, label="h/d", user="mender", source=source)
    error = explain_writing(answer)
    assert told in error.message
    assert "s3cret" not in str(error)
    assert error.message.endswith("Nothing was changed.")
    assert error.next_step
    assert isinstance(error, Rejected) == sqlstate.startswith("23")

"""Which rows statements write, as far as their text tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.row_writes import RowWrite, list_row_writes

UNKNOWN = RowWrite(None)


@pytest.mark.parametrize(
    ("sql", "writes"),
    [
        ('update "My Table" set "A b" = 1', [RowWrite("My Table", frozenset({"A b"}))]),
        ("UPDATE app.T SET A = 1 FROM u WHERE u.b = 2", [RowWrite("t", frozenset({"a"}))]),
        ("update t set (a, b) = (1, 2)", [RowWrite("t")]),
        ("delete from only t where a in (select a from u)", [RowWrite("t")]),
        ("truncate table a, app.b cascade", [RowWrite("a"), RowWrite("b")]),
        ("insert into t (a) values (***); merge into u using t on (true)", ["t", "u"]),
        ("copy t from stdin", [RowWrite("t")]),
        ("with x as (insert into t values (1) returning a) select a from x", [RowWrite("t")]),
        ("/* first */ -- then\ndo '***'", [UNKNOWN]),
        ("select fill(1)", [UNKNOWN]),
        ("select count(*), setval('s', 1) from t where a in (1)", []),
        ("alter table t alter a set default 1", []),
        ("create rule r as on insert to t do instead delete from u", []),
        ("set search_path = x", []),
        ("", []),
    ],
)
def test_the_written_tables_are_told(sql: str, writes: list[RowWrite | str]) -> None:
    expected = [RowWrite(one) if isinstance(one, str) else one for one in writes]
    assert [*list_row_writes([sql])] == expected


WORDS = ("update", "set", "insert", "into", "from", "with", "(", ")", "=", ".", ",", "t", '"a"')


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_no_text_is_too_strange(words: list[str]) -> None:
    for write in list_row_writes([" ".join(words)]):
        assert write.table != ""

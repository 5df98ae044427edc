"""Whoever names a finding gets that one, or hears why not; never another one."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.errors import UsageError
from monitor.core.findings import Finding, Severity
from monitor.core.keys import Kind, ObjectKey
from monitor.core.selection import select
from tests.core.builders import a_key


def a_finding(key: ObjectKey | None, code: str = "AW205") -> Finding:
    return Finding(
        code=code,
        severity=Severity.WARNING,
        environment="test",
        database="app",
        key=key,
        title=f"{key} is there",
    )


USERS = a_finding(a_key(Kind.TABLE, "users"))
EMAIL = a_finding(a_key(Kind.COLUMN, "email", parent="users"), "AW208")
AGE = a_finding(a_key(Kind.COLUMN, "age", parent="users"), "AW209")
BARE = a_finding(None, "AW102")
ALL = [USERS, EMAIL, AGE, BARE]


@pytest.mark.parametrize(
    ("texts", "meant"),
    [
        ([EMAIL.id], [EMAIL]),
        (["AW208"], [EMAIL]),
        (["aw208"], [EMAIL]),
        (["column public.users.email"], [EMAIL]),
        (["public.users.email"], [EMAIL]),
        (["column:public.users.email"], [EMAIL]),
        (["column:public.users.*"], [EMAIL, AGE]),
        (["*"], ALL),
        (["AW102"], [BARE]),
        ([AGE.id, "AW208", "column public.users.age"], [EMAIL, AGE]),
    ],
)
def test_a_finding_is_named_by_id_code_object_or_pattern(
    texts: list[str], meant: list[Finding]
) -> None:
    assert list(select(ALL, texts)) == meant


@pytest.mark.parametrize("text", ["", "AW999", "users", "table public.user", "0" * 12, "x" * 9999])
def test_what_names_nothing_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(UsageError, match="Nothing here is called") as caught:
        select(ALL, ["AW208", text])
    assert EMAIL.id in caught.value.next_step
    assert len(str(caught.value)) < 1000


def test_a_pattern_that_is_none_is_explained() -> None:
    with pytest.raises(UsageError, match="no kind of object"):
        select(ALL, ["colum:public.users.*"])


def test_objects_that_are_printed_alike_are_told_apart_by_their_ids() -> None:
    one = a_finding(ObjectKey(Kind.COLUMN, "a", "b.c", "d"))
    two = a_finding(ObjectKey(Kind.COLUMN, "a.b", "c", "d"))
    with pytest.raises(UsageError, match="Several objects") as caught:
        select([one, two], ["column a.b.c.d"])
    assert one.id in caught.value.next_step
    assert two.id in caught.value.next_step
    assert select([one, two], [two.id]) == (two,)
    assert select([one, two], ['column:a."b.c".d']) == (one,)


def test_a_name_forges_no_line_of_an_error() -> None:
    odd = a_finding(a_key(Kind.TABLE, "x\nall is well"))
    named = msgspec.structs.replace(odd, title=str(odd.key))
    with pytest.raises(UsageError) as caught:
        select([named], ["nonsense"])
    assert "x\\nall is well" in caught.value.next_step


def test_a_table_that_is_called_like_a_code_or_a_pattern_is_no_trap() -> None:
    odd = a_finding(a_key(Kind.TABLE, "x:y"))
    assert select([odd], ["table public.x:y"]) == (odd,)


def test_where_nothing_is_there_nothing_can_be_named() -> None:
    with pytest.raises(UsageError, match="Nothing here"):
        select([], ["AW208"])


@given(st.lists(st.sampled_from([one.id for one in ALL]), max_size=6))
def test_each_is_chosen_once_and_in_its_place(texts: list[str]) -> None:
    assert list(select(ALL, texts)) == [one for one in ALL if one.id in texts]

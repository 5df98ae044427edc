"""Names of roles are read as the server writes them."""

import pytest

from monitor.core.scope_names import split_default_privilege, unquote


@pytest.mark.parametrize(
    ("name", "role", "word"),
    [
        ("app tables", "app", "tables"),
        ('"my ""app"" tables" functions', '"my ""app"" tables"', "functions"),
        ("app large objects", "app", "large objects"),
        ("whatever", "whatever", ""),
    ],
)
def test_the_name_of_a_default_privilege_is_a_role_and_a_word(
    name: str, role: str, word: str
) -> None:
    assert split_default_privilege(name) == (role, word)


def test_an_identifier_may_be_in_quotes() -> None:
    assert [unquote(text) for text in ("a", '"A"', '"a""b"', '"')] == ["a", "A", 'a"b', '"']

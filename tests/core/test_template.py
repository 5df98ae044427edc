"""Names in texts: taken apart once, filled in as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.errors import UsageError
from monitor.core.template import fill, list_names, parse_json, parse_template


def test_names_are_found_and_filled_in() -> None:
    template = parse_template("a {{ one }}{{two}} b")
    assert template.names == {"one", "two"}
    assert template.render(str.upper) == "a ONETWO b"
    assert str(template) == "a {{ one }}{{ two }} b"


@pytest.mark.parametrize("text", ["{{", "{{ }}", "{{ a b }}", "{{ A }}", "{{ a.b }}", "{{a|b}}"])
def test_nothing_but_names_stands_in_braces(text: str) -> None:
    with pytest.raises(UsageError, match="begins no name"):
        parse_template(text)


@given(st.text())
def test_a_text_is_a_template_or_an_error_of_ours(text: str) -> None:
    try:
        template = parse_template(text)
    except UsageError:
        assert "{{" in text
        return
    assert parse_template(str(template)) == template


@given(st.one_of(st.text(), st.integers()))
def test_a_value_is_never_read_as_a_template_or_as_json(value: str | int) -> None:
    filled = fill(parse_json({"a": ["{{ x }}", "-{{ x }}", 1, None]}), lambda _: value)
    text = value if isinstance(value, str) else str(value).lower()
    assert filled == {"a": [value, f"-{text}", 1, None]}


def test_names_are_found_everywhere_but_in_keys() -> None:
    assert set(list_names(parse_json({"{{ k }}": ["{{ a }}", {"b": "{{ b }}"}]}))) == {"a", "b"}

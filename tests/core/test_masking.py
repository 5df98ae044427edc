"""Secrets in every form that they come back in."""

import base64
import html
import json
import re
import time
from collections.abc import Callable
from html.entities import codepoint2name
from typing import Final
from urllib.parse import quote, quote_from_bytes, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.masking import MASK, make_masker

SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=40)
AROUND = st.text("xyz /+", max_size=5)

type Spell = Callable[[str], str]


def _spell_units(letter: str) -> str:
    units = letter.encode("utf-16-be").hex()
    return "".join(f"\\u{units[n : n + 4]}" for n in range(0, len(units), 4))


def _spell_name(letter: str) -> str:
    name = codepoint2name.get(ord(letter))
    return f"&{name};" if name else letter


SPELLINGS: Final[dict[str, Spell]] = {
    "as it is": str,
    "JSON": lambda c: json.dumps(c)[1:-1],
    "JSON of PHP": lambda c: "\\/" if c == "/" else json.dumps(c)[1:-1],
    "units": _spell_units,
    "upper units": lambda c: _spell_units(c).upper().replace("\\U", "\\u"),
    "HTML": html.escape,
    "named": _spell_name,
    "decimal": lambda c: f"&#{ord(c)};",
    "padded": lambda c: f"&#0{ord(c)};",
    "hex": lambda c: f"&#x{ord(c):x};",
    "upper hex": lambda c: f"&#X{ord(c):X};",
    "percent": lambda c: "".join(f"%{byte:02X}" for byte in c.encode()),
    "lower percent": lambda c: "".join(f"%{byte:02x}" for byte in c.encode()),
    "Latin-1": lambda c: quote_from_bytes(c.encode("latin-1" if c <= "\xff" else "utf-8")),
    "repr of bytes": lambda c: "".join(f"\\x{byte:02x}" for byte in c.encode()),
}
OUTER: Final[dict[str, Spell]] = {
    "as it is": str,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON of Go": lambda text: json.dumps(text, ensure_ascii=False)[1:-1].replace("&", "\\u0026"),
    "HTML": html.escape,
    "percent": lambda text: quote(text, safe=""),
    "some percent": lambda text: quote(text, safe="/&=;#"),
    "plus": quote_plus,
}
TRICKY = st.text(
    st.one_of(
        st.sampled_from("\\/\"'<>&%+=;#u0041amp x"), st.characters(exclude_categories=["C"])
    ),
    min_size=4,
    max_size=70,
)


@given(TRICKY.filter(lambda text: "~" not in text), st.sampled_from([*OUTER]), st.data())
def test_a_secret_is_found_in_any_mixture_of_spellings(
    secret: str, outer: str, data: st.DataObject
) -> None:
    names = st.sampled_from([*SPELLINGS])
    spelled = "".join(SPELLINGS[data.draw(names)](letter) for letter in secret)
    shown = make_masker([secret]).hide(OUTER[outer](f"~~{spelled}~~"))
    assert re.sub(r"\\|%(25)*5C", "", shown) == f"~~{MASK}~~"


SHOWN: Final = 'pä/ss+w"ö<d&>x=1'
ECHOES: Final[dict[str, str]] = {
    "PHP": json.dumps(SHOWN).replace("/", "\\/"),
    "Rails": json.dumps(SHOWN, ensure_ascii=False).replace("<", "\\u003c").replace("&", "\\u0026"),
    "Gson": json.dumps(SHOWN, ensure_ascii=False).replace("=", "\\u003d"),
    "Jinja": html.escape(SHOWN).replace("&quot;", "&#34;"),
    "named": SHOWN.replace("&", "&amp;").replace("ä", "&auml;").replace("ö", "&ouml;"),
    "safe": quote(SHOWN, safe="/+=&"),
    "Latin-1": SHOWN.encode("latin-1").decode(errors="replace"),
    "UTF-8 read as Latin-1": SHOWN.encode().decode("latin-1"),
    "JSON in JSON": json.dumps(json.dumps(SHOWN)),
    "JSON in HTML": html.escape(json.dumps(SHOWN)),
    "JSON in a URL": quote(json.dumps(SHOWN), safe=""),
    "JSON in HTML in a URL": quote(html.escape(json.dumps(SHOWN)), safe=""),
    "repr of bytes": repr(SHOWN.encode()),
    "units": "".join(map(_spell_units, SHOWN)),
    "base64 in JSON of PHP": base64.b64encode(SHOWN.encode()).decode().replace("/", "\\/"),
}


@pytest.mark.parametrize("name", ECHOES)
def test_what_serializers_make_of_a_secret_is_hidden(name: str) -> None:
    shown = make_masker([SHOWN]).hide(ECHOES[name])
    around = r"(?:&quot;|%22|%26quot%3B|[\\\"'b])*"
    assert re.sub(rf"^{around}|{around}$", "", shown) == MASK


@pytest.mark.parametrize("spell", OUTER.values(), ids=OUTER)
def test_what_follows_the_letters_that_are_looked_for_is_hidden_too(spell: Spell) -> None:
    secret = "a" * 32 + '"b/<c' * 5
    spelled = json.dumps(secret)[1:-1].replace("/", "\\/")
    assert make_masker([secret]).hide(spell(f"~{spelled}~")) == f"~{MASK}~"


def test_base64_in_json_in_a_url_is_hidden() -> None:
    secret = "so?what?is?>>>?it"  # noqa: S105  # a test
    encoded = base64.b64encode(secret.encode()).decode()
    assert "/" in encoded
    spelled = quote(json.dumps(encoded).replace("/", "\\/"), safe="")
    assert make_masker([secret]).hide(spelled).replace("%3D", "") == f"%22{MASK}%22"


@pytest.mark.parametrize(
    ("secret", "spelled"),
    [("000u", r"000\u0075"), ("000&", r"000\u0026amp;"), ("000&", "000%26amp%3B")],
)
def test_no_piece_of_an_escape_is_left(secret: str, spelled: str) -> None:
    assert make_masker([secret]).hide(spelled) == MASK


def test_a_secret_that_holds_an_escape_is_found_as_it_is() -> None:
    assert make_masker(["a\\u005c-rest"]).hide("is a\\u005c-rest") == "is ***"


def test_what_is_left_after_a_long_secret_is_shown() -> None:
    token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + "aZ09_-" * 100 + ".q8f/Zk3+Lw=="
    hide = make_masker([token]).hide
    assert hide(f'{{"a": "{token}", "b": 1}}') == '{"a": "***", "b": 1}'
    assert hide(json.dumps(token).replace("/", "\\/")) == '"***"'
    assert hide(f'{{"a": "{token[:50]}", "b": 1}}') == '{"a": "***", "b": 1}'


@pytest.mark.parametrize("piece", ["\\", "%25", "&amp;", "a", "&#0", "\\u0026amp;", "\\a", "%5C"])
def test_a_large_text_takes_no_long_time(piece: str) -> None:
    text = piece * (512 * 1024 // len(piece))
    hide = make_masker(["a" * 60 + "!", "\\a" * 16 + "!", "&amp;" * 8, 'pä/ss+w"ö<d&>x=1']).hide
    begin = time.process_time()
    hide(text)
    assert time.process_time() - begin < 7.5


@pytest.mark.parametrize("piece", ["\\", "%5C", "&#92;"])
def test_nothing_but_backslashes_takes_no_longer_than_other_text(piece: str) -> None:
    hide = make_masker(["\\\\\\x and more"]).hide
    spent = {}
    for text in (piece * (1024 * 1024 // len(piece)), "a%b&" * (256 * 1024)):
        begin = time.process_time()
        hide(text)
        spent[text[:1]] = time.process_time() - begin
    assert spent[piece[:1]] < 8 * spent["a"]


@given(
    st.integers(1, 4),
    st.integers(0, 90),
    st.sampled_from(["\\", "%5C", "%5c", "&#92;", "&bsol;"]),
    st.sampled_from(["x", "%", "&", "\t"]),
    st.sampled_from([*SPELLINGS]),
)
def test_a_secret_behind_many_backslashes_is_found(
    length: int, before: int, piece: str, end: str, name: str
) -> None:
    secret = "\\" * length + end + "-rest"
    spelled = piece * length + "".join(map(SPELLINGS[name], f"{end}-rest"))
    shown = make_masker([secret]).hide(f"~{piece * before}{spelled}~")
    assert shown.replace(piece, "") == f"~{MASK}~"


@given(SECRETS, AROUND, AROUND)
def test_no_form_of_a_secret_is_left(secret: str, before: str, after: str) -> None:
    hide = make_masker([secret]).hide
    whole = before + secret + after
    assert secret not in hide(whole)
    assert quote(secret, safe="") not in hide(quote(whole, safe="")).replace(MASK, "")
    assert quote_plus(secret) not in hide(quote_plus(whole)).replace(MASK, "")
    assert json.dumps(secret)[1:-1] not in hide(json.dumps(whole)).replace(MASK, "")


@given(
    st.binary(max_size=4),
    st.text("abcdef0123456789", min_size=12, max_size=40),
    st.binary(max_size=4),
)
def test_base64_hides_nothing_from_us(before: bytes, secret: str, after: bytes) -> None:
    data = before + secret.encode() + after
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        shown = make_masker([secret]).hide(encode(data).decode())
        assert MASK in shown
        left = shown.replace(MASK, "").rstrip("=")
        assert len(left) <= len(encode(before)) + len(encode(after))


def test_the_longest_secret_goes_first_and_none_shows_in_a_repr() -> None:
    masker = make_masker(["secret", "secret-and-more", ""])
    assert masker.hide("a secret-and-more b secret") == "a *** b ***"
    assert "secret" not in repr(masker)


def test_without_secrets_nothing_is_hidden() -> None:
    assert make_masker([""]).hide("plain") == "plain"

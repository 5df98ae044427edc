"""Secrets in every form that they come back in."""

import base64
import json
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.masking import MASK, make_masker

SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=40)
AROUND = st.text("xyz /+", max_size=5)


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

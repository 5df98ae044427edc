"""Secrets in text that leaves the process: each replaced by `***`, whatever it looks like.

A secret may come back in another form than it was sent: each of its characters escaped in one
of many ways, as `monitor.core.masking_spelling` has them, or all of it in base64, where it
looks in three ways, by what stands before it.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from monitor.core.masking_spelling import write_inner, write_pattern

MASK: Final = "***"
LEAST: Final = 4
"""Letters of a form that is not the secret itself: what is shorter stands everywhere."""
_SHARED: Final = "[A-Za-z0-9+/_-]?"


class Masker(msgspec.Struct, frozen=True):
    """Hides secrets in texts; made by `make_masker`."""

    pattern: re.Pattern[str] | None

    def hide(self, text: str) -> str:
        """The text without them."""
        return self.pattern.sub(MASK, text) if self.pattern else text

    def __repr__(self) -> str:
        """Nothing: the pattern holds them."""
        return "Masker(...)"


def make_masker(secrets: Iterable[str]) -> Masker:
    """What hides these; an empty one is none."""
    forms = {form for secret in secrets if secret for form in _list_forms(secret)}
    if not forms:
        return Masker(None)
    # The longest first: of one that begins like another nothing must be left.
    longest = sorted(forms, key=lambda form: len(form.text), reverse=True)
    return Masker(re.compile("|".join(form.pattern for form in longest)))


class _Form(NamedTuple):
    """One form of a secret, and what finds it."""

    text: str
    pattern: str


def _list_forms(secret: str) -> Iterator[_Form]:
    for reading in _list_readings(secret):
        # What is written in it may look like an escape: so as it is, too.
        yield _Form(reading, f"{write_pattern(reading)}|{re.escape(reading)}")
    encoded = (*_list_base64(secret), *_list_hex(secret))
    yield from (form for form in encoded if len(form.text) >= LEAST)


def _list_readings(secret: str) -> Iterator[str]:
    """The secret, and what it is to those who take its UTF-8 for Latin-1, or the reverse."""
    yield secret
    yield secret.encode(errors="surrogatepass").decode("latin-1")
    if all(ord(letter) <= 0xFF for letter in secret):  # noqa: PLR2004  # what Latin-1 has
        yield secret.encode("latin-1").decode(errors="replace")


def _list_hex(secret: str) -> Iterator[_Form]:
    text = secret.encode(errors="surrogatepass").hex()
    yield _Form(text, text)
    yield _Form(text.upper(), text.upper())


def _list_base64(secret: str) -> Iterator[_Form]:
    """What of the base64 depends on the secret alone, and the letters that its ends share."""
    data = secret.encode(errors="surrogatepass")
    for offset in range(3):
        begin = (offset * 8 + 5) // 6
        end = (offset + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(bytes(offset) + data).decode().rstrip("=")[begin:end]
            # What stands in base64 may be escaped as well: its / and + in JSON or a URL.
            spelled = "".join(one if one.isalnum() else write_inner(one) for one in text)
            yield _Form(text, f"{_SHARED if offset else ''}{spelled}{_SHARED}={{0,2}}")

"""Secrets in text that leaves the process: each replaced by `***`, whatever it looks like.

A secret may come back in another form than it was sent: quoted for a URL, escaped in JSON
or HTML, or in base64, where it looks in three ways, by what stands before it.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus

import msgspec

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
    """One form of a secret, and letters beside it that tell of it as well."""

    text: str
    before: str = ""
    after: str = ""

    @property
    def pattern(self) -> str:
        return f"{self.before}{re.escape(self.text)}{self.after}"


def _list_forms(secret: str) -> Iterator[_Form]:
    yield _Form(secret)
    spellings = (*map(_Form, _list_spellings(secret)), *_list_base64(secret))
    yield from (form for form in spellings if len(form.text) >= LEAST)


def _list_spellings(secret: str) -> Iterator[str]:
    for form in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield form
        yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), form)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield html.escape(secret)
    yield repr(secret)[1:-1]
    data = secret.encode(errors="surrogatepass")
    yield data.hex()
    yield data.hex().upper()


def _list_base64(secret: str) -> Iterator[_Form]:
    """What of the base64 depends on the secret alone, and the letters that its ends share."""
    data = secret.encode(errors="surrogatepass")
    for offset in range(3):
        begin = (offset * 8 + 5) // 6
        end = (offset + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(bytes(offset) + data).decode().rstrip("=")[begin:end]
            yield _Form(text, _SHARED if offset else "", f"{_SHARED}={{0,2}}")

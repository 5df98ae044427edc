"""How a text may be spelled by what escapes it: JSON, HTML, URLs, and one inside of another.

Each character alone may be in any spelling, for every serializer escapes others: PHP the
slash, Go and Rails `<`, `>` and `&`, Gson also `=`, templates quotes as `&#34;`, and a URL
whatever somebody did not call safe. Every repetition has an end, and gives nothing back once
it has taken it, so that a search takes time in proportion to the text.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from html.entities import html5
from itertools import groupby
from typing import Final

EXACT: Final = 32
"""Characters that are looked for one by one; what follows them of a longer text is known by
their kind, for a pattern for each letter of a token would take long to make."""

_PERCENT: Final = "%(?:25){0,3}"
_BACKSLASH: Final = rf"(?:\\|{_PERCENT}5[cC]|&#92;|&bsol;)"
_SOME: Final = f"{_BACKSLASH}{{0,8}}+"
_SEVERAL: Final = f"{_BACKSLASH}{{1,8}}+"


def _write_and(backslashes: str) -> str:
    """The & of an entity."""
    return rf"(?:&|{backslashes}u0026|{_PERCENT}26)(?:amp(?:;|{_PERCENT}3[bB])){{0,3}}"


_NUMBER: Final = f"(?:#|{_PERCENT}23)"
_END: Final = f"(?:;|{_PERCENT}3[bB])?"
_HEX: Final = "[0-9a-fA-F]"
_ANY_BACKSLASHED: Final = (
    rf"{_SEVERAL}(?:u{_HEX}{{4}}|U{_HEX}{{8}}|u\{{{_HEX}{{1,6}}\}}"
    rf"|x{_HEX}{{2}}|[0-7]{{3}}|[0abfnrtv])"
)
_ANY_PERCENT: Final = f"{_PERCENT}{_HEX}{{2}}"
_ANY_ENTITY: Final = rf"(?:{_NUMBER}[xX]?{_HEX}{{1,12}}|[A-Za-z][A-Za-z0-9]{{1,31}}){_END}"
"""Whatever stands for a character, or for a byte of it."""
_SHORT: Final[Mapping[str, str]] = {
    "\0": "0",
    "\a": "a",
    "\b": "b",
    "\f": "f",
    "\n": "n",
    "\r": "r",
    "\t": "t",
    "\v": "v",
}


def write_pattern(text: str) -> str:
    """The regular expression that finds a text in any spelling."""
    exact, rest = text[:EXACT], text[EXACT:]
    parts: list[str] = []
    for letter, run in groupby(exact):
        length = len([*run])
        if letter == "\\":
            following = exact[length : length + 1]
            skip = _skip_backslashes(length, following) if following and not parts else ""
            parts.append(skip + _write_backslashes(length))
            continue
        # A match begins at the last backslash: a search from each would only take longer.
        before = _SEVERAL if parts else _BACKSLASH
        if parts and parts[-1].endswith("}+"):
            before = _SOME  # those of an escape are taken already
        parts += [_write_letter(letter, before), _write_letter(letter, _SEVERAL) * (length - 1)]
    return "".join(parts) + (_write_rest(rest) if rest else "")


def write_inner(letter: str) -> str:
    """The same of one letter that others stand before, and which is no backslash."""
    return _write_letter(letter, _SEVERAL)


def _skip_backslashes(length: int, following: str) -> str:
    """What lets no match begin where more follow than it could take, with the next letter's.

    So the same is found, and a search through nothing but backslashes takes no longer. Of
    escapes this holds where none begins with the next letter, as `%5c` does with a `%`, or as
    `&#92;` begins like a tab's `&#9`.
    """
    most = 8 * length + 8 + 8
    escapes = () if following in "%&\t" else ("%5[cC]", "&#92;", "&bsol;")
    kinds = (r"\\", *escapes)
    return f"(?!{'|'.join(f'(?:{kind}){{{most + 1}}}' for kind in kinds)})"


def _write_backslashes(length: int) -> str:
    """One pattern for all of them: each may be two, four or eight, and nobody knows whose.

    It takes those of the next letter's escape as well.
    """
    escapes = "|".join(_list_escapes("\\", _SEVERAL))
    return f"(?:{escapes}|{_BACKSLASH}){{{length},{8 * length + 8}}}+"


def _write_rest(rest: str) -> str:
    """As many characters of the same kinds, in any spelling."""
    kinds = "".join(sorted({re.escape(letter) for letter in rest} | {r"\ufffd"}))
    plus = "+" if " " in rest else ""
    most = len(rest.encode(errors="surrogatepass"))
    entity = f"{_write_and(_SOME)}{_ANY_ENTITY}"
    behind = f"{_SOME}(?:[{kinds}{plus}]|{_ANY_PERCENT}|{entity})"
    return (
        f"(?:{_write_and(_SEVERAL)}{_ANY_ENTITY}|{_ANY_BACKSLASHED}|{behind}|{_ANY_PERCENT})"
        f"{{0,{most}}}"
    )


@cache
def _write_letter(letter: str, backslashes: str) -> str:
    """A letter; what is escaped by backslashes may be escaped once more, and these not."""
    is_first = backslashes == _BACKSLASH
    before = "" if is_first else _SOME
    entity = _write_entity(letter, backslashes if is_first else _SOME)
    behind = "|".join((entity, *_list_percent(letter), re.escape(letter)))
    # The longest first: of `\\u0075` the letter u would leave the number, of `%26amp%3B` a %26 the
    # rest.
    return f"(?:{'|'.join(_list_escapes(letter, backslashes))}|{before}(?:{behind}))"


def _list_escapes(letter: str, backslashes: str) -> Iterator[str]:
    yield _write_entity(letter, backslashes)
    yield f"{backslashes}(?:{'|'.join(_list_backslashed(letter))})"
    yield from _list_percent(letter)
    if letter == " ":
        yield r"\+"
        yield f"{_PERCENT}2[bB]"


def _write_entity(letter: str, backslashes: str) -> str:
    return f"{_write_and(backslashes)}(?:{'|'.join(_list_entities(letter))}){_END}"


def _list_backslashed(letter: str) -> Iterator[str]:
    """What follows the backslashes; JSON and JavaScript, Python and C."""
    if letter in _SHORT:
        yield _SHORT[letter]
    units = letter.encode("utf-16-be", errors="surrogatepass").hex()
    pairs = [units[place : place + 4] for place in range(0, len(units), 4)]
    yield _SEVERAL.join(f"u{_write_hex(pair)}" for pair in pairs)
    code = ord(letter)
    yield f"U{_write_hex(f'{code:08x}')}"
    yield rf"u\{{0{{0,5}}{_write_hex(f'{code:x}')}\}}"
    for data in _list_bytes(letter):
        yield _SEVERAL.join(f"x{_write_hex(f'{byte:02x}')}" for byte in data)
        yield _SEVERAL.join(f"{byte:03o}" for byte in data)


def _list_percent(letter: str) -> Iterator[str]:
    for data in _list_bytes(letter):
        yield "".join(f"{_PERCENT}{_write_hex(f'{byte:02x}')}" for byte in data)


def _list_bytes(letter: str) -> Iterator[bytes]:
    """In UTF-8, and in Latin-1 where that is something else."""
    yield letter.encode(errors="surrogatepass")
    if "\x80" <= letter <= "\xff":
        yield letter.encode("latin-1")


def _list_entities(letter: str) -> Iterator[str]:
    """What stands between & and ;."""
    code = ord(letter)
    yield f"{_NUMBER}0{{0,8}}{code}"
    yield f"{_NUMBER}[xX]0{{0,8}}{_write_hex(f'{code:x}')}"
    yield from sorted(_index_names().get(letter, ()), key=len, reverse=True)


@cache
def _index_names() -> Mapping[str, frozenset[str]]:
    """The names of HTML by what they stand for."""
    names: dict[str, set[str]] = {}
    for name, text in html5.items():
        names.setdefault(text, set()).add(name.rstrip(";"))
    return {text: frozenset(found) for text, found in names.items()}


def _write_hex(digits: str) -> str:
    """Digits in either case."""
    return "".join(f"[{one}{one.upper()}]" if one.isalpha() else one for one in digits)

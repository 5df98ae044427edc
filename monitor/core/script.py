"""A script of SQL, cut into its statements as psql cuts it.

No grammar: only what hides a semicolon (strings, quoted names, dollar quotes, comments,
parentheses, the bodies of SQL-standard functions) is told apart, so that a failure can
name its line and so that psql's own commands are found.

Source: https://www.postgresql.org/docs/current/sql-syntax-lexical.html, and `psqlscan.l`
for BEGIN ATOMIC.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

IDENT: Final = r'(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)'
"""An identifier, quoted or bare, as a part of a pattern."""
NOTHING: Final = "DO 'BEGIN END'"
"""A statement that does nothing, in the place of another one."""

_LETTER: Final = r"A-Za-z_\x80-\U0010ffff"
_TOKEN: Final = re.compile(
    rf"""
      (?P<space>\s+)
    | (?P<comment>/\*|--[^\r\n]*)
    | (?P<quoted> [eE]'(?:[^'\\]++|\\.|'')*(?:'|\Z)
      | '(?:[^']++|'')*(?:'|\Z) | "(?:[^"]++|"")*(?:"|\Z) )
    | (?P<dollar>\$(?:[{_LETTER}][{_LETTER}0-9]*)?\$)
    | (?P<word>[{_LETTER}][{_LETTER}0-9$]*)
    | (?P<meta>\\[^\r\n]*)
    | (?P<other>[0-9.]+[{_LETTER}0-9.]*|\$[0-9]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")
_ROUTINE: Final = re.compile(r"CREATE (OR REPLACE )?(FUNCTION|PROCEDURE) ")
_ROUTINE_LETTERS: Final = len("CREATE OR REPLACE PROCEDURE ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a script.

    Attributes:
        text: without the semicolon and what surrounds it.
        line: the line of its first character, counted from 1.
        start: the offset of its first character in the script.
        is_meta: whether it is a command of psql, one line that starts with a backslash.
    """

    text: str
    line: int
    start: int
    is_meta: bool = False

    @property
    def end(self) -> int:
        """The offset after its last character."""
        return self.start + len(self.text)

    def line_of(self, position: int | None) -> int:
        """The line in the script of a character of the statement, counted from 1."""
        return self.line + (self.text.count("\n", 0, position - 1) if position else 0)


@dataclass(slots=True)
class _Depth:
    """How deep inside parentheses and an SQL-standard body the reader is."""

    words: str = ""
    parentheses: int = 0
    blocks: int = 0

    def read(self, kind: str, text: str) -> None:
        if kind == "word":
            self._read_word(text.upper())
        elif text == "(":
            self.parentheses += 1
        elif text == ")" and self.parentheses:
            self.parentheses -= 1

    def _read_word(self, word: str) -> None:
        if len(self.words) < _ROUTINE_LETTERS:
            self.words += f"{word} "
        if self.parentheses or not _ROUTINE.match(self.words):
            return
        if word == "BEGIN" or (word == "CASE" and self.blocks):
            self.blocks += 1
        elif word == "END" and self.blocks:
            self.blocks -= 1

    @property
    def is_open(self) -> bool:
        return bool(self.parentheses or self.blocks)


def split_script(text: str) -> Iterator[Statement]:
    """The statements of a script in order, empty ones and comments left out.

    What is never closed runs to the end: the server says what it thinks of it.
    """
    line, counted = 1, 0
    for start, end, is_meta in _cut(text):
        line += text.count("\n", counted, start)
        counted = start
        yield Statement(text=text[start:end], line=line, start=start, is_meta=is_meta)


def replace_statements(text: str, changed: Iterable[tuple[Statement, str]]) -> str:
    """A script with some of its statements, in their order, replaced by others."""
    pieces, position = [], 0
    for statement, other in changed:
        pieces += [text[position : statement.start], other]
        position = statement.end
    return "".join((*pieces, text[position:]))


def fold_ident(token: str) -> str:
    """The name that an identifier stands for: a bare one is read in lower case."""
    return token[1:-1].replace('""', '"') if token.startswith('"') else token.lower()


def _cut(text: str) -> Iterator[tuple[int, int, bool]]:
    depth, start, end = _Depth(), -1, 0
    for kind, begin, stop in read_tokens(text):
        if kind in ("space", "comment"):
            continue
        if kind == "meta" and start < 0:
            yield begin, stop, True
        elif text[begin:stop] == ";" and not depth.is_open:
            if start >= 0:
                yield start, end, False
            depth, start = _Depth(), -1
        else:
            start, end = (begin if start < 0 else start), stop
            depth.read(kind, text[begin:stop])
    if start >= 0:
        yield start, end, False


def read_tokens(text: str) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of each token; one ends where the next one starts."""
    position = 0
    while token := _TOKEN.match(text, position):
        kind, start, position = str(token.lastgroup), position, token.end()
        if token[0] == "/*":
            position = _skip_comment(text, position)
        elif kind == "dollar":
            close = text.find(token[0], position)
            position = len(text) if close < 0 else close + len(token[0])
        yield kind, start, position


def _skip_comment(text: str, position: int) -> int:
    """The offset after a comment, in which comments nest."""
    depth = 1
    while depth and (edge := _COMMENT_EDGE.search(text, position)):
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return len(text) if depth else position

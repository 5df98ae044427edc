"""Statements about roles in somebody's script: roles belong to the server, not to a schema.

A history may make the roles that it grants to. Whoever builds a schema may make none, and its
roles have stand-ins: what the script does to roles themselves is left out of it. In a DO block
too, where it stands as a statement of its own; what a block puts together at run time is not
read.

Source: https://www.postgresql.org/docs/current/user-manag.html
"""

import re
from collections.abc import Callable
from typing import Final

from monitor.core.script import IDENT, NOTHING, fold_ident, replace_statements, split_script

_SORT: Final = r"(?:role|user(?!\s+mapping\b)|group)"
_TAIL: Final = r"""(?:[^;'"]|'(?:[^']|'')*+'|"(?:[^"]|"")*+")*"""
_ABOUT: Final = rf"""(?:
      (?:create|alter|drop) \s+ {_SORT} \b {_TAIL}
    | comment \s+ on \s+ role \b {_TAIL}
    | (?:grant|revoke) \b (?!{_TAIL}\bon\b) {_TAIL})"""
_STATEMENT: Final = re.compile(_ABOUT, re.IGNORECASE | re.VERBOSE)
_IN_BLOCK: Final = re.compile(
    rf"(?P<before>(?:.*\b(?:begin|then|else|loop)\b(?:\s|--[^\n]*\n)+)?){_ABOUT}",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""Within a string it does not match: the quote that ends the string has no partner."""
_MADE: Final = re.compile(rf"\bcreate\s+{_SORT}\s+({IDENT})", re.IGNORECASE)
_BLOCK: Final = re.compile(
    r"do\b[^$']*(?P<quote>\$\w*\$)(?P<body>.*)(?P=quote).*", re.IGNORECASE | re.DOTALL
)


def find_made_roles(text: str) -> tuple[str, ...]:
    """The roles that a script makes, where their names stand in it."""
    return tuple(fold_ident(found[1]) for found in _MADE.finditer(text))


def leave_roles_out(text: str) -> str:
    """The script without its statements about roles; the same where it has none."""
    return _rewrite(text, _leave_out)


def _rewrite(text: str, change: Callable[[str], str]) -> str:
    """The script with each of its statements changed."""
    return replace_statements(text, ((one, change(one.text)) for one in split_script(text)))


def _leave_out(statement: str) -> str:
    if _STATEMENT.fullmatch(statement):
        return NOTHING
    block = _BLOCK.fullmatch(statement)
    if block is None:
        return statement
    body = _rewrite(block["body"], _leave_out_of_block)
    return f"{statement[: block.start('body')]}{body}{statement[block.end('body') :]}"


def _leave_out_of_block(statement: str) -> str:
    found = _IN_BLOCK.fullmatch(statement)
    return f"{found['before']}NULL" if found else statement

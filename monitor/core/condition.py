"""Conditions that people write, which stand inside of a larger statement."""

import re
from typing import Final

from monitor.core.errors import UsageError
from monitor.core.script import read_tokens

_PARAMETER: Final = re.compile(r"\$[0-9]+")
_NEXT_STEP: Final = "Write one condition in SQL, with its parentheses closed: deleted_at is null."


def require_condition(text: str) -> str:
    """The text, when it can stand in parentheses without ending what is around it.

    `a) or (b` would: what it is combined with would no longer hold for every row.

    Raises:
        UsageError: it closes a parenthesis that it did not open, opens one that it does not
            close, or holds a semicolon or a parameter.
    """
    whole, depth = f"({text}\n)", 0
    for _, start, end in read_tokens(whole):  # a quote that is not closed takes the end with it
        sign = whole[start:end]
        depth += (sign == "(") - (sign == ")")
        if sign == ";" or _PARAMETER.fullmatch(sign) or (depth < 1 and end < len(whole)):
            break
    else:
        if depth == 0:
            return text
    raise UsageError(f"{text!r} is not one condition.", next_step=_NEXT_STEP)

"""Objects given to a stand-in by the superuser, where the builder is not let.

The new owner needs CREATE on the schema, which a dump grants at its end or, to a
superuser of the place it was taken of, not at all. So the statement is read into its
fields and written anew. The role can only be a stand-in of the same scratch: a function
that runs with its owner's rights must never become a superuser's.
"""

import re
from typing import Final

from monitor.core.quoting import quote_ident
from monitor.core.script import IDENT, fold_ident
from monitor.sources.postgres import connect
from monitor.sources.shadow import Scratch

_CHANGE: Final = re.compile(
    rf"""alter \s+ (?P<kind>aggregate | collation | conversion | domain | function | procedure
    | routine | sequence | statistics | table | type | view | foreign \s+ table
    | materialized \s+ view | operator \s+ (?:class|family)
    | text \s+ search \s+ (?:configuration|dictionary))
    \s+ (?P<name>{IDENT} (?:\s*\.\s*{IDENT})+)
    (?P<rest>\s*\([^()'$;]*\) | \s+ using \s+ {IDENT})?
    \s+ owner \s+ to \s+ (?P<role>{IDENT}) \s*""",
    re.IGNORECASE | re.VERBOSE,
)


async def give_away(scratch: Scratch, statement: str) -> bool:
    """Change an owner as the superuser; tell whether the statement is one that may be run so.

    Raises:
        StatementFailed: the superuser is refused as well.
    """
    change = _CHANGE.fullmatch(statement)
    if change is None or not scratch.is_superuser:
        return False
    role = fold_ident(change["role"])
    if role not in scratch.stand_ins:
        return False
    what = f"{change['kind']} {change['name']}{change['rest'] or ''}"
    async with connect(scratch.admin) as session:
        await session.execute("SET search_path = pg_catalog")
        await session.execute(f"ALTER {what} OWNER TO {quote_ident(role)}")
    return True

"""Extensions that only a superuser may create, created from typed fields alone.

What is trusted (https://www.postgresql.org/docs/current/sql-createextension.html) the
builder creates for itself. For the others the statement is read into its fields, written
anew, and run by the role that made the scratch; nothing else of a source ever is.
"""

import re
from dataclasses import dataclass
from typing import Final

from monitor.core.quoting import quote_ident, quote_literal
from monitor.core.script import (
    IDENT,
    NOTHING,
    Statement,
    fold_ident,
    replace_statements,
    split_script,
)
from monitor.sources.postgres import connect
from monitor.sources.shadow import Scratch

_TEXT: Final = r"'(?:[^']|'')*'"
_MENTION: Final = re.compile(r"\bextension\b", re.IGNORECASE)
_CREATE: Final = re.compile(
    rf"""create \s+ extension \s+ (?P<quiet>if \s+ not \s+ exists \s+)? (?P<name>{IDENT})
    (?: \s+ with)? (?P<options>(?: \s+ (?: schema \s+ {IDENT}
    | version \s+ (?:{IDENT}|{_TEXT}) | cascade))*) \s*""",
    re.IGNORECASE | re.VERBOSE,
)
_OPTION: Final = re.compile(
    rf"(?P<word>schema|version)\s+(?P<value>{IDENT}|{_TEXT})|(?P<cascade>cascade)", re.IGNORECASE
)
_COMMENT: Final = re.compile(
    rf"comment \s+ on \s+ extension \s+ (?P<name>{IDENT}) \s+ is \s+ (?P<text>{_TEXT}|null) \s*",
    re.IGNORECASE | re.VERBOSE,
)
_UNTRUSTED: Final = """/* anchorwatch extensions */
select distinct name::text from pg_catalog.pg_available_extension_versions
where superuser and not trusted"""
_MISSING: Final = re.compile(
    r'extension "(?P<name>[^"]+)" is not available'
    r'|control file "[^"]*/(?P<file>[^"/]+)\.control"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """What CREATE EXTENSION asks for."""

    name: str
    schema: str | None = None
    version: str | None = None
    is_cascading: bool = False
    is_quiet: bool = False

    def write(self, *, is_quiet: bool) -> str:
        """The statement, every field quoted."""
        return "".join(
            (
                "CREATE EXTENSION ",
                "IF NOT EXISTS " if is_quiet else "",
                quote_ident(self.name),
                f" SCHEMA {quote_ident(self.schema)}" if self.schema else "",
                f" VERSION {quote_literal(self.version)}" if self.version else "",
                " CASCADE" if self.is_cascading else "",
            )
        )


def read_extension(statement: str) -> Extension | None:
    """The fields of a CREATE EXTENSION statement; None of any other."""
    found = _CREATE.fullmatch(statement)
    if found is None:
        return None
    options = list(_OPTION.finditer(found["options"]))
    values = {
        option["word"].lower(): _plain(option["value"]) for option in options if option["word"]
    }
    return Extension(
        name=_plain(found["name"]),
        schema=values.get("schema"),
        version=values.get("version"),
        is_cascading=any(option["cascade"] for option in options),
        is_quiet=bool(found["quiet"]),
    )


async def admit_extensions(scratch: Scratch, text: str) -> str:
    """What the builder may run in place of ``text``, once the superuser has done its part.

    Raises:
        StatementFailed: the superuser cannot create the extension either.
    """
    if not (scratch.is_superuser and _MENTION.search(text)):
        return text
    changed = []
    for statement in split_script(text):
        if (command := _read_command(statement)) is None:
            continue
        name, theirs, ours = command
        if await _run_for_untrusted(scratch, name, ours):
            changed.append((statement, theirs))
    return replace_statements(text, changed)


def find_missing_extension(message: str) -> str | None:
    """The extension that the server says it does not have."""
    found = _MISSING.search(message)
    return (found["name"] or found["file"]) if found else None


def _read_command(statement: Statement) -> tuple[str, str, str] | None:
    """The extension, what the builder runs after all, and what the superuser runs."""
    if extension := read_extension(statement.text):
        quiet = Extension(name=extension.name).write(is_quiet=True)
        return extension.name, quiet, extension.write(is_quiet=extension.is_quiet)
    if comment := _COMMENT.fullmatch(statement.text):
        name = _plain(comment["name"])
        text = comment["text"]
        said = "NULL" if text.lower() == "null" else quote_literal(_plain(text))
        return name, NOTHING, f"COMMENT ON EXTENSION {quote_ident(name)} IS {said}"
    return None


async def _run_for_untrusted(scratch: Scratch, name: str, statement: str) -> bool:
    async with connect(scratch.admin) as session:
        untrusted = {row[0] for row in await session.fetch_values(_UNTRUSTED)}
        if name not in untrusted:
            return False
        # The owner may have set another path for the database.
        await session.execute("SET search_path = public")
        await session.execute(statement)
    return True


def _plain(token: str) -> str:
    """The text that a quoted or bare token stands for."""
    return token[1:-1].replace("''", "'") if token.startswith("'") else fold_ident(token)

"""What a failure of the network or the server means for us, as one of our errors.

Pure. The codes are those of https://www.postgresql.org/docs/current/errcodes-appendix.html.
The server's words are hostile text, may be in any language and may quote row values:
they are shown where a person chose them (a refused login, a script of their own) and
never where rows were read.
"""

import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from monitor.core.errors import (
    AnchorwatchError,
    Incomparable,
    Interrupted,
    LookError,
    Migrating,
    Refused,
    Rejected,
    StatementFailed,
    TooSlow,
    Unreachable,
    Unsettled,
    WriteError,
)
from monitor.core.quoting import quote_ident
from monitor.sources.dsn import Dsn, SslMode, printable

_LOGIN: Final[Mapping[str, tuple[str, str]]] = {
    "28P01": (
        "{label} refused the password of {user}.",
        "Check user and password in the URL, and percent-encode their special characters.",
    ),
    "28000": (
        "{label} does not let {user} in: {words}.",
        "Check the role, and what pg_hba.conf says about it, this address and TLS.",
    ),
    "3D000": (
        "The server has no such database: {label}.",
        "Check the name after the last / of the URL.",
    ),
    "53300": (
        "{label} has no connection to spare: {words}.",
        "Close idle connections, or raise max_connections or the limit of the role.",
    ),
    "57P03": (
        "{label} takes no connections now: {words}.",
        "Wait until it has started: anchorwatch tries again by itself.",
    ),
}
_OVER: Final = frozenset({"57P01", "57P02", "57P04", "57P05", "25P03", "25P04"})
_VANISHED: Final = frozenset({"42P01", "42703", "42704", "3F000"})
_CONFLICTS: Final = frozenset({"40001", "40P01"})
_NO_OPERATOR: Final = frozenset({"42883", "42725"})
"""None, or several; of functions as well, but `op_error` is where the server says it of these."""
_NO_COLLATION: Final = frozenset({"42P21", "42P22"})
_NOT_ASKED: Final = frozenset({"42501", "57014", "55P03", "53200", "53300", "58030"})
"""Missing rights, a deadline, a lock, no memory, no connection, a disk: nothing that was asked."""
_NOT_TEXT: Final = frozenset({"22021", "22P05"})
_VANISHED_WORDS: Final = re.compile(
    # elog() texts are never translated.
    r"could not (?:open relation|find (?:tuple|attribute|pg_\w+ entry))|cache lookup failed"
)
_DENIED: Final = re.compile(r"permission denied for ([a-z ]+?) (.+)")
_REJECTIONS: Final = frozenset({"23502", "23503", "23505", "23514", "23P01"})
_JUDGES: Final = frozenset(
    {
        *("ExecConstraints", "ReportNotNullViolationError", "ExecEvalConstraintNotNull"),
        *("ExecEvalConstraintCheck", "domain_check_input", "ExecFindPartition"),
        *("ExecPartitionCheckEmitError", "_bt_check_unique", "ri_ReportViolation"),
        *("check_exclusion_or_unique_constraint", "RI_FKey_check"),
    }
)
"""Where the server itself rejects a row: its words name what stands against it, and quote no row.
What a function of somebody's raises with the same code may say anything."""
_HINDRANCES: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("25006", ""): (
        "{label} takes no writes now.",
        "Give the URL of the primary server.",
    ),
    ("54000", ""): (
        "A value is too large for {label} to be kept.",
        "Keep a copy of these rows by other means, and use --strategy delete.",
    ),
    ("55000", "CheckCmdReplicaIdentity"): (
        "{label} publishes a table that is to be changed, and it has no replica identity.",
        "Run: ALTER TABLE ... REPLICA IDENTITY FULL (or give it a primary key).",
    ),
}
"""What stands against a change, by its code and, where that says too little, by the function of
the server that raises it."""
_NO_TLS: Final = "rejected SSL upgrade"  # what asyncpg says; a test tells when it changes
_GRANTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("table", "view", "materialized view", "foreign table"), "SELECT ON"),
    "relation": "SELECT ON",
    "sequence": "SELECT ON SEQUENCE",
    "schema": "USAGE ON SCHEMA",
    "function": "EXECUTE ON FUNCTION",
    "database": "CONNECT ON DATABASE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An error as the server sent it, and who heard it.

    Holds: `words` is one printable line without the password; `source` is the C function
    that raised it, or empty; `position` counts characters of the statement from 1.
    """

    sqlstate: str
    words: str
    label: str
    user: str | None = None
    source: str = ""
    position: int | None = None

    @property
    def role(self) -> str:
        """The role as it stands in a statement."""
        return quote_ident(printable(self.user)) if self.user else "CURRENT_USER"


def explain_network(error: Exception, dsn: Dsn) -> Unreachable:
    """Why there is no connection, told from what the sockets and the driver raised."""
    sentence, next_step = _describe(error, dsn)
    return Unreachable(sentence, next_step=next_step)


def _describe(error: Exception, dsn: Dsn) -> tuple[str, str]:
    place = dsn.label
    words = printable(str(error.args[-1]) if error.args else type(error).__name__).rstrip(".")
    if told := _describe_tls(error, dsn, words):
        return told
    match error:
        case socket.gaierror():
            return (
                f"The host name of {place} does not resolve: {words}.",
                "Check it; private names resolve inside their own network only.",
            )
        case ConnectionRefusedError():
            return f"Nothing listens at {place}.", "Check host and port, and whether it is up."
        case FileNotFoundError() | PermissionError() if dsn.endpoints[0].is_socket:
            return f"There is no socket for us at {place}.", "Check directory, rights and port."
        case FileNotFoundError() | PermissionError() | ValueError() if _needs_files(dsn):
            return (
                f"A certificate file for {place} cannot be read.",
                "Check sslrootcert, sslcert and sslkey; sslrootcert=system needs no file.",
            )
    return f"No connection to {place}: {words}.", "Check host and port, and whether it is up."


def _needs_files(dsn: Dsn) -> bool:
    names_files = any((dsn.sslrootcert, dsn.sslcert, dsn.sslkey))
    return names_files or dsn.sslmode in (SslMode.VERIFY_CA, SslMode.VERIFY_FULL)


def _describe_tls(error: Exception, dsn: Dsn, words: str) -> tuple[str, str] | None:
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"The certificate of {dsn.label} does not verify: {error.verify_message}.",
                "Name its root with sslrootcert, or use sslmode=require.",
            )
        case ssl.SSLError():
            advice = "Check sslmode and the certificate files."
            return f"TLS with {dsn.label} failed: {words}.", advice
        case ConnectionError() if _NO_TLS in words:
            return f"{dsn.label} offers no TLS.", _advise_plain(dsn)
    return None


def _advise_plain(dsn: Dsn) -> str:
    if dsn.is_sslmode_stated:
        return f"Turn TLS on in the server, or ask for less than sslmode={dsn.sslmode}."
    return (
        "TLS is required here unless the URL says otherwise: "
        "add ?sslmode=disable or ?sslmode=prefer to it."
    )


def explain_login(answer: Answer) -> LookError:
    """Why the server did not let us in."""
    if answer.sqlstate == "42501":
        return _explain_refusal(answer)
    sentence, next_step = _LOGIN.get(
        answer.sqlstate,
        (
            "{label} refused the connection ({sqlstate}): {words}.",
            "Look at the log of the server, and of the pooler if there is one.",
        ),
    )
    user = f"role {answer.role}" if answer.user else "this role"
    return Unreachable(
        sentence.format(
            label=answer.label, user=user, words=answer.words, sqlstate=answer.sqlstate
        ),
        next_step=next_step,
    )


def explain_reading(answer: Answer) -> LookError:
    """Why rows could not be read; never holds the server's words, which may quote them."""
    if answer.sqlstate == "42501":
        return _explain_refusal(answer)
    if answer.sqlstate == "57014":
        return TooSlow(
            f'{answer.label} cancelled a statement (deadline "statement").',
            next_step="Look at what keeps the server busy, or raise statement_timeout.",
        )
    if answer.sqlstate == "55P03":
        return Migrating(
            f'{answer.label} has a lock on what was to be read (deadline "lock").',
            next_step="Wait for the migration that holds it: anchorwatch looks again by itself.",
        )
    if answer.sqlstate in _NOT_TEXT:
        return LookError(
            f"{answer.label} holds text that is not UTF-8.",
            next_step="Convert the database from SQL_ASCII to UTF8 with pg_dump.",
        )
    has_no_operator = answer.sqlstate in _NO_OPERATOR and answer.source == "op_error"
    if has_no_operator or answer.sqlstate in _NO_COLLATION:
        return Incomparable(
            f"{answer.label} cannot compare columns of these types ({answer.sqlstate}).",
            next_step="Compare columns whose types have an operator in common.",
        )
    return _explain_interruption(answer) or LookError(
        f"{answer.label} answered a read with error {answer.sqlstate}.",
        next_step="Look at the log of the server for the statement, and report it to anchorwatch.",
    )


def explain_writing(answer: Answer) -> WriteError:
    """Why a change could not be made; the transaction is rolled back.

    Holds the server's words only where these name constraints and quote no row.
    """
    if answer.sqlstate in _REJECTIONS:
        words = answer.words if answer.source in _JUDGES else f"error {answer.sqlstate}"
        return Rejected(
            f"{answer.label} refused the change: {words}. Nothing was changed.",
            next_step="Repair what stands against it first, or choose another strategy.",
        )
    sentence, next_step = _describe_writing(answer)
    return WriteError(f"{sentence} Nothing was changed.", next_step=next_step)


def explain_undone(error: Exception) -> Exception:
    """The same failure, told of a transaction that was rolled back by it."""
    if not isinstance(error, AnchorwatchError):
        return error
    return WriteError(f"{error.message} Nothing was changed.", next_step=error.next_step)


def explain_unsettled(label: str) -> Unsettled:
    """That the connection broke at the commit."""
    return Unsettled(
        f"The connection to {label} broke at the commit: whether it was made is not known.",
        next_step="Look before you try again: `anchorwatch orphans` counts what is left.",
    )


def _describe_writing(answer: Answer) -> tuple[str, str]:
    denied = _DENIED.fullmatch(answer.words)
    match answer.sqlstate:
        case "55P03":
            return (
                f'{answer.label} has a lock on what was to be changed (deadline "lock").',
                "Try again when nobody writes to these tables.",
            )
        case "42501" if denied:
            return (
                f"{answer.label} does not let us use the {denied[1]} {denied[2]}.",
                f"Grant role {answer.role} SELECT, INSERT, UPDATE and DELETE on what is repaired.",
            )
        case "42501" if answer.source != "check_enable_rls":
            return (
                f"{answer.label} did not permit the change.",
                f"Grant role {answer.role} SELECT, INSERT, UPDATE and DELETE on what is repaired.",
            )
    known = _HINDRANCES.get((answer.sqlstate, answer.source)) or _HINDRANCES.get(
        (answer.sqlstate, "")
    )
    if known:
        return known[0].format(label=answer.label), known[1]
    error = explain_reading(answer)
    next_step = error.next_step
    if error.code == LookError.code:
        error = LookError(
            f"{answer.label} answered a change with error {answer.sqlstate}.", next_step=next_step
        )
        next_step = "Look at the log of the server for the statement."
    if isinstance(error, Interrupted):
        next_step = "Try again when the database is back, or less is done in it."
    return error.message, next_step


def explain_asking(answer: Answer, sql: str) -> LookError | StatementFailed:
    """Why a question of somebody's could not be asked, or why the server refused it.

    Only a refused statement is told in the server's words: whoever wrote it needs them.
    """
    could_not_look = answer.sqlstate in _NOT_ASKED or answer.sqlstate in _CONFLICTS
    if could_not_look or is_over(answer.sqlstate):
        return explain_reading(answer)
    return explain_script(answer, sql)


def explain_script(answer: Answer, script: str) -> Interrupted | StatementFailed:
    """Why a statement of somebody's script failed, with the server's own words."""
    if is_over(answer.sqlstate):
        return _explain_end(answer)
    place = "the script"
    if answer.position is not None:
        place = f"line {script.count('\n', 0, answer.position - 1) + 1} of the script"
    return StatementFailed(
        f"PostgreSQL refused a statement ({answer.sqlstate}): {answer.words}.",
        next_step=f"Correct {place}.",
        sqlstate=answer.sqlstate,
        position=answer.position,
    )


def is_over(sqlstate: str) -> bool:
    """Whether the server ended the whole connection with this code."""
    return sqlstate in _OVER or sqlstate.startswith("08")


def _explain_interruption(answer: Answer) -> Interrupted | None:
    if is_over(answer.sqlstate):
        return _explain_end(answer)
    is_gone = answer.sqlstate == "XX000" and _VANISHED_WORDS.search(answer.words)
    if is_gone or answer.sqlstate in _VANISHED:
        return Interrupted(
            f"{answer.label} changed while it was read ({answer.sqlstate}).",
            next_step="Wait for the migration to end: anchorwatch looks again by itself.",
        )
    if answer.sqlstate in _CONFLICTS:
        return Interrupted(
            f"{answer.label} cancelled a read in favour of other work ({answer.sqlstate}).",
            next_step="Wait: anchorwatch looks again by itself.",
        )
    return None


def _explain_end(answer: Answer) -> Interrupted:
    return Interrupted(
        f"{answer.label} ended the connection ({answer.sqlstate}).",
        next_step="Wait until the database is back: anchorwatch looks again by itself.",
    )


def _explain_refusal(answer: Answer) -> Refused:
    if answer.source == "check_enable_rls":
        return Refused(
            f"{answer.label} hides rows from us by row-level security.",
            next_step=f"Run: ALTER ROLE {answer.role} BYPASSRLS;",
        )
    denied = _DENIED.fullmatch(answer.words)
    if denied and denied[1] in _GRANTS:
        kind, name = denied[1], denied[2]
        if kind == "database":  # The one that PostgreSQL quotes, and it does so at login.
            name = name.removeprefix('"').removesuffix('"')
        return Refused(
            f"{answer.label} does not let us use the {kind} {name}.",
            next_step=f"Run: GRANT {_GRANTS[kind]} {quote_ident(name)} TO {answer.role};",
        )
    return Refused(
        f"{answer.label} did not permit a read: {answer.words}.",
        next_step="Run what `anchorwatch grants` prints, as the owner of the database.",
    )

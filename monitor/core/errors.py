"""Every error that anchorwatch raises on purpose, in one tree.

    AnchorwatchError                   exit 2 unless its class says otherwise
     ├── UsageError                    the command or a source was written wrongly
     ├── ConfigurationError            a setting is missing, unknown or contradicts another
     │    └── DsnError                 a database URL that no driver would understand
     ├── DamagedFile                   a snapshot or lock file that cannot be trusted
     ├── LookError                     exit 3: could not look; the state is unknown or unreachable
     │    ├── Unreachable              no connection: host, port, TLS, password
     │    │    └── Untrusted           the certificate of the other side does not verify
     │    ├── Refused                  connected, but a privilege is missing
     │    ├── TooSlow                  a named deadline passed
     │    ├── Migrating                a migration is at work on what was to be read
     │    ├── Incomparable             no operator compares what was to be compared
     │    └── Interrupted              the database went away, or changed under the reader
     ├── BuildError                    exit 3: a source could not be built in a shadow
     │    ├── StatementFailed          the server refused a statement of a script
     │    └── EngineError              no PostgreSQL server could be found or started here
     ├── WriteError                    exit 3: a change was rolled back: nothing was changed
     │    └── Rejected                 a constraint or a key of the database stands against it
     ├── Unsettled                     exit 3: nobody knows whether a change was made
     ├── StoreError                    exit 3: the ledger cannot be read or written
     ├── DeliveryError                 a channel did not take a message
     ├── StepFailed                    exit 1: a step of a smoke test went wrong
     └── Fault                         exit 3: anchorwatch itself broke

A message says what is wrong and ends with the next step; it never holds a
password, a row value or a URL with credentials.
"""

from typing import ClassVar


class AnchorwatchError(Exception):
    """Something anchorwatch can explain.

    Args:
        message: what is wrong, in one sentence, without secrets.
        next_step: what the reader can do about it, in one sentence.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, next_step: str) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}"


class UsageError(AnchorwatchError):
    """The command line or a source was written wrongly."""

    code = "usage"


class ConfigurationError(AnchorwatchError):
    """A setting is missing, unknown or contradicts another one."""

    code = "configuration"


class DsnError(ConfigurationError):
    """A database URL that no driver would understand."""

    code = "dsn"


class DamagedFile(AnchorwatchError):
    """A snapshot or lock file that cannot be trusted."""

    code = "damaged_file"


class LookError(AnchorwatchError):
    """Looking was not possible: never counted as fine, never resolves anything."""

    code = "unknown"
    exit_code = 3


class Unreachable(LookError):
    """No connection could be made."""

    code = "unreachable"


class Untrusted(Unreachable):
    """TLS failed: the certificate of the other side does not verify, or there is none."""

    code = "untrusted"


class Refused(LookError):
    """Connected, but a privilege is missing."""

    code = "refused"


class TooSlow(LookError):
    """A named deadline passed."""

    code = "too_slow"


class Migrating(LookError):
    """A migration is at work: what was to be read is locked, or changes under every read."""

    code = "migrating"


class Incomparable(LookError):
    """No operator compares what was to be compared."""

    code = "not_comparable"


class Interrupted(LookError):
    """The database went away, or changed under the reader."""

    code = "interrupted"


class BuildError(AnchorwatchError):
    """A source could not be built in a shadow."""

    code = "build"
    exit_code = 3


class StatementFailed(BuildError):
    """The server refused a statement of a script.

    Args:
        message: what the server said, in one line.
        next_step: where to correct what.
        sqlstate: the condition, five characters:
            https://www.postgresql.org/docs/current/errcodes-appendix.html
        position: the character of the script that the server points at, counted
            from 1, if it points at one.
    """

    code = "statement"

    def __init__(
        self, message: str, *, next_step: str, sqlstate: str, position: int | None = None
    ) -> None:
        super().__init__(message, next_step=next_step)
        self.sqlstate = sqlstate
        self.position = position


class EngineError(BuildError):
    """No PostgreSQL server could be found or started here."""

    code = "engine"


class WriteError(AnchorwatchError):
    """A change of a database was rolled back as a whole: nothing was changed."""

    code = "write"
    exit_code = 3


class Rejected(WriteError):
    """A constraint or a key of the database stands against a change."""

    code = "rejected"


class Unsettled(AnchorwatchError):
    """The connection broke at the commit: nobody knows whether the change was made."""

    code = "unsettled"
    exit_code = 3


class StoreError(AnchorwatchError):
    """The ledger cannot be read or written."""

    code = "store"
    exit_code = 3


class DeliveryError(AnchorwatchError):
    """A channel did not take a message.

    Args:
        message: what the channel answered, without its secret address.
        next_step: what the reader can do about it.
        permanent: whether trying again is pointless.
        retry_after: seconds that the channel asked us to wait, if it did.
        reason: a bounded word for the metric.
    """

    code = "delivery"

    def __init__(
        self,
        message: str,
        *,
        next_step: str,
        permanent: bool = False,
        retry_after: float | None = None,
        reason: str = "error",
    ) -> None:
        super().__init__(message, next_step=next_step)
        self.permanent = permanent
        self.retry_after = retry_after
        self.reason = reason


class StepFailed(AnchorwatchError):
    """A step of a smoke test went wrong.

    Args:
        message: what is wrong, without any secret of the suite.
        next_step: what the reader can do about it.
        reason: a bounded word, one of `monitor.core.smoke.Reason`.
    """

    code = "smoke"
    exit_code = 1

    def __init__(self, message: str, *, next_step: str, reason: str) -> None:
        super().__init__(message, next_step=next_step)
        self.reason = reason


class Fault(AnchorwatchError):
    """anchorwatch itself broke."""

    code = "fault"
    exit_code = 3

"""What options can be set to; imports nothing, so that --help is quick."""

from enum import StrEnum


class Format(StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"


class SnapshotFormat(StrEnum):
    """The one form of a snapshot."""

    JSON = "json"


class DiffFormat(StrEnum):
    """How a difference is printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    SQL = "sql"


class FailOn(StrEnum):
    """The severity from which a finding makes the command fail."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    NEVER = "never"


class RepairStrategy(StrEnum):
    """What is done about rows without a parent."""

    QUARANTINE = "quarantine"
    NULLIFY = "nullify"
    DELETE = "delete"
    ADOPT = "adopt"

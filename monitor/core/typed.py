"""What people type about what they do: in one line, and no essay."""

from typing import Final

from monitor.core.errors import UsageError

MAX_WORDS: Final = 1000
"""Characters: a reason or a note is a sentence or three, the rest belongs behind a link."""
MAX_NAME: Final = 100


def check_reason(text: str) -> str:
    """The reason in one line.

    Raises:
        UsageError: there is none, or it is an essay.
    """
    reason = check_words(text, "reason")
    if not reason:
        raise UsageError(
            "The reason is empty.", next_step="Write why it is all right; others will ask."
        )
    return reason


def check_words(text: str, what: str) -> str:
    """What was typed as a reason or a note, in one line; it may be nothing.

    Raises:
        UsageError: it is an essay.
    """
    words = write_line(text)
    if len(words) > MAX_WORDS:
        raise UsageError(
            f"The {what} has more than {MAX_WORDS} characters.",
            next_step="Write a sentence, and link to the rest.",
        )
    return words


def write_name(text: str) -> str:
    """Who says it, as far as is known: the beginning of whatever stands there."""
    return write_line(text)[:MAX_NAME]


def write_line(text: str) -> str:
    """Without lines, and without halves of characters, which no ledger takes."""
    return " ".join(text.encode(errors="backslashreplace").decode().split())

"""Every command and option as a page, made from the commands themselves."""

from collections.abc import Iterator
from typing import Any

import typer
import typer.main

EXIT_CODES = (
    ("0", "nothing found"),
    ("1", "findings at or above `--fail-on`; of `diff`, any change"),
    ("2", "usage or configuration"),
    ("3", "could not look"),
    ("130", "ended by Ctrl-C"),
)


def list_commands(app: typer.Typer) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that lead to it, in the order of help."""
    yield from _list_below(typer.main.get_command(app), ("anchorwatch",))


def _list_below(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    below = getattr(command, "commands", {})
    if not below:
        yield words, command
    for name, one in below.items():
        # A hidden one is what the group itself does: `anchorwatch orphans DATABASE`.
        yield from _list_below(one, words if one.hidden else (*words, name))


def render_cli_reference(app: typer.Typer) -> str:
    """The page, in the order of `anchorwatch --help`."""
    commands = list(list_commands(app))
    index = "".join(f"- [`{' '.join(words)}`](#{'-'.join(words)})\n" for words, _ in commands)
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES)
    sections = "".join(_render_command(words, command) for words, command in commands)
    return (
        "# Commands\n\n"
        "<!-- Made from the commands by docs/build.py: change them there. -->\n\n"
        "One document goes to standard output, remarks and progress to standard error. "
        "What `--format json` prints is described in [json.md](json.md).\n\n"
        f"{index}\n| exit code | |\n|---|---|\n{codes}{sections}"
    )


def _render_command(words: tuple[str, ...], command: Any) -> str:
    context = command.context_class(command, info_name=" ".join(words))
    usage = " ".join([*words, *command.collect_usage_pieces(context)])
    text = _lay_out(command.help or "")
    rows = "".join(_list_rows(command, context))
    table = f"\n| | |\n|---|---|\n{rows}" if rows else ""
    return f"\n## {' '.join(words)}\n\n```\n{usage}\n```\n\n{text}\n{table}"


def _lay_out(text: str) -> str:
    """Paragraphs, each on a line."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _list_rows(command: Any, context: Any) -> Iterator[str]:
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None:
            shown, meaning = (" ".join(str(part).split()) for part in record)
            yield f"| `{_escape(shown)}` | {_escape(meaning)} |\n"


def _escape(text: str) -> str:
    """As it stands in a table: GitHub takes a bar for the end of the cell, in code too."""
    return text.replace("|", "\\|")

"""The pages hold: commands and configurations on them are tried, links and sums are right."""

import re
import shlex
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from monitor.cli import make_app
from monitor.config import Settings, load_config

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?:sh|bash)\n(.*?)^```", re.DOTALL | re.MULTILINE)
YAML = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
RUN = re.compile(r"^ *- run: ([^'\n].*)$", re.MULTILINE)
SPAN = re.compile(r"(?<!`)`(anchorwatch [^`\n]+)`(?!`)")
ENDS = {"|", "||", "&&", ";", ">", ">>", "2>", "&"}


def list_command_lines(text: str) -> list[list[str]]:
    """The words behind every `anchorwatch` that a block for a shell runs."""
    found = []
    runs = [line for block in YAML.findall(text) for line in RUN.findall(block)]
    for block in [*BLOCK.findall(text), *runs]:
        for line in block.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
            lexer.whitespace_split = True
            found += [
                words
                for is_end, part in groupby(lexer, key=ENDS.__contains__)
                if not is_end and (words := read_simple_command(list(part))) is not None
            ]
    return found


def read_simple_command(words: list[str]) -> list[str] | None:
    """What follows the command's name; None where another program runs, or no command of ours."""
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    if words[:1] == ["docker"]:  # the image has the same name
        at = [n for n, pair in enumerate(pairwise(words)) if pair == ("anchorwatch",) * 2]
        return words[at[0] + 2 :] if at else None
    if words[:1] == ["uvx"]:
        words = words[words.index("anchorwatch") :]
    return words[1:] if words[:1] == ["anchorwatch"] else None


def find_command(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words lead to, and those behind its name."""
    command: Any = typer.main.get_command(make_app())
    rest = list(words)
    while rest and getattr(command, "commands", None):
        below = command.commands.get(rest[0])
        if below is None:
            break
        command, rest = below, rest[1:]
    return command, rest


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_that_a_page_gives_is_understood(page: Path) -> None:
    for words in list_command_lines(page.read_text("utf-8")):
        command, rest = find_command(words)
        assert command.name != "anchorwatch", f"anchorwatch {' '.join(words)}"
        if getattr(command, "commands", None):
            assert rest, f"{page.name}: anchorwatch {' '.join(words)}"
        else:
            command.make_context(command.name, rest)  # raises where an option is none


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_is_there(page: Path) -> None:
    for span in SPAN.findall(page.read_text("utf-8")):
        words = span.split()[1:]
        if words[0].startswith("-") or not words[0].islower():
            continue
        command, _ = find_command(words)
        assert command.name != "anchorwatch", span
        options = {option for one in command.params for option in one.opts}
        for below in getattr(command, "commands", {}).values():
            options |= {option for one in below.params for option in one.opts}
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", span.split("|")[0]))
        assert named <= options | {"--help"}, span


def test_a_command_line_that_is_none_would_be_seen() -> None:
    text = "```sh\nA=1 anchorwatch check --nope | jq .\nanchorwatch lock build -o \\\n  x\n```\n"
    first, second = list_command_lines(text)
    assert (first, second) == (["check", "--nope"], ["lock", "build", "-o", "x"])
    command, rest = find_command(first)
    with pytest.raises(Exception, match="--nope"):
        command.make_context(command.name, rest)
    assert find_command(second)[0].name == "build"


REFERENCE = re.compile(r"\$\{(\w+)|\benv: (\w+)")
STAND_INS = {
    "DATABASE_URL": "postgresql://u@h/d",
    "SHA": "3f2a1c",
    "SIGNING_KEY": f"whsec_{'A' * 32}",
    "URL": "https://example.com/x",
}
"""What a variable holds whose name ends so; every other one is a long text."""


def stand_in(variable: str) -> str:
    values = (value for end, value in STAND_INS.items() if variable.endswith(end))
    return next(values, "a-text-that-is-long-enough")


def list_documents() -> list[Any]:
    """The blocks of the pages that are configurations, as parameters."""
    found = []
    for page in PAGES:
        for number, block in enumerate(YAML.findall(page.read_text("utf-8"))):
            keys = yaml.safe_load(block)
            if isinstance(keys, dict) and keys.keys() <= Settings.model_fields.keys():
                name = f"{page.relative_to(ROOT)}-{number}"
                found.append(pytest.param(block, id=name))
    return found


@pytest.mark.parametrize("text", list_documents())
def test_every_configuration_on_a_page_can_be_used(text: str, tmp_path: Path) -> None:
    names = [name for pair in REFERENCE.findall(text) for name in pair if name]
    # A page about suites leaves their databases to the rest of the document.
    suites = yaml.safe_load(text).get("smoke", [])
    bases = [
        f"ANCHORWATCH_DATABASES__{one['database']}__URL" for one in suites if "database" in one
    ]
    environ = {name: stand_in(name) for name in names} | dict.fromkeys(bases, "postgresql://u@h/d")
    loaded = load_config(
        environ | {"ANCHORWATCH_CONFIG_YAML": text}, cwd=tmp_path, may_be_empty=True
    )
    # What a page says of one setting of a database leaves its address to the reader.
    missing = [one for one in loaded.problems if "names no address" not in one.message]
    assert missing == []


def test_the_index_leads_to_every_page() -> None:
    docs = ROOT / "docs"
    linked = {
        (docs / target).resolve()
        for target in LINK.findall((docs / "README.md").read_text("utf-8"))
    }
    pages = {path for path in docs.rglob("*.md") if not path.stem.startswith("AW")}
    assert pages - linked == {docs / "README.md"}
    assert "(docs/README.md)" in (ROOT / "README.md").read_text("utf-8")


def test_the_estimate_for_railway_adds_up() -> None:
    page = (ROOT / "docs" / "how-to" / "railway.md").read_text("utf-8")
    products = re.findall(r"([\d.]+) (?:GB|vCPU) \u00d7 \$([\d.]+) (?:\||=) \$(\d+\.\d\d)", page)
    assert len(products) == 8
    for amount, price, product in products:
        assert f"{float(amount) * float(price) + 1e-9:.2f}" == product
    *monthly, disk, _ = (float(product) for _, _, product in products)
    assert f"**${sum(monthly):.2f}**" in page
    agent = monthly[0] + monthly[1] + monthly[-1]
    assert f"fall away: ${agent:.2f}" in page
    assert f"so ${agent + disk:.2f}" in page

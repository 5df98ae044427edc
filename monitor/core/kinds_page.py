"""The reference page of kinds and attributes, written from the table that is compared.

``python -c "from monitor.core.kinds_page import write_page; print(write_page(), end='')"``
makes ``docs/kinds.md``; a test holds the two together.
"""

import json
from collections.abc import Iterator

from monitor.core.diff_renames import RENAMEABLE
from monitor.core.keys import Kind
from monitor.core.kinds import KINDS, Attribute
from monitor.core.rules import CHANGES, choose_rule

_HEAD = """\
# Kinds of objects

What a snapshot knows and a comparison compares, kind by kind. This page is written from
`monitor/core/kinds.py`.

An object is known by its kind, schema, parent and name. An attribute that equals its default
is not stored. Some differences are special:

- *declared*: compared only where the expected source says something about it; owners and
  privileges are an environment's business until somebody declares them.
- *note*: a difference is worth a note and is no drift.
- *remark*: a difference is information, whatever the kind.

Objects of other kinds (base types, collations, text search, languages, subscriptions and
what else `others` lists in a snapshot) are counted, and another number is a note.
"""


def write_page() -> str:
    """The page in Markdown: one table a kind, kinds and attributes by name."""
    return "\n".join([_HEAD, *(_write_kind(kind) for kind in Kind)])


def _write_kind(kind: Kind) -> str:
    codes = ", ".join(
        f"{choose_rule(kind, change, frozenset()).code} ({change})" for change in CHANGES
    )
    lines = [f"## {kind.noun}", "", f"Codes: {codes}.", *_write_rename(kind), ""]
    if not KINDS[kind]:
        return "\n".join([*lines, "No attributes: it is there or it is not.", ""])
    lines += ["| attribute | meaning | default | |", "|---|---|---|---|"]
    lines += [_write_attribute(name, spec) for name, spec in sorted(KINDS[kind].items())]
    return "\n".join([*lines, ""])


def _write_rename(kind: Kind) -> Iterator[str]:
    if kind in RENAMEABLE:
        yield "The same under another name is one change: altered, `name`."


def _write_attribute(name: str, spec: Attribute) -> str:
    default = "" if spec.default is None else f"`{json.dumps(spec.default)}`"
    words = {
        "declared": spec.by_declaration,
        "note": spec.is_note,
        "remark": spec.is_remark,
    }
    special = ", ".join(word for word, holds in words.items() if holds)
    return f"| `{name}` | {spec.meaning} | {default} | {special} |"

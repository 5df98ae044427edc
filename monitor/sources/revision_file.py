"""What one revision file states about itself, read without running it.

Importing a revision, or asking Alembic for the graph, runs the application's code: some
applications then migrate whatever database their environment names. Nearly every file
states its identifiers as literals, so they are read from the syntax tree.
"""

import ast
import re
import warnings
from collections.abc import Mapping
from typing import Final

from monitor.core.errors import BuildError
from monitor.core.history import Revision

_LEGACY_NAME: Final = re.compile(r"([a-f0-9]+)\.py")
"""Alembic takes the id from such a name when the file states none."""

type _Literal = str | tuple[str, ...] | None
_FIELDS: Final = ("revision", "down_revision", "depends_on", "branch_labels")


class _NotLiteral(Exception):
    """The expression is no string, sequence of strings or None."""


def read_revision(content: bytes, *, path: str) -> Revision:
    """The revision that a file states.

    Args:
        content: the bytes of the file, in the encoding it declares.
        path: what to call the file, relative to the history.

    Raises:
        BuildError: it is no Python, or states its identifiers by more than literals;
            names the file and the line.
    """
    expressions = _find_assignments(_parse(content, path))
    bound: dict[str, _Literal] = {}
    for name, expression in expressions.items():
        try:
            bound[name] = _evaluate(expression, bound)
        except _NotLiteral:
            if name in _FIELDS:
                raise BuildError(
                    f"{path}, line {expression.lineno}: {name} is not a literal.",
                    next_step="Write it out: anchorwatch reads histories without running them.",
                ) from None
    return _make_revision(bound, path)


def _parse(content: bytes, path: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes are the user's own business
            return ast.parse(content)
    except SyntaxError as error:
        what, line = error.msg, f", line {error.lineno}" if error.lineno else ""
    except (ValueError, RecursionError, MemoryError) as error:
        what, line = str(error) or type(error).__name__, ""
    raise BuildError(
        f"{path}{line}: this is no Python that can be read ({what}).",
        next_step="Correct the file, or move it out of the versions folder.",
    )


def _find_assignments(module: ast.Module) -> dict[str, ast.expr]:
    """The last value assigned to each name at the top of the module, in that order."""
    found: dict[str, ast.expr] = {}
    for node in module.body:
        match node:
            case ast.Assign(targets=targets, value=value):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                names = [name]
            case _:
                continue
        for name in names:
            found.pop(name, None)
            found[name] = value
    return found


def _evaluate(expression: ast.expr, bound: Mapping[str, _Literal]) -> _Literal:
    match expression:
        case ast.Constant(value=str() | None as value):
            return value
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return tuple(_evaluate_string(part, bound) for part in parts)
        case ast.Name(id=name) if name in bound:
            return bound[name]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _evaluate_string(left, bound) + _evaluate_string(right, bound)
    raise _NotLiteral


def _evaluate_string(expression: ast.expr, bound: Mapping[str, _Literal]) -> str:
    value = _evaluate(expression, bound)
    if isinstance(value, str):
        return value
    raise _NotLiteral


def _make_revision(bound: Mapping[str, _Literal], path: str) -> Revision:
    identifier = bound.get("revision")
    if identifier is None and (legacy := _LEGACY_NAME.fullmatch(path.rpartition("/")[2])):
        identifier = legacy[1]
    if not isinstance(identifier, str) or not identifier:
        raise BuildError(
            f"{path} states no revision.",
            next_step='Give it `revision = "..."`, or move it out of the versions folder.',
        )
    return Revision(
        id=identifier,
        down=_listed(bound.get("down_revision")),
        depends_on=_listed(bound.get("depends_on")),
        branch_labels=_listed(bound.get("branch_labels")),
        path=path,
    )


def _listed(value: _Literal) -> tuple[str, ...]:
    match value:
        case None:
            return ()
        case str():
            return (value,)
        case _:
            return tuple(sorted(value))

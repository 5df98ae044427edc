"""What an HTTP step sends: its names put in, each in the way its place asks for.

In the path and the query of a URL a value is percent-encoded, in JSON it is a value, in a
header it is one line. So no value, wherever it came from, can become another request.
"""

import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote, quote_plus, urlencode

import msgspec

from monitor.core.errors import StepFailed
from monitor.core.smoke import Body, Reason, Request
from monitor.core.template import Json, Scalar, Template, fill, write_scalar

type LookUp = Callable[[str], Scalar]
type Write = Callable[[str], str]

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NO_SEGMENT: Final = ("", ".", "..")
"""What would name another path than the one that is written."""
_TYPES: Final = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
}


class Sent(NamedTuple):
    """A request as it is sent; not for people."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


def build_request(request: Request, names: LookUp) -> Sent:
    """The request with a value for each name.

    Raises:
        StepFailed: a value cannot stand where it is to be put.
    """
    return Sent(
        method=request.method,
        url=_write_url(request.url, lambda name: write_scalar(names(name)), {}),
        headers=dict(_write_headers(request, names)),
        body=None if request.body is None else _write_body(request.body, names),
    )


def write_curl(request: Request, names: LookUp, hidden: Mapping[str, str]) -> str:
    """The command that sends the same, for a shell.

    Args:
        request: the step.
        names: gives the values of the names that may be seen.
        hidden: what stands in the place of all others.
    """

    def show(name: str) -> Scalar:
        return hidden[name] if name in hidden else names(name)

    words = ["curl", "-gsS", *(["--head"] if request.method == "HEAD" else _name(request))]
    words.append(
        shlex.quote(_write_url(request.url, lambda name: write_scalar(show(name)), hidden))
    )
    for name, value in _write_headers(request, show):
        words += ["-H", shlex.quote(f"{name}: {value}")]
    if request.body is not None:
        body = _write_body(request.body, show).decode()
        for placeholder in hidden.values() if request.body.kind == "form" else ():
            body = body.replace(quote_plus(placeholder), placeholder)
        words += ["--data-raw", shlex.quote(body)]
    return " ".join(words)


def _name(request: Request) -> list[str]:
    return ["-X", request.method]


def _write_url(url: Template, write: Write, as_they_are: Collection[str]) -> str:
    """The address with every value quoted but those that only stand for one."""
    written = ""
    for part in url.parts:
        if isinstance(part, str):
            written += part
        elif part.name in as_they_are:
            written += write(part.name)
        else:
            written += _quote(part.name, write(part.name), is_path="?" not in written)
    return written


def _quote(name: str, text: str, *, is_path: bool) -> str:
    if is_path and text in _NO_SEGMENT:
        raise StepFailed(
            f"{{{{ {name} }}}} is empty, . or .., which would make another URL.",
            next_step="Look at where it comes from.",
            reason=Reason.REQUEST,
        )
    return quote(text, safe="")


def _write_headers(request: Request, names: LookUp) -> Iterator[tuple[str, str]]:
    given = {name.lower() for name in request.headers}
    kind = _TYPES.get(request.body.kind) if request.body else None
    if kind is not None and "content-type" not in given:
        yield "Content-Type", kind
    for name, template in request.headers.items():
        yield name, _write_header(name, template, names)


def _write_header(header: str, template: Template, names: LookUp) -> str:
    text = template.render(lambda name: write_scalar(names(name))).strip(" \t")
    if _CONTROL.search(text):
        raise StepFailed(
            f"The header {header} would hold a line break or a control character.",
            next_step="Look at where its values come from.",
            reason=Reason.REQUEST,
        )
    return text


def _write_body(body: Body, names: LookUp) -> bytes:
    content = fill(body.content, names)
    match body.kind:
        case "json":
            return msgspec.json.encode(content)
        case "form":
            return urlencode(_list_fields(content), doseq=True).encode()
    return str(content).encode()


def _list_fields(content: Json) -> list[tuple[str, Any]]:
    """Each with its texts; a list stands for a field that is sent several times."""
    fields = content.items() if isinstance(content, dict) else ()
    return [
        (name, [_write_field(item) for item in (value if isinstance(value, list) else [value])])
        for name, value in fields
    ]


def _write_field(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def list_parameters(args: tuple[Any, ...], names: LookUp) -> list[Json]:
    """The parameters of a SQL step."""
    return [fill(arg, names) for arg in args]

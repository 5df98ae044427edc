"""The settings of one step of a smoke suite."""

from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Final, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitor.config.section import FrozenMap, Section
from monitor.config.smoke_texts import (
    check_args,
    check_captures,
    check_data,
    check_expectation,
    check_form,
    check_headers,
    check_sql,
    check_step_name,
    check_template,
    check_url,
    explain,
    read_data,
    read_path,
    read_template,
    split_expectations,
)
from monitor.config.values import Data, Duration, PositiveDuration, invalid
from monitor.core.expectation import HTTP, Expectation, Head
from monitor.core.expectation_grammar import parse_expectation
from monitor.core.smoke import IDEMPOTENT_METHODS, Body, Query, Request, Retry, SmokeStep
from monitor.core.template import (
    Template,
    list_names,
)

METHODS: Final = ("get", "post", "put", "patch", "delete", "head", "options")
BODIES: Final = ("json", "form", "body", "text")
DEFAULT_EXPECTATION: Final = "status < 400"
"""What an HTTP step expects that says nothing."""

type _Url = Annotated[str, AfterValidator(check_url)] | None
type _Expectations = Annotated[
    tuple[Annotated[str, AfterValidator(check_expectation)], ...],
    BeforeValidator(split_expectations),
]
type _Text = Annotated[str, AfterValidator(check_template)] | None


class RetrySettings(Section):
    """How often a step that failed is tried again."""

    times: Annotated[int, Field(ge=0, le=20)] = Field(
        default=3, description="How often it is tried again."
    )
    wait: Duration = Field(default=timedelta(seconds=1), description="How long after a failure.")
    unsafe: bool = Field(
        default=False,
        description="Whether a POST or a PATCH is tried again too: it may do twice what it does.",
    )


class HttpAddress(NamedTuple):
    """A method and an address."""

    method: str
    url: Template

    def complete(self, base_url: str | None) -> "HttpAddress":
        """The whole address, in front of which the base stands where it is only a path.

        Raises:
            PydanticCustomError: it is only a path, and there is no base.
        """
        first = self.url.parts[0] if self.url.parts else ""
        if not (isinstance(first, str) and first.startswith("/")):
            return self
        if base_url is None:
            raise invalid("has a path and no base_url.", "Add base_url: https://HOST.")
        return HttpAddress(self.method, Template((base_url, *self.url.parts)))


class StepSettings(Section):
    """One step: one request, or one query."""

    name: Annotated[str, AfterValidator(check_step_name)] = Field(
        description="What it does, for people."
    )
    get: _Url = Field(default=None, description="A path to GET, or a whole address.")
    post: _Url = Field(default=None, description="The same, for POST.")
    put: _Url = Field(default=None, description="The same, for PUT.")
    patch: _Url = Field(default=None, description="The same, for PATCH.")
    delete: _Url = Field(default=None, description="The same, for DELETE.")
    head: _Url = Field(default=None, description="The same, for HEAD.")
    options: _Url = Field(default=None, description="The same, for OPTIONS.")
    sql: Annotated[str, AfterValidator(check_sql)] | None = Field(
        default=None,
        description="A statement for the suite's `database`, in a READ ONLY transaction; of its "
        "rows the first 100 are read.",
    )
    args: Annotated[Data, AfterValidator(check_args)] | None = Field(
        default=None, description="What its `$1`, `$2`... stand for."
    )
    headers: Annotated[Data, AfterValidator(check_headers)] | None = Field(
        default=None, description="Headers that are sent, by name."
    )
    json_: Annotated[Data, AfterValidator(check_data)] | None = Field(
        default=None, alias="json", description="What is sent as JSON."
    )
    form: Annotated[Data, AfterValidator(check_form)] | None = Field(
        default=None, description="What is sent as the fields of a form."
    )
    text: _Text = Field(default=None, description="What is sent as plain text.")
    body: _Text = Field(
        default=None, description="What is sent as it is; its type stands in `headers`."
    )
    expect: _Expectations = Field(
        default=(),
        description="What must hold, a line each; without it `status < 400`. "
        "See `docs/how-to/smoke-tests.md`.",
    )
    warn: _Expectations = Field(
        default=(), description="What should hold: the step passes without, with a warning."
    )
    capture: Annotated[FrozenMap[str], AfterValidator(check_captures)] = Field(
        default_factory=lambda: MappingProxyType({}),
        description="Names for later steps, and the path of each value: `{user_id: body.id}`.",
    )
    retry: RetrySettings | None = Field(
        default=None, description="Whether it is tried again after a failure."
    )
    always: bool = Field(
        default=False, description="Whether it runs after a failure too, to clean up."
    )
    timeout: PositiveDuration = Field(
        default=timedelta(seconds=15), description="How long each try may take."
    )

    @model_validator(mode="after")
    def _check_action(self) -> Self:
        actions = [name for name in (*METHODS, "sql") if getattr(self, name) is not None]
        if len(actions) != 1:
            raise invalid("should do one thing.", f"Give one of {', '.join(METHODS)} or sql.")
        if len(self._list_bodies()) > 1:
            raise invalid("sends two bodies.", f"Keep one of {', '.join(BODIES)}.")
        if self.sql is None and self.args is not None:
            raise invalid("has args and no sql.", "Put {{ name }} where the value should go.")
        if self.sql is not None and (self.headers is not None or self._list_bodies()):
            raise invalid("sends a request and asks a database.", "Make two steps of it.")
        return self

    @model_validator(mode="after")
    def _check_paths(self) -> Self:
        paths = [explain(parse_expectation, text).path for text in (*self.expect, *self.warn)]
        paths += map(read_path, self.capture.values())
        for path in paths:
            if self.sql is not None and path.head in HTTP:
                raise invalid(f"has no {path.head}.", "A sql step has rows and time.")
            if self.sql is None and path.head is Head.ROWS:
                raise invalid("has no rows.", "Only a sql step has them; use body.")
        return self

    @property
    def address(self) -> HttpAddress | None:
        """What is asked for by HTTP; None for a query."""
        for method in METHODS:
            url: str | None = getattr(self, method)
            if url is not None:
                return HttpAddress(method.upper(), read_template(url))
        return None

    @property
    def sent_names(self) -> frozenset[str]:
        """The names that it needs before it begins."""
        data = [one for one in (self.headers, self.args) if one is not None]
        filled = [*map(read_data, data), *(body.content for body in self._list_bodies())]
        url = self.address.url.names if self.address else frozenset()
        return url.union(*map(list_names, filled))

    @property
    def judged_names(self) -> frozenset[str]:
        """The names in what it expects; those that it captures itself may be among them."""
        lines = (*self.expect, *self.warn)
        return frozenset().union(*(parse_expectation(line).names for line in lines))

    @property
    def is_retry_ignored(self) -> bool:
        """Whether it should be tried again, and may not."""
        if self.retry is None or not self.retry.times or self.retry.unsafe:
            return False
        return self.address is not None and self.address.method not in IDEMPOTENT_METHODS

    def _list_bodies(self) -> list[Body]:
        given: dict[str, Data | str | None] = {
            "json": self.json_,
            "form": self.form,
            "text": self.text,
            "body": self.body,
        }
        return [
            Body(kind, read_data(value) if isinstance(value, Data) else read_template(value))
            for kind, value in given.items()
            if value is not None
        ]

    def make_step(self, base_url: str | None) -> SmokeStep:
        """The step as a value that can be run."""
        return SmokeStep(
            name=self.name,
            action=self.make_action(base_url),
            expect=self._list_expectations(),
            warn=tuple(map(parse_expectation, self.warn)),
            captures={name: read_path(text) for name, text in self.capture.items()},
            retry=self._make_retry(),
            is_always=self.always,
            timeout_seconds=self.timeout.total_seconds(),
        )

    def make_action(self, base_url: str | None) -> Request | Query:
        """What it does."""
        if self.address is None:
            args = read_data(self.args) if self.args is not None else []
            return Query(self.sql or "", tuple(args) if isinstance(args, list) else ())
        method, url = self.address.complete(base_url)
        headers = read_data(self.headers) if self.headers is not None else {}
        return Request(
            method=method,
            url=url,
            headers={
                name: value if isinstance(value, Template) else Template((str(value),))
                for name, value in (headers.items() if isinstance(headers, dict) else ())
            },
            body=next(iter(self._list_bodies()), None),
        )

    def _list_expectations(self) -> tuple[Expectation, ...]:
        default = () if self.sql is not None else (DEFAULT_EXPECTATION,)
        return tuple(map(parse_expectation, self.expect or default))

    def _make_retry(self) -> Retry:
        if self.retry is None or self.is_retry_ignored:
            return Retry()
        return Retry(times=self.retry.times, wait_seconds=self.retry.wait.total_seconds())

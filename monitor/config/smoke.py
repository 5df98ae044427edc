"""The settings of smoke tests: suites of HTTP and SQL steps, and what each expects.

Everything that can be known before a run is checked here: expectations are read, names are
looked for, addresses are put together once.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from monitor.config.section import FrozenMap, Section
from monitor.config.smoke_steps import HttpAddress, StepSettings
from monitor.config.smoke_texts import read_template
from monitor.config.values import PositiveDuration, check_http_url, invalid
from monitor.core.errors import ConfigurationError
from monitor.core.smoke import BUILT_IN, SAFE_METHODS, SmokeStep, Suite
from monitor.sources.http import read_address

MOST_STEPS: Final = 100
_SUITE: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def _check_name(text: str) -> str:
    if not _SUITE.fullmatch(text):
        raise invalid(
            "cannot be a name.", "Use a to z, 0 to 9, _ and -, at most 40, a letter first."
        )
    return text


def _check_base(text: str) -> str:
    check_http_url(text, may_hold_secrets=False)
    if "{{" in text or "#" in text:
        raise invalid("should hold no {{ name }} and no #.", "Write it like https://HOST.")
    return text.rstrip("/")


def _check_templates(texts: Mapping[str, str]) -> Mapping[str, str]:
    for text in texts.values():
        read_template(text)
    return texts


class SecretSettings(Section):
    """Where a secret of a suite is: in a variable, or in a file."""

    env: str | None = Field(default=None, description="The variable that holds it.")
    file: str | None = Field(default=None, description="The file that holds it.")
    value: SecretStr | None = Field(
        default=None, description="The secret itself, best as `${VAR}`."
    )

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        if self.value is None or not self.value.get_secret_value():
            raise invalid("names no secret.", "Write {env: VARIABLE} or {file: PATH}.")
        if any("\ud800" <= letter <= "\udfff" for letter in self.value.get_secret_value()):
            raise invalid("holds a secret that is no text.", "Write it as UTF-8.")
        return self


class SuiteSettings(Section):
    """One suite: steps that are run in order, each only if those before it passed."""

    suite: Annotated[str, AfterValidator(_check_name)] = Field(
        description="Its name: `anchorwatch smoke run NAME`."
    )
    every: PositiveDuration = Field(
        default=timedelta(minutes=10), description="How long after one run the next one is due."
    )
    after_deploy: bool = Field(
        default=True, description="Whether a deployment of its database asks for a run."
    )
    timeout: PositiveDuration = Field(
        default=timedelta(seconds=60),
        description="How long a run may take; steps with `always` have their own time.",
    )
    base_url: Annotated[str, AfterValidator(_check_base)] | None = Field(
        default=None, description="What the paths of its steps begin with: `https://HOST`."
    )
    database: str | None = Field(
        default=None,
        description="The configured database it belongs to: its `sql` steps ask it, and it is "
        "told with it.",
    )
    failures: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=3, description="Runs in a row that must fail before people are told."
    )
    successes: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=2, description="Runs in a row that must pass before it is over."
    )
    vars: Annotated[FrozenMap[str], AfterValidator(_check_templates)] = Field(
        default_factory=lambda: MappingProxyType({}),
        description="Texts by name, for `{{ name }}`; each may use `{{ run_id }}`, `{{ now }}`, "
        "secrets and those before it.",
    )
    secrets: FrozenMap[SecretSettings] = Field(
        default_factory=lambda: MappingProxyType({}),
        description="Secrets by name, for `{{ name }}`; shown as `***` wherever they turn up.",
    )
    steps: Annotated[tuple[StepSettings, ...], Field(min_length=1, max_length=MOST_STEPS)] = Field(
        description="What is done, in order."
    )

    @model_validator(mode="after")
    def _check_steps(self) -> Self:
        names = [step.name for step in self.steps]
        if len(set(names)) < len(names):
            raise invalid("has two steps of one name.", "Give each a name of its own.")
        if self.database is None and any(step.sql for step in self.steps):
            raise invalid("has a sql step and no database.", "Add database: NAME.")
        for address in self._list_addresses():
            _check_address(address)
        return self

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        own = [*BUILT_IN, *self.vars, *self.secrets]
        captured = {name for step in self.steps for name in step.capture}
        twice = [name for name in own if own.count(name) > 1 or name in captured]
        if twice:
            raise invalid(f"gives the name {twice[0]} twice.", "Rename one of them.")
        known = {*BUILT_IN, *self.secrets}
        for name, text in self.vars.items():
            _require_known(read_template(text).names, known, f"the variable {name}")
            known.add(name)
        for step in self.steps:
            _require_known(step.sent_names, known, f"step {step.name}")
            known.update(step.capture)
            _require_known(step.judged_names, known, f"step {step.name}")
        return self

    def _list_addresses(self) -> Iterator[HttpAddress]:
        for step in self.steps:
            if step.address is not None:
                yield step.address.complete(self.base_url)

    @property
    def notices(self) -> tuple[str, ...]:
        """What is allowed and hardly meant, one sentence each."""
        return tuple(self._list_notices())

    def _list_notices(self) -> Iterator[str]:
        methods = [step.address.method for step in self.steps if step.address is not None]
        is_unsafe = any(method not in SAFE_METHODS for method in methods)
        if is_unsafe and not any(step.always for step in self.steps):
            yield (
                "it changes data, and no step has always: true: what a run that breaks off has "
                "made stays."
            )
        for step in self.steps:
            if step.is_retry_ignored:
                yield (
                    f"step {step.name} is not tried again: what it sends may not be sent twice. "
                    "Add unsafe: true to its retry if it may."
                )

    def make_suite(self) -> Suite:
        """The suite as a value that can be run."""
        return Suite(
            name=self.suite,
            steps=tuple(self._make_steps()),
            timeout_seconds=self.timeout.total_seconds(),
            variables={name: read_template(text) for name, text in self.vars.items()},
            secrets={
                name: secret.value.get_secret_value()
                for name, secret in self.secrets.items()
                if secret.value is not None
            },
            database=self.database,
            every_seconds=self.every.total_seconds(),
            is_run_after_deploy=self.after_deploy,
            failures=self.failures,
            successes=self.successes,
        )

    def _make_steps(self) -> Iterator[SmokeStep]:
        return (step.make_step(self.base_url) for step in self.steps)


def _require_known(names: frozenset[str], known: set[str], where: str) -> None:
    unknown = sorted(names - known)
    if unknown:
        listed = ", ".join(sorted(known))
        raise invalid(
            f"has a name that nothing gives before {where}: {unknown[0]}.",
            f"Add it to vars, secrets or the capture of an earlier step; known are {listed}.",
        )


def _check_address(address: HttpAddress) -> None:
    url = address.url.render(lambda _: "x")
    try:
        read_address(url)
    except ConfigurationError as error:
        method = address.method.lower()
        raise invalid(f"has a {method} that is no address.", error.next_step) from None

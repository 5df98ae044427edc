"""The rules of what is ignored, as they stand in the configuration."""

import re
from datetime import date
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitor.config.section import Section, explain
from monitor.config.values import invalid
from monitor.core.errors import UsageError
from monitor.core.patterns import ANYTHING, parse_pattern
from monitor.core.typed import check_reason
from monitor.core.waivers import IgnoreRule, find_codes, read_day

_DIGEST: Final = re.compile(r"[0-9a-f]{16}")


def _check_code(text: str) -> str:
    code = text.upper()
    if not find_codes(code):
        raise UsageError(
            "No finding that can be ignored has such a code.",
            next_step="docs/rules/README.md lists the codes; AW5 and AW9 ones cannot be ignored.",
        )
    return code


def _check_object(text: str) -> str:
    parse_pattern(text)
    return text


def _check_digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise UsageError(
            "A digest is sixteen of 0 to 9 and a to f.",
            next_step="Take it from `anchorwatch accept DATABASE --export`, or leave it out.",
        )
    return text


def _read_until(value: object) -> object:
    return explain(read_day)(value) if isinstance(value, str) else value


class IgnoreSettings(Section):
    """One rule: what it matches is not told, and counted."""

    code: Annotated[str, AfterValidator(explain(_check_code))] = Field(
        default=ANYTHING, description="The codes that are ignored: `AW225`, or `AW2*`."
    )
    object: Annotated[str, AfterValidator(explain(_check_object))] = Field(
        default=ANYTHING,
        description="The objects of which they are ignored: `table:public.spatial_ref_sys`, "
        "`index:app.*`, `column:*.*.legacy_*`.",
    )
    reason: Annotated[str, AfterValidator(explain(check_reason))] = Field(
        description="Why it is all right; shown wherever something is ignored."
    )
    until: Annotated[date, BeforeValidator(_read_until)] | None = Field(
        default=None, description="The last day on which the rule holds, UTC: `2027-01-31`."
    )
    digest: Annotated[str, AfterValidator(explain(_check_digest))] | None = Field(
        default=None,
        description="Only what has this digest is ignored, as `anchorwatch accept --export` "
        "writes it: what changes further is told.",
    )

    @model_validator(mode="after")
    def _check_breadth(self) -> Self:
        if (self.code, self.object, self.digest) == (ANYTHING, ANYTHING, None):
            raise invalid("would ignore everything.", "Name a code, an object, or both.")
        return self

    def make_rule(self, *, is_shared: bool) -> IgnoreRule:
        """The rule; ``is_shared`` when it holds for every database."""
        return IgnoreRule(
            code=self.code,
            object=self.object,
            reason=self.reason,
            until=self.until,
            digest=self.digest,
            is_shared=is_shared,
        )

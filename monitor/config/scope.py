"""The settings of what is compared: schemas, partitions, and what roles are called elsewhere."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from monitor.config.section import FrozenMap, Section
from monitor.config.values import invalid, lower, split_list
from monitor.core.scope_partitions import Children


def _check_list(items: tuple[str, ...]) -> tuple[str, ...]:
    if not all(item.isprintable() and item for item in items):
        raise invalid("should hold names or patterns.", "Write it like app, tenant_*.")
    return items


type Names = Annotated[tuple[str, ...], BeforeValidator(split_list), AfterValidator(_check_list)]
type RoleNames = FrozenMap[Names]
type _Policy = Annotated[Children, BeforeValidator(lower)]


class SchemaSettings(Section):
    """Which schemas are compared."""

    only: Names = Field(
        default=(),
        description="Schemas that are compared, names or patterns such as `tenant_*`; "
        "without it, all.",
    )
    without: Names = Field(default=(), description="Schemas that are not compared.")
    managed: bool = Field(
        default=False,
        description="Whether what platforms (Supabase, Neon, Heroku) and extensions make "
        "by themselves is compared too. What is expected always is.",
    )


class PartitionSettings(Section):
    """What is done about the partitions of a table."""

    policy: _Policy = Field(
        default=Children.IGNORE_EXTRA,
        description="`strict`: every partition is compared; `ignore_extra`: there may be more "
        "than are expected; `ignore`: they come and go.",
    )
    strict: Names = Field(
        default=(), description="Partitioned tables, as `events` or `app.events_*`, for `strict`."
    )
    ignore_extra: Names = Field(default=(), description="Those for `ignore_extra`.")
    ignore: Names = Field(default=(), description="Those for `ignore`.")

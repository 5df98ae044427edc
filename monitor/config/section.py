"""What the sections of the settings are made of: the model, and checked kinds of text."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    SecretStr,
    SerializerFunctionWrapHandler,
    WrapSerializer,
)

from monitor.config.values import DatabaseUrl, check_http_url, invalid
from monitor.core.errors import DsnError, UsageError
from monitor.sources.dsn import Dsn, parse_dsn


class Section(BaseModel):
    """A frozen group of settings that knows all its keys and never shows a value in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def explain[T](read: Callable[[str], T]) -> Callable[[str], T]:
    """What reads a text, for a validator: what it refuses is said as other flaws are."""

    def validate(text: str) -> T:
        try:
            return read(text)
        except UsageError as error:
            raise invalid(f"cannot be used: {error.message}", error.next_step) from None

    return validate


def read_dsn(text: str, next_step: str | None = None) -> tuple[Dsn, tuple[str, ...]]:
    """As `parse_dsn`, for a validator.

    Raises:
        PydanticCustomError: the text cannot be read.
    """
    try:
        return parse_dsn(text)
    except DsnError as error:
        raise invalid(f"cannot be read: {error.message}", next_step or error.next_step) from None


def _check_secret_url(value: SecretStr) -> SecretStr:
    check_http_url(value.get_secret_value())
    return value


def _check_dsn(value: DatabaseUrl) -> DatabaseUrl:
    read_dsn(value.get_secret_value())
    return value


def _thaw(value: Mapping[str, object], serialize: SerializerFunctionWrapHandler) -> object:
    return serialize(dict(value))


type FrozenMap[T] = Annotated[
    Mapping[str, T], AfterValidator(MappingProxyType), WrapSerializer(_thaw)
]
type SecretUrl = Annotated[SecretStr, AfterValidator(_check_secret_url)]
type CheckedDatabaseUrl = Annotated[DatabaseUrl, AfterValidator(_check_dsn)]

"""What somebody means who names findings as messages, pages and commands show them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from monitor.core.errors import UsageError
from monitor.core.keys import ObjectKey
from monitor.core.patterns import ANYTHING, list_names, parse_pattern
from monitor.core.printing import clean, cut

_LISTED: Final = 5
"""What an error lists at most."""
_LONGEST: Final = 100
"""Characters of a name that an error repeats."""


class Named(Protocol):
    """A finding, or what is kept of one."""

    @property
    def id(self) -> str:
        """Of the finding."""
        ...

    @property
    def code(self) -> str:
        """Of its rule."""
        ...

    @property
    def key(self) -> ObjectKey | None:
        """Its object."""
        ...

    @property
    def title(self) -> str:
        """Its sentence."""
        ...


def select[T: Named](items: Sequence[T], texts: Iterable[str]) -> tuple[T, ...]:
    """Those that are meant, each once, in their own order.

    Args:
        items: what can be meant.
        texts: an id, a code, an object as it is printed (``column public.users.email``),
            or a pattern for objects (``column:public.users.*``).

    Raises:
        UsageError: a text means none of them, or objects that are printed alike.
    """
    meant = {item.id for text in texts for item in _find(items, text)}
    return tuple(item for item in items if item.id in meant)


def _find[T: Named](items: Sequence[T], text: str) -> list[T]:
    found = next(filter(None, _try(items, text)), None)
    if found is None:
        raise _make_unknown(items, text)
    return found


def _try[T: Named](items: Sequence[T], text: str) -> Iterator[list[T]]:
    yield [item for item in items if item.id == text]
    yield [item for item in items if item.code == text.upper()]
    yield _require_one_object([item for item in items if item.key and _is_printed(item.key, text)])
    if ":" in text or text == ANYTHING:
        pattern = parse_pattern(text)
        yield [item for item in items if pattern.matches(item.key)]


def _is_printed(key: ObjectKey, text: str) -> bool:
    return text in (str(key), ".".join(list_names(key)))


def _require_one_object[T: Named](items: list[T]) -> list[T]:
    """A dotted name is no identity: two objects may be printed alike."""
    if len({item.key for item in items}) > 1:
        raise UsageError(
            "Several objects are called so.", next_step=f"Name one by its id: {_list(items)}."
        )
    return items


def _make_unknown(items: Sequence[Named], text: str) -> UsageError:
    shown = cut(text, _LONGEST)
    return UsageError(
        f"Nothing here is called {shown!r}.",
        next_step=f"There are {_list(items)}." if items else "There is nothing here at all.",
    )


def _list(items: Sequence[Named]) -> str:
    shown = items[:_LISTED]
    told = "; ".join(f"{item.id} ({item.code}, {clean(item.title)})" for item in shown)
    more = len(items) - _LISTED
    return f"{told}; and {more} more" if more > 0 else told

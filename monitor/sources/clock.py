"""Runs in the user's interpreter, loaded by the collector: a clock that is ahead.

For Python 3.8 and later, with nothing but the standard library.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import Any


class StandIn(type):
    """Makes a class count as the ``real`` one in whose place it stands; not its subclasses."""

    def __instancecheck__(cls, value: Any) -> bool:
        real = vars(cls).get("real")
        return isinstance(value, real) if real else type.__instancecheck__(cls, value)

    def __subclasscheck__(cls, other: Any) -> bool:
        real = vars(cls).get("real")
        return issubclass(other, real) if real else type.__subclasscheck__(cls, other)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is vars(cls).get("real", cls)

    def __hash__(cls) -> int:
        return type.__hash__(vars(cls).get("real", cls))


def move_clock(seconds: int) -> None:
    """Let code that is loaded from here on believe that it is so many seconds later.

    The classes that stand in for `date` and `datetime` make real objects: drivers choose by
    the type of a value what they send.
    """
    now, local, utc, write = time.time, time.localtime, time.gmtime, time.strftime
    time.time = lambda: now() + seconds
    time.time_ns = lambda: int(time.time() * 10**9)
    time.localtime = lambda *at: local(*at or (time.time(),))
    time.gmtime = lambda *at: utc(*at or (time.time(),))
    time.strftime = lambda form, *at: write(form, *at or (time.localtime(),))
    # mypy calls it assigning to a type, and that is what it is.
    dt.date, dt.datetime = _stand_in(dt.date), _stand_in(dt.datetime)  # type: ignore[misc]


def _stand_in(real: Any) -> Any:
    def new(cls: Any, *args: Any, **named: Any) -> Any:
        return real.__new__(real if cls is later else cls, *args, **named)

    def read(cls: Any, *zone: Any, **named: Any) -> Any:
        return cls.fromtimestamp(time.time(), *zone, **named)

    def read_utc(cls: Any) -> Any:
        return read(cls, dt.timezone.utc).replace(tzinfo=None)  # noqa: UP017  # Python 3.8

    said = {"today": read, "now": read, "utcnow": read_utc}
    own: dict[str, Any] = {n: classmethod(said[n]) for n in said if hasattr(real, n)}
    own.update({"real": real, "__new__": new, "__module__": real.__module__})
    later = StandIn(real.__name__, (real,), own)
    return later

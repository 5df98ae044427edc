"""What tells two databases apart."""

from typing import Any

import msgspec
import pytest

from monitor.core.errors import UsageError
from monitor.remedy.repair.identity import Identity, require_same

ONE = Identity("7", "shop", 5, "2026-01-01", False, {"public.orders": 1})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "other"}, "one is called shop, the other other"),
        ({"system": "8"}, "other system identifiers"),
        ({"oid": 6}, "the oid of one is 5, of the other 6"),
        ({"started": "2026-01-02"}, "one server started at"),
        ({"system": None, "tables": {"public.orders": 2}}, "public.orders is not the same table"),
        ({"system": None, "tables": {}}, "public.orders is not the same table"),
        ({"is_standby": True, "started": "2026-01-02"}, "a standby, which takes no writes"),
    ],
)
def test_what_differs_is_said(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        require_same(ONE, msgspec.structs.replace(ONE, **changes))


def test_of_a_standby_nobody_can_say_whose_primary_is_repaired() -> None:
    """One that was promoted, or a copy of the files, has everything in common but the start."""
    standby = msgspec.structs.replace(ONE, is_standby=True, started="2026-01-02")
    with pytest.raises(UsageError, match="nothing proves that"):
        require_same(standby, ONE)


def test_who_may_not_see_the_servers_identifier_compares_the_rest() -> None:
    require_same(ONE, ONE)
    require_same(msgspec.structs.replace(ONE, system=None), ONE)

"""Which relation is meant, of those that are known."""

import pytest

from monitor.core.errors import UsageError
from monitor.core.relation_choice import choose_relation, narrow
from monitor.core.relation_text import parse_relation

ORDERS = parse_relation("orders.user_id -> users.id", where="id > 1")
TEAMS = parse_relation("users.team -> orders.id")


def test_a_text_means_what_is_configured_with_its_condition() -> None:
    assert choose_relation([ORDERS, TEAMS], "public.orders(user_id) -> public.users(id)") == ORDERS
    assert choose_relation([ORDERS, TEAMS], "(team) -> public.orders(id)") == TEAMS
    assert choose_relation([TEAMS], "orders.id -> users.id").where == ""
    with pytest.raises(UsageError, match="may mean 2 relations"):
        choose_relation(
            [ORDERS, parse_relation("orders.user_id -> users.id")], "orders.user_id -> users.id"
        )
    with pytest.raises(UsageError, match="is called 'nobody'"):
        choose_relation([ORDERS], "nobody")


def test_both_conditions_hold() -> None:
    assert narrow(ORDERS, "a -- b").where == "(id > 1\n) and (a -- b\n)"
    assert narrow(TEAMS, "  ").where == ""
    with pytest.raises(UsageError):
        narrow(ORDERS, "true) or (true")

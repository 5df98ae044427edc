from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from monitor.core.masking import make_masker
from monitor.sinks.store import Store
from monitor.web.auth import COOKIE, Sessions, describe_path
from tests.web.builders import NOW, SECRET, a_view, client_of

OPEN = ["/livez", "/readyz", "/login", "/static/page.css"]
CLOSED = ["/", "/databases/billing", "/incidents", "/api/databases", "/api/openapi.json", "/nope"]
OTHER = "another-long-secret"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def status_of(view: Any, path: str, headers: dict[str, str] | None = None) -> int:
    async with client_of(view) as client:
        return (await client.get(path, headers=headers)).status_code


@pytest.mark.parametrize("path", [*OPEN, *CLOSED, "/metrics"])
async def test_on_loopback_without_a_token_everything_is_open(store: Store, path: str) -> None:
    assert await status_of(a_view(store), path) in (200, 404)


@pytest.mark.parametrize("path", [*CLOSED, "/metrics"])
async def test_beyond_loopback_without_a_token_nothing_is_shown(store: Store, path: str) -> None:
    view = a_view(store, is_loopback=False)
    async with client_of(view) as client:
        answer = await client.get(path)
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert error["code"] == "token_not_configured"
    assert "ANCHORWATCH_API_TOKEN" in error["next"]
    assert "ANCHORWATCH_METRICS_TOKEN" in error["next"]


@pytest.mark.parametrize("token", ["", "None", "null", "Bearer"])
async def test_no_token_is_right_where_none_is_configured(store: Store, token: str) -> None:
    for configured in (None, ""):
        view = a_view(store, is_loopback=False, api_token=configured, metrics_token=configured)
        for path in ("/api/databases", "/metrics"):
            assert await status_of(view, path, bearer(token)) == 401


@pytest.mark.parametrize("is_loopback", [True, False])
@pytest.mark.parametrize("path", OPEN)
async def test_health_login_and_files_need_no_token(
    store: Store, path: str, *, is_loopback: bool
) -> None:
    view = a_view(store, api_token=SECRET, is_loopback=is_loopback)
    assert await status_of(view, path) == 200


@pytest.mark.parametrize("is_loopback", [True, False])
@pytest.mark.parametrize(
    ("api_token", "metrics_token", "sent", "page", "metrics"),
    [
        (SECRET, None, None, 401, 401),
        (SECRET, None, SECRET, 200, 200),
        (SECRET, None, OTHER, 401, 401),
        (SECRET, OTHER, None, 401, 401),
        (SECRET, OTHER, SECRET, 200, 200),
        (SECRET, OTHER, OTHER, 401, 200),
        (None, OTHER, OTHER, None, 200),
        (None, OTHER, None, None, 401),
    ],
)
async def test_each_token_opens_what_it_is_for(  # noqa: PLR0913, PLR0917  # a matrix
    store: Store,
    api_token: str | None,
    metrics_token: str | None,
    sent: str | None,
    page: int | None,
    metrics: int,
    *,
    is_loopback: bool,
) -> None:
    view = a_view(store, api_token=api_token, metrics_token=metrics_token, is_loopback=is_loopback)
    headers = bearer(sent) if sent else None
    expected = page if page is not None else (200 if is_loopback else 401)
    async with client_of(view, headers=headers) as client:
        assert (await client.get("/")).status_code == expected
        assert (await client.get("/api/databases")).status_code == expected
        assert (await client.get("/metrics")).status_code == metrics


async def test_a_refusal_names_the_scheme_and_is_logged_without_the_token(store: Store) -> None:
    async with client_of(a_view(store, api_token=SECRET)) as client:
        with capture_logs() as logs:
            answer = await client.get("/api/databases", headers=bearer(OTHER))
    assert answer.headers["www-authenticate"] == 'Bearer realm="anchorwatch"'
    assert [entry["event"] for entry in logs] == ["a wrong token was sent"]
    assert OTHER not in str(logs)
    assert SECRET not in str(logs)


@pytest.mark.parametrize(
    "header", ["Basic " + SECRET, SECRET, "Bearer", f"Bearer {SECRET}x", "Bearer \xff\xfe"]
)
async def test_what_is_not_the_token_opens_nothing(store: Store, header: str) -> None:
    view = a_view(store, api_token=SECRET)
    async with client_of(view) as client:
        answer = await client.get("/", headers=[(b"Authorization", header.encode("latin-1"))])
    assert answer.status_code == 401


async def test_a_token_may_hold_any_letters(store: Store) -> None:
    view = a_view(store, api_token="schlüssel-🔑")  # noqa: S106  # a test's token
    async with client_of(view) as client:
        headers = [(b"Authorization", "bearer schlüssel-🔑".encode())]
        assert (await client.get("/", headers=headers)).status_code == 200


async def test_a_person_without_the_cookie_gets_the_form(store: Store) -> None:
    async with client_of(a_view(store, api_token=SECRET)) as client:
        answer = await client.get("/databases/billing", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert 'name="token"' in answer.text
    assert 'value="/databases/billing"' in answer.text
    assert "production" not in answer.text


def test_a_cookie_ends_after_its_time_and_with_its_token(store: Store) -> None:
    before = Sessions(view=a_view(store, api_token=SECRET)).begin()
    for changes, holds in (
        ({"api_token": SECRET}, True),
        ({"api_token": OTHER}, False),
        ({"api_token": None}, False),
        ({"api_token": SECRET, "clock": lambda: NOW + timedelta(days=31)}, False),
        ({"api_token": SECRET, "clock": lambda: NOW - timedelta(days=1)}, False),
    ):
        assert Sessions(view=a_view(store, **changes)).holds(before) is holds
    assert SECRET not in before


@pytest.mark.parametrize("cookie", ["", ".", "1.2", "9999999999.", "🔑.🔑", "x" * 5000])
async def test_a_forged_cookie_opens_nothing(store: Store, cookie: str) -> None:
    assert not Sessions(view=a_view(store, api_token=SECRET)).holds(cookie)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://watch.test"}, 303),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://watch.test"}, 403),
    ],
)
async def test_a_form_of_another_site_is_refused(
    store: Store, headers: dict[str, str], status: int
) -> None:
    async with client_of(a_view(store, api_token=SECRET)) as client:
        assert (await client.post("/logout", headers=headers)).status_code == status


LOOKS = ["/api/databases/billing/look", "/databases/billing/look"]


@pytest.mark.parametrize("path", LOOKS)
async def test_only_the_api_token_asks_for_a_look_and_only_from_here(
    store: Store, path: str
) -> None:
    asked: list[str] = []

    def ask(_: str, database: str) -> bool:
        asked.append(database)
        return True

    view = a_view(store, api_token=SECRET, metrics_token=OTHER, ask=ask)
    cookie = {COOKIE: Sessions(view=view).begin()}
    refused = [(401, {}, None), (401, bearer(OTHER), None)]
    foreign = [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
    for status, headers, cookies in [*refused, *((403, one, cookie) for one in foreign)]:
        async with client_of(view, cookies=cookies) as client:
            assert (await client.post(path, headers=headers)).status_code == status
    assert asked == []
    async with client_of(view, cookies=cookie) as client:
        answer = await client.post(path, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code in (202, 303)
    assert asked == ["billing"]


def test_the_view_never_shows_its_tokens(store: Store) -> None:
    shown = repr(a_view(store, api_token=SECRET, metrics_token=OTHER))
    assert SECRET not in shown
    assert OTHER not in shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/api/databases", "/api/databases"),
        ("/hooks/railway/s3cret", "/hooks/railway/***"),
        ("/hooks/railway/s3cret/more", "/hooks/railway/***"),
        ("/hooks//deploy/s3cret", "/hooks/***"),
        ("//hooks/deploy/s3cret", "//hooks/deploy/***"),
        ("/aw/hooks/deploy/s3cret", "/aw/hooks/deploy/***"),
        ("/Hooks/deploy/s3cret", "/Hooks/deploy/***"),
        ("/hook/deploy/s3cret", "/hook/deploy/***"),
        ("/hooks/s3cret", "/hooks/***"),
        ("/hooks/deploy", "/hooks/***"),
        (f"/deploy/{OTHER}", "/deploy/***"),
        (f"/api/deploy/{OTHER}/x", "/api/deploy/***/x"),
        (f"/{OTHER}", "/***"),
        ("/" + "x" * 195 + OTHER, "/" + "x" * 195 + "***"),
        ("/" + "x" * 1000, "/" + "x" * 199),
    ],
)
def test_a_path_is_shown_without_the_secret_of_a_hook(path: str, shown: str) -> None:
    assert describe_path(path, make_masker([OTHER])) == shown


def test_the_cookies_name_is_ours() -> None:
    assert COOKIE.startswith("anchorwatch")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("LOCALHOST.", 200),
        ("watch.localhost", 200),
        ("127.0.0.1:8080", 200),
        ("[::1]:8080", 200),
        ("watch.test", 200),
        ("evil.example:8080", 403),
        ("watch.test.evil.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
    ],
)
async def test_a_site_that_calls_this_machine_its_own_reads_nothing(
    store: Store, host: str, status: int
) -> None:
    """Where no token is needed: DNS rebinding."""
    for path in ("/", "/api/databases", "/metrics"):
        assert await status_of(a_view(store), path, {"Host": host}) == status
    known = a_view(store, api_token=SECRET)
    assert await status_of(known, "/api/databases", {"Host": host, **bearer(SECRET)}) == 200
    assert await status_of(a_view(store), "/livez", {"Host": host}) == 200


@pytest.mark.parametrize(
    ("method", "path", "back"),
    [
        ("GET", "/databases/a?environment=staging", "/databases/a?environment=staging"),
        ("GET", "/?q=a+b&sort=-since", "/?q=a+b&sort=-since"),
        ("POST", "/databases/billing/accept", "/"),
        ("POST", "/silences", "/"),
    ],
)
async def test_who_logs_in_gets_to_what_was_asked_for(
    store: Store, method: str, path: str, back: str
) -> None:
    """All of the address; of a form that came too late there is no page to show."""
    view = a_view(store, api_token=SECRET)
    async with client_of(view, headers={"Accept": "text/html"}) as client:
        form = await client.request(method, path)
        assert f'name="back" value="{back.replace("&", "&amp;")}"' in form.text
        answer = await client.post("/login", data={"token": SECRET, "back": back})
        assert answer.headers["location"] == back
        assert (await client.get(back)).status_code in (200, 404)


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "//["])
async def test_an_origin_that_is_none_is_a_foreign_one(store: Store, origin: str) -> None:
    async with client_of(a_view(store, api_token=SECRET)) as client:
        answer = await client.post("/logout", headers={"Origin": origin})
    assert answer.json()["error"]["code"] == "foreign_origin"


async def test_a_host_that_is_none_is_a_strange_one(store: Store) -> None:
    for host in ("[", "[::1"):
        assert await status_of(a_view(store), "/api/databases", {"Host": host}) == 403


@pytest.mark.parametrize(
    ("site", "again"),
    [("cross-site", "0"), ("same-site", "0"), ("same-origin", None), ("none", None), (None, None)],
)
async def test_who_follows_a_link_in_a_message_is_asked_for_the_cookie_once_more(
    store: Store, site: str | None, again: str | None
) -> None:
    """A browser sends no strict cookie with it; and with what the page asks for itself it does."""
    headers = {"Accept": "text/html"} | ({"Sec-Fetch-Site": site} if site else {})
    async with client_of(a_view(store, api_token=SECRET)) as client:
        answer = await client.get("/databases/billing", headers=headers)
    assert answer.status_code == 401
    assert answer.headers.get("refresh") == again

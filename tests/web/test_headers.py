import pytest

from monitor.sinks.store import Store
from tests.web.builders import a_view, client_of

PATHS = ["/", "/api/databases", "/metrics", "/livez", "/nope", "/login", "/static/page.css"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_carries_the_common_headers(store: Store, path: str) -> None:
    async with client_of(a_view(store)) as client:
        headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    kept = "no-cache" if path.startswith("/static/") else "no-store"
    assert headers["cache-control"] == kept


@pytest.mark.parametrize("path", PATHS)
async def test_head_is_get_without_the_body(store: Store, path: str) -> None:
    async with client_of(a_view(store)) as client:
        got, head = await client.get(path), await client.head(path)
    assert head.status_code == got.status_code
    assert head.headers["content-length"] == got.headers["content-length"]
    assert not head.content

"""The web application: the parts put together."""

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from monitor.web.acceptance_forms import make_acceptance_routes
from monitor.web.api import make_api_routes
from monitor.web.auth import Guard
from monitor.web.headers import Headers
from monitor.web.health import make_health_routes
from monitor.web.hooks import make_hook_routes
from monitor.web.limits import BodyLimit
from monitor.web.login import make_login_routes
from monitor.web.operating_forms import make_operating_routes
from monitor.web.pages import make_page_routes
from monitor.web.problems import install_handlers
from monitor.web.view import View

_PARTS: Final = (
    make_health_routes,
    make_api_routes,
    make_hook_routes,
    make_login_routes,
    make_page_routes,
    make_acceptance_routes,
    make_operating_routes,
)


def make_app(view: View) -> FastAPI:
    """The application that shows ``view``; see ``docs/reference/http.md``.

    No documentation page is served: those load their script from elsewhere.
    """
    app = FastAPI(
        title="anchorwatch",
        version=view.version,
        summary="What the watched databases are, and what is wrong with them.",
        description=(
            "Every document has `format: 1` and only grows. Times are RFC 3339 in UTC, "
            "durations seconds. Every error is `{error: {code, message, next}}`."
        ),
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for make_routes in _PARTS:
        # Included, each would be worked out anew at the first request, which takes as long again.
        app.router.routes += make_routes(view).routes
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")), name="static")
    install_handlers(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(Guard, view=view)
    app.add_middleware(Headers)
    return app

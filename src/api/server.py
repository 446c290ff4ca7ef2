"""The service as an ASGI application: `uvicorn src.api.server:app --http src.api.server:Connection`."""

import asyncio
import functools
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute

from hqg_backtester.version import __version__
from src.api.contracts.dashboard import route as dashboard
from src.api.contracts.older import route as older_contract
from src.api.contracts.older.errors import OlderContractErrors
from src.api.http.access import AccessMiddleware
from src.api.http.auth import Authentication
from src.api.http.connections import OpenStreams, bounded_connection
from src.api.http.draining import DrainMiddleware
from src.api.http.errors import add_error_handlers
from src.api.http.hosts import HostMiddleware
from src.api.http.jwks import KeySet, fetch_document
from src.api.http.middleware import (
    SECURITY_HEADERS,
    BodyLimitMiddleware,
    FaultMiddleware,
    RequestIdMiddleware,
    SecurityHeadersMiddleware,
    TimeLimitMiddleware,
)
from src.api.http.rate_limits import Budget, RateLimits
from src.api.http.same_site import SameSiteMiddleware
from src.api.http.slash_redirect import redirect_slashes
from src.api.http.stopping import stop_event
from src.api.http.telemetry import Telemetry
from src.api.pages import plain_route, studio_texts
from src.api.pages.documentation import add_documentation_pages
from src.api.pages.openapi import INTRODUCTION, LOGIN_DOCUMENTATION, TAGS
from src.api.pages.studio import add_studio
from src.api.routes import artifacts, backtest, data, health, presets, run_events, runs, validation
from src.app.logs import configure_logging
from src.app.services import OpenServices, Services
from src.config.settings import Settings, SettingsInvalid, load_settings

SUMMARY = "Post a strategy, get an honest backtest back."

SENT_HEADERS = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
    "X-Request-ID",
    "X-Requested-With",
]
"""Request headers that another origin's page may send, besides the always allowed ones."""

SHOWN_HEADERS = [
    "Content-Disposition",
    "ETag",
    "Location",
    "Preference-Applied",
    "Retry-After",
    "X-Request-ID",
    "X-Run-Hash",
    "X-Run-Reused",
]
"""Response headers that another origin's page may read, besides the always readable ones."""


def open_real_services(settings: Settings) -> AbstractAsyncContextManager[Services]:
    """The services as configured."""
    # Imported late: importing this module must not take seconds.
    from src.app import opening  # noqa: PLC0415 - see above

    return opening.open_services(settings)


def create_app(settings: Settings, open_services: OpenServices = open_real_services) -> FastAPI:
    """The application; services are opened only when it starts to serve.

    Args:
        settings: every value that an operator can set.
        open_services: opens and closes the services that routes use. Tests pass their own.
    """
    telemetry, login = Telemetry(), authentication(settings)
    app = FastAPI(
        title="HQG Backtester",
        summary=SUMMARY,
        description=INTRODUCTION,
        openapi_tags=TAGS,
        version=__version__,
        # The framework's pages load files from a CDN; src/api/pages/documentation.py has our own.
        docs_url=None,
        redoc_url=None,
        lifespan=lambda _app: _lifespan(settings, open_services, telemetry),
        middleware=_middleware(settings, telemetry, login),
    )
    app.state.telemetry = telemetry
    app.state.sandbox_watch = health.SandboxWatch()
    app.state.open_streams = OpenStreams()
    add_error_handlers(app)
    redirect_slashes(app)
    add_documentation_pages(app)
    app.router.routes.extend(_routes(login.is_on))
    add_studio(app)
    return app


@functools.cache
def _routes(has_login: bool) -> list[BaseRoute]:
    """The routes, shared by all applications of a process: preparing them takes 0.1 s of the first requests."""
    together, documented = APIRouter(), LOGIN_DOCUMENTATION if has_login else []
    for router in (backtest.router, dashboard.router, validation.router, data.router, older_contract.router):
        together.include_router(router, dependencies=documented)
    for router in (runs.router, run_events.router, artifacts.router, presets.router):
        together.include_router(router, prefix="/api/v1", dependencies=documented)
        # The paths of older clients: the same routes, not documented twice.
        together.include_router(router, include_in_schema=False)
    for router in (health.router, plain_route.router, studio_texts.router):
        together.include_router(router)
    return together.routes


@asynccontextmanager
async def _lifespan(
    settings: Settings, open_services: OpenServices, telemetry: Telemetry
) -> AsyncIterator[dict[str, Any]]:
    """The values of `request.state` while the app serves: the services, and an event that says they are stopping."""
    configure_logging(settings.log_level, settings.log_format)
    with stop_event() as stopping:
        async with open_services(settings) as services:
            services.runs.ends.listen(telemetry.queued_run_ended)
            yield {"services": services, "stopping": stopping}


def _middleware(settings: Settings, telemetry: Telemetry, login: Authentication) -> list[Middleware]:
    """The middleware of every request, outermost first."""
    return [
        Middleware(DrainMiddleware),
        Middleware(RequestIdMiddleware, telemetry=telemetry),
        Middleware(SecurityHeadersMiddleware, headers=SECURITY_HEADERS),
        Middleware(HostMiddleware, api_host=settings.api_host, allowed_hosts=settings.allowed_hosts),
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_credentials="*" not in settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=SENT_HEADERS,
            expose_headers=SHOWN_HEADERS,
        ),
        Middleware(OlderContractErrors),
        Middleware(FaultMiddleware),
        Middleware(TimeLimitMiddleware, max_seconds=settings.max_request_time),
        Middleware(SameSiteMiddleware, cors_origins=settings.cors_origins),
        Middleware(
            AccessMiddleware,
            authentication=login,
            metrics_token=settings.metrics_token.get_secret_value(),
            rate_limits=RateLimits(
                reads=Budget(settings.rate_limit_reads_per_minute, settings.rate_limit_reads_per_hour),
                changes=Budget(settings.rate_limit_per_minute, settings.rate_limit_per_hour),
                storage_url=settings.rate_limit_storage_url,
            ),
            trusted_proxies=settings.trusted_proxies,
        ),
        Middleware(BodyLimitMiddleware, max_bytes=settings.max_body_bytes),
    ]


def authentication(settings: Settings) -> Authentication:
    """The authentication as configured; off if the settings name neither keys nor a secret."""
    url = settings.hqg_dash_jwks_url
    return Authentication(
        keys=KeySet(functools.partial(fetch_document, url)) if url else None,
        shared_secret=settings.supabase_jwt_secret.get_secret_value(),
        audience=settings.auth_audience,
        issuer=settings.auth_issuer,
        roles=frozenset(settings.auth_allowed_roles),
    )


def _settings_or_exit() -> Settings:
    try:
        return load_settings()
    except SettingsInvalid as error:
        sys.exit(str(error))


def connection_class(settings: Settings) -> type[asyncio.Protocol]:
    """uvicorn's protocol class, with the configured limits."""
    return bounded_connection(
        max_of_address=settings.max_connections_per_address, trusted_proxies=settings.trusted_proxies
    )


_settings = _settings_or_exit()
app = create_app(_settings)
Connection = connection_class(_settings)

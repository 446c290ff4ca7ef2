"""The service as an ASGI application: `uvicorn src.api.server:app`."""

import sys
from functools import partial

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from src.api.admission import AdmissionMiddleware
from src.api.auth import Authentication
from src.api.documentation import LOGIN_DOCUMENTATION
from src.api.documentation_pages import add_documentation_pages
from src.api.handlers import add_error_handlers
from src.api.jwks import KeySet, fetch_document
from src.api.lifespan import OpenServices, lifespan, open_real_services
from src.api.middleware import (
    SECURITY_HEADERS,
    BodyLimitMiddleware,
    FaultMiddleware,
    RequestIdMiddleware,
    SecurityHeadersMiddleware,
    TimeLimitMiddleware,
)
from src.api.older_contract import OlderContractErrors
from src.api.rate_limits import RateLimits
from src.api.routes import backtest, data, health, older_contract, validation
from src.api.telemetry import Telemetry
from src.config.settings import Settings, SettingsInvalid, load_settings

VERSION = "0.1.0"
SUMMARY = "Post a strategy, get an honest backtest back."


def create_app(settings: Settings, open_services: OpenServices = open_real_services) -> FastAPI:
    """The application; nothing is built or opened before it starts to serve.

    Args:
        settings: every value that an operator can set.
        open_services: builds what routes ask for and closes it again. Tests give their own.
    """
    telemetry, login = Telemetry(), authentication(settings)
    app = FastAPI(
        title="HQG Backtester",
        summary=SUMMARY,
        version=VERSION,
        # Their pages load from elsewhere: src/api/documentation_pages.py has its own.
        docs_url=None,
        redoc_url=None,
        lifespan=lambda _app: lifespan(settings, open_services),
        middleware=_middleware(settings, telemetry, login),
    )
    app.state.telemetry = telemetry
    app.state.sandbox_watch = health.SandboxWatch()
    add_error_handlers(app)
    add_documentation_pages(app)
    documented = LOGIN_DOCUMENTATION if login.is_on else []
    app.include_router(backtest.router, dependencies=documented)
    app.include_router(validation.router, dependencies=documented)
    app.include_router(data.router, dependencies=documented)
    app.include_router(older_contract.router, dependencies=documented)
    app.include_router(health.router)
    return app


def _middleware(settings: Settings, telemetry: Telemetry, login: Authentication) -> list[Middleware]:
    """What every request passes, outermost first."""
    return [
        Middleware(RequestIdMiddleware, telemetry=telemetry),
        Middleware(SecurityHeadersMiddleware, headers=SECURITY_HEADERS),
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_credentials="*" not in settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Prefer", "X-Request-ID"],
            expose_headers=["Retry-After", "X-Request-ID"],
        ),
        Middleware(OlderContractErrors),
        Middleware(FaultMiddleware),
        Middleware(TimeLimitMiddleware, max_seconds=settings.max_request_time),
        Middleware(
            AdmissionMiddleware,
            authentication=login,
            rate_limits=RateLimits(
                per_minute=settings.rate_limit_per_minute,
                per_hour=settings.rate_limit_per_hour,
                storage_url=settings.rate_limit_storage_url,
            ),
            trusted_proxies=settings.trusted_proxies,
        ),
        Middleware(BodyLimitMiddleware, max_bytes=settings.max_body_bytes),
    ]


def authentication(settings: Settings) -> Authentication:
    """How tokens are checked; off where the settings name neither keys nor a secret."""
    url = settings.hqg_dash_jwks_url
    return Authentication(
        keys=KeySet(partial(fetch_document, url)) if url else None,
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


app = create_app(_settings_or_exit())

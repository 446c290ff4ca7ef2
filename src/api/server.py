"""The service as an ASGI application: `uvicorn src.api.server:app`."""

import sys

from fastapi import FastAPI
from starlette.middleware import Middleware

from src.api.handlers import add_error_handlers
from src.api.lifespan import OpenServices, lifespan, open_real_services
from src.api.middleware import BodyLimitMiddleware, RequestIdMiddleware, TimeLimitMiddleware
from src.api.routes import backtest, health
from src.config.settings import Settings, SettingsInvalid, load_settings

VERSION = "0.1.0"
SUMMARY = "Post a strategy, get an honest backtest back."


def create_app(settings: Settings, open_services: OpenServices = open_real_services) -> FastAPI:
    """The application; nothing is built or opened before it starts to serve.

    Args:
        settings: every value that an operator can set.
        open_services: builds what routes ask for and closes it again. Tests give their own.
    """
    app = FastAPI(
        title="HQG Backtester",
        summary=SUMMARY,
        version=VERSION,
        lifespan=lambda _app: lifespan(settings, open_services),
        middleware=[
            Middleware(RequestIdMiddleware),
            Middleware(TimeLimitMiddleware, max_seconds=settings.max_request_time),
            Middleware(BodyLimitMiddleware, max_bytes=settings.max_body_bytes),
        ],
    )
    add_error_handlers(app)
    app.include_router(health.router)
    app.include_router(backtest.router)
    return app


def _settings_or_exit() -> Settings:
    try:
        return load_settings()
    except SettingsInvalid as error:
        sys.exit(str(error))


app = create_app(_settings_or_exit())

"""`python -m src.api`: the service on the address and port from the settings."""

import sys

import uvicorn

from src.app.logs import configure_logging
from src.config.settings import SettingsInvalid, load_settings

GRACE_SECONDS = 5
"""How long running requests may continue after SIGTERM before their runs are stopped."""


def main() -> None:
    """Serve until a signal stops the process."""
    try:
        settings = load_settings()
    except SettingsInvalid as error:
        sys.exit(str(error))
    configure_logging(settings.log_level, settings.log_format)
    uvicorn.run(
        "src.api.server:app",
        http="src.api.server:Connection",
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
        access_log=False,
        server_header=False,
        # uvicorn would trust X-Forwarded-For from this machine; TRUSTED_PROXIES names the proxies to trust.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


if __name__ == "__main__":
    main()

"""`python -m src.api`: the service on the address and port of the settings."""

import sys

import uvicorn

from src.api.logs import configure_logging
from src.config.settings import SettingsInvalid, load_settings

GRACE_SECONDS = 5
"""How long requests under way may go on after SIGTERM before their runs are stopped."""


def main() -> None:
    """Serve until the process is told to stop."""
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
        # uvicorn would believe X-Forwarded-For from this machine: TRUSTED_PROXIES says whom to believe.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


if __name__ == "__main__":
    main()

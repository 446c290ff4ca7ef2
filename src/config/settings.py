"""Every environment variable of the service: its type, unit, bounds and default."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from src.errors import BacktesterError

PROJECT_FOLDER = Path(__file__).resolve().parents[2]

Seconds = Annotated[float, Field(gt=0, le=86_400)]


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Comma-separated words."""


def _is_database_url(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("sqlite:///", "postgresql://")):
        raise PydanticCustomError("database_url", "Must start with sqlite:/// or postgresql://")
    return value


DatabaseUrl = Annotated[SecretStr, AfterValidator(_is_database_url)]
"""May hold a password, so it is never shown."""

Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_split)]
"""Comma-separated addresses or networks (10.0.0.0/8)."""


class SettingsInvalid(BacktesterError):
    """A setting cannot be used, so the service must not start.

    Args:
        problems: one sentence per setting, each naming its environment variable.
    """

    code = "settings_invalid"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The service cannot start. " + " ".join(problems))
        self.problems = problems


class Settings(BaseSettings):
    """The settings of one service. The environment overrides the file `.env` in the working directory."""

    model_config = SettingsConfigDict(
        frozen=True,
        use_attribute_docstrings=True,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
    )

    api_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """Address that `python -m src.api` listens on; 0.0.0.0 is every network interface of this machine."""
    api_port: Annotated[int, Field(ge=1, le=65_535)] = 8005
    """TCP port that `python -m src.api` listens on."""
    allowed_hosts: Words = ()
    """Comma-separated host names the service answers for, besides its address and localhost; * allows every name."""
    max_connections_per_address: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Maximum number of open connections per address; further ones are closed with 503."""
    max_body_bytes: Annotated[int, Field(ge=1_000, le=100_000_000)] = 1_000_000
    """Largest request body, in bytes; a larger one is answered with 413."""
    max_request_time: Seconds = 600.0
    """Maximum time of one request including waiting, in seconds; then 504."""
    max_concurrent_runs: Annotated[int, Field(ge=1, le=1_000)] = 3
    """Maximum number of runs in progress at once, and so of boxes in use."""
    max_queued_runs: Annotated[int, Field(ge=0, le=10_000)] = 16
    """Maximum number of requests waiting for a box; further ones are answered with 503."""
    reading_helpers: Annotated[int, Field(ge=0, le=64)] = 0
    """Number of processes that analyse posted strategies; each takes 30 MB. 0 means one per core, at least two."""
    run_queue_size: Annotated[int, Field(ge=0, le=1_000_000)] = 1_000
    """Maximum number of accepted runs queued in the database, over all owners; further ones are answered with 503."""
    database_url: DatabaseUrl = SecretStr("sqlite:///data/backtester.db")
    """Where runs are stored: sqlite:///path/to/file or postgresql://user:password@host:5432/name."""
    artifact_dir: Path = Path("data/artifacts")
    """Folder for the files of finished runs; processes that share a database must share it too."""
    blob_dir: Path = Path("data/blobs")
    """Folder for the prices of queued runs; processes that share a database should share it too."""
    blob_max_bytes: Annotated[int, Field(ge=1_000_000, le=10**15)] = 2_000_000_000
    """Maximum total size of that folder, in bytes; prices that no unfinished run needs are removed first."""
    dataset_cache_bytes: Annotated[int, Field(ge=0, le=10**12)] = 134_217_728
    """Memory for prices that are ready to be used again, in bytes."""
    run_retention: Annotated[int, Field(ge=1, le=10_000_000)] = 100
    """Number of finished runs kept per owner; older ones are removed."""
    run_retention_bytes: Annotated[int, Field(ge=0, le=10**15)] = 2_000_000_000
    """Maximum total size of the results kept per owner, in bytes as JSON, estimated; the newest run always stays."""
    max_orders_per_run: Annotated[int, Field(ge=1, le=100_000_000)] = 1_500_000
    """Maximum number of orders in one run; a run with more fails."""
    max_result_bytes: Annotated[int, Field(ge=100_000, le=10**12)] = 400_000_000
    """Maximum size of one run's result, in bytes as JSON, estimated; a run with a larger one fails."""
    run_max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """Number of times a run is started if the service dies during it; then it fails."""
    run_lease_seconds: Annotated[float, Field(ge=3, le=3_600)] = 10.0
    """Seconds after which another process takes over a run whose process has stopped responding."""
    rate_limit_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 60
    """Maximum requests other than GET per client per minute, over all API routes; then 429."""
    rate_limit_per_hour: Annotated[int, Field(ge=1, le=10_000_000)] = 600
    """Maximum requests other than GET per client per hour, over all API routes; then 429."""
    rate_limit_reads_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    """Maximum GET requests per client per minute, over all API routes; then 429."""
    rate_limit_reads_per_hour: Annotated[int, Field(ge=1, le=10_000_000)] = 20_000
    """Maximum GET requests per client per hour, over all API routes; then 429."""
    rate_limit_storage_url: Annotated[str, Field(pattern=r"^(memory://|rediss?://.+)$")] = "memory://"
    """Where requests are counted: memory:// (per process) or redis://host:6379 (shared by several processes)."""
    trusted_proxies: Networks = ()
    """Proxies whose X-Forwarded-For is trusted: comma-separated addresses or networks; empty trusts none."""
    cors_origins: Words = ("http://localhost:3000", "http://127.0.0.1:3000", "http://localhost:5173")
    """Comma-separated origins whose pages may call the API with cookies; * allows every origin, without cookies."""
    metrics_token: SecretStr = SecretStr("")
    """Bearer token that /metrics requires; empty requires a login token if login is on."""
    hqg_dash_jwks_url: Annotated[str, Field(pattern=r"^(https?://.+)?$")] = ""
    """Where the dashboard's issuer publishes its keys (JWKS, for RS256 and ES256); setting it turns on login."""
    supabase_jwt_secret: SecretStr = SecretStr("")
    """Shared secret for tokens (HS256, audience "authenticated"); setting it turns on login."""
    auth_audience: str = ""
    """The aud claim required of a token checked by JWKS; empty skips the check."""
    auth_issuer: str = ""
    """The iss claim required of a token; empty skips the check."""
    auth_allowed_roles: Words = ()
    """Comma-separated roles, one of which a token must have; empty admits every valid token."""
    data_provider: Literal["mock", "files", "yahoo"] = "yahoo"
    """Where prices come from: yahoo, files (the folder DATA_DIR) or mock (synthetic, the same on every machine)."""
    data_dir: Path = Path("data")
    """Folder with each symbol's daily bars as <SYMBOL>.parquet or .csv; used when DATA_PROVIDER=files."""
    data_cache_dir: Path = Path("data/cache")
    """Folder that caches Yahoo's answers; created when needed, can be shared by several processes."""
    yahoo_timeout: Seconds = 10.0
    """Timeout of one request to Yahoo, in seconds."""
    yahoo_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """Number of attempts per symbol at Yahoo before giving up."""
    sandbox: Literal["auto", "docker", "bubblewrap"] = "auto"
    """Sandbox for user code: docker, bubblewrap, or auto (Docker if an engine responds, else bubblewrap)."""
    sandbox_image: Annotated[str, Field(min_length=1)] = "hqg-backtester-sandbox"
    """Docker image of the box: a name with an optional tag."""
    sandbox_python: Path = PROJECT_FOLDER / ".venv-sandbox" / "bin" / "python"
    """Path to the interpreter of the virtual environment whose packages a bubblewrap box provides."""
    max_execution_time: Seconds = 300.0
    """Maximum time that user code may run in its box, in seconds."""
    sandbox_memory_mb: Annotated[int, Field(ge=64, le=1_048_576)] = 512
    """Memory of one box, without swap, in MB of 1024 * 1024 bytes."""
    sandbox_cpus: Annotated[float, Field(gt=0, le=1_024)] = 1.0
    """CPU share of one box; 1.0 is one core."""
    sandbox_pids: Annotated[int, Field(ge=8, le=32_768)] = 64
    """Maximum number of processes and threads in one box."""
    sandbox_runtime: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$")] = ""
    """OCI runtime of Docker boxes: "runsc" runs them under gVisor; empty uses the engine's default."""
    sandbox_preload: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.,]*$")] = "numpy"
    """Comma-separated modules that waiting boxes import beforehand if recent strategies import them; empty: none."""
    sandbox_pool_size: Annotated[int, Field(ge=0, le=64)] = 2
    """Number of boxes kept started and waiting; each takes at least 20 MB. 0 starts a box for each run."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Minimum severity logged: DEBUG, INFO, WARNING or ERROR."""
    log_format: Literal["console", "json"] = "console"
    """Log format: console (for people) or json (for machines), one record per line."""
    hqg_profile: bool = False
    """Whether each run logs a profile of its box: its start, first output and end, and the bytes in and out."""

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("data_provider", "sandbox", "log_format", mode="before")
    @classmethod
    def _lower_case(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_data_folder(self) -> Self:
        if self.data_provider == "files" and not self.data_dir.is_dir():
            raise ValueError("DATA_DIR: no such folder; DATA_PROVIDER=files reads prices from it")
        return self


def load_settings() -> Settings:
    """Return the settings of this process.

    Raises:
        SettingsInvalid: a variable cannot be used; the message names each one and the reason.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsInvalid([_sentence(problem) for problem in error.errors()]) from error


def _sentence(problem: Mapping[str, Any]) -> str:
    if not problem["loc"]:
        return str(problem["msg"]).removeprefix("Value error, ") + "."
    variable = str(problem["loc"][0]).upper()
    complaint = f"{variable}: {problem['msg'][0].lower()}{problem['msg'][1:]}"
    is_secret = variable.lower() in _SECRETS
    return f"{complaint}." if is_secret else f"{complaint}, but it is {problem['input']!r}."


_SECRETS = frozenset(name for name, field in Settings.model_fields.items() if field.annotation is SecretStr)
"""Settings whose value must not be repeated in a message."""

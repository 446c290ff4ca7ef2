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
"""Words between commas."""


def _is_database_url(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("sqlite:///", "postgresql://")):
        raise PydanticCustomError("database_url", "It must start with sqlite:/// or postgresql://")
    return value


DatabaseUrl = Annotated[SecretStr, AfterValidator(_is_database_url)]
"""May hold a password, so it is never shown."""

Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_split)]
"""Addresses or networks (10.0.0.0/8) between commas."""


class SettingsInvalid(BacktesterError):
    """A setting cannot be used, so the service must not start.

    Args:
        problems: one sentence a setting, each naming the environment variable.
    """

    code = "settings_invalid"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The service cannot start. " + " ".join(problems))
        self.problems = problems


class Settings(BaseSettings):
    """The settings of one service. The environment comes before the file `.env` in the working directory."""

    model_config = SettingsConfigDict(
        frozen=True,
        use_attribute_docstrings=True,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
    )

    api_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """Address that `python -m src.api` listens on; 0.0.0.0 is every network of this machine."""
    api_port: Annotated[int, Field(ge=1, le=65_535)] = 8005
    """TCP port that `python -m src.api` listens on."""
    allowed_hosts: Words = ()
    """Names between commas that the service is asked for, beside its address and localhost; * allows every name."""
    max_connections_per_address: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Connections that one address may have open at a time, a count; a further one is closed with 503."""
    max_body_bytes: Annotated[int, Field(ge=1_000, le=100_000_000)] = 1_000_000
    """Largest request body, in bytes; a larger one is answered with 413."""
    max_request_time: Seconds = 600.0
    """Longest that one request may take with all its waiting, in seconds; then 504."""
    max_concurrent_runs: Annotated[int, Field(ge=1, le=1_000)] = 3
    """Runs under way at the same time, a count; no more boxes than these work at once."""
    max_queued_runs: Annotated[int, Field(ge=0, le=10_000)] = 16
    """Requests that may wait for a box, a count; a further one is answered with 503."""
    reading_helpers: Annotated[int, Field(ge=0, le=64)] = 0
    """Processes that read posted strategies, a count; each holds 30 MB. 0 is one a core and two at least."""
    run_queue_size: Annotated[int, Field(ge=0, le=1_000_000)] = 1_000
    """Accepted runs that may wait in the database, a count over all owners; a further one is answered with 503."""
    database_url: DatabaseUrl = SecretStr("sqlite:///data/backtester.db")
    """Where runs are kept: sqlite:///path/of/a/file or postgresql://user:password@host:5432/name."""
    artifact_dir: Path = Path("data/artifacts")
    """Folder with the files of finished runs; processes that share a database share it too."""
    run_retention: Annotated[int, Field(ge=1, le=10_000_000)] = 100
    """Finished runs that are kept of each owner, a count; older ones are removed."""
    run_retention_bytes: Annotated[int, Field(ge=0, le=10**15)] = 2_000_000_000
    """Answers that are kept of each owner together, in bytes before compression; the newest run stays in any case."""
    max_orders_per_run: Annotated[int, Field(ge=1, le=100_000_000)] = 1_500_000
    """Orders that one run may have, a count; a run with more fails."""
    max_result_bytes: Annotated[int, Field(ge=100_000, le=10**12)] = 400_000_000
    """Largest answer of one run, in bytes before compression; a run with a larger one fails."""
    run_max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """How often a run is started when the service dies under it, a count; then it fails."""
    run_lease_seconds: Annotated[float, Field(ge=3, le=3_600)] = 10.0
    """How long a run whose process has gone silent is left alone before another takes it over, in seconds."""
    rate_limit_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 60
    """Requests other than reading that one client may make in a minute, over all routes of the API; then 429."""
    rate_limit_per_hour: Annotated[int, Field(ge=1, le=10_000_000)] = 600
    """Requests other than reading that one client may make in an hour, over all routes of the API; then 429."""
    rate_limit_reads_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    """Reading requests (GET) that one client may make in a minute, over all routes of the API; then 429."""
    rate_limit_reads_per_hour: Annotated[int, Field(ge=1, le=10_000_000)] = 20_000
    """Reading requests (GET) that one client may make in an hour, over all routes of the API; then 429."""
    rate_limit_storage_url: Annotated[str, Field(pattern=r"^(memory://|rediss?://.+)$")] = "memory://"
    """Where requests are counted: memory:// (this process) or redis://host:6379 (shared by several)."""
    trusted_proxies: Networks = ()
    """Proxies whose X-Forwarded-For is believed: addresses or networks between commas; empty believes nobody."""
    cors_origins: Words = ("http://localhost:3000", "http://127.0.0.1:3000", "http://localhost:5173")
    """Origins between commas whose pages may call the API, with cookies; * is every origin, then without cookies."""
    metrics_token: SecretStr = SecretStr("")
    """What /metrics then asks for, as a bearer token; empty asks for a token of log-in, where that is on."""
    hqg_dash_jwks_url: Annotated[str, Field(pattern=r"^(https?://.+)?$")] = ""
    """Where the dashboard's issuer publishes its keys (JWKS, for RS256 and ES256); set, it switches log-in on."""
    supabase_jwt_secret: SecretStr = SecretStr("")
    """Shared secret of tokens (HS256, audience "authenticated"); set, it switches log-in on."""
    auth_audience: str = ""
    """The aud that a token checked by JWKS must have; empty does not ask."""
    auth_issuer: str = ""
    """The iss that a token must have; empty does not ask."""
    auth_allowed_roles: Words = ()
    """Roles between commas of which a token must have one; empty lets every valid token in."""
    data_provider: Literal["mock", "files", "yahoo"] = "yahoo"
    """Where prices come from: yahoo, files (the folder DATA_DIR) or mock (made up, the same on every machine)."""
    data_dir: Path = Path("data")
    """Folder with each symbol's daily bars as <SYMBOL>.parquet or .csv; read when DATA_PROVIDER=files."""
    data_cache_dir: Path = Path("data/cache")
    """Folder in which Yahoo's answers are kept; made when it is needed, several processes may share it."""
    yahoo_timeout: Seconds = 10.0
    """Longest that one answer of Yahoo may take, in seconds."""
    yahoo_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """How often Yahoo is asked for a symbol before giving up, a count."""
    sandbox: Literal["auto", "docker", "bubblewrap"] = "auto"
    """What contains user code: docker, bubblewrap, or auto (Docker if an engine answers, else bubblewrap)."""
    sandbox_image: Annotated[str, Field(min_length=1)] = "hqg-backtester-sandbox"
    """Docker image of the box, a name with an optional tag."""
    sandbox_python: Path = PROJECT_FOLDER / ".venv-sandbox" / "bin" / "python"
    """Interpreter of the virtual environment whose packages a bubblewrap box offers, a path."""
    max_execution_time: Seconds = 300.0
    """Longest that user code may run in its box, in seconds."""
    sandbox_memory_mb: Annotated[int, Field(ge=64, le=1_048_576)] = 512
    """Memory of one box without any swap, in MB of 1024 * 1024 bytes."""
    sandbox_cpus: Annotated[float, Field(gt=0, le=1_024)] = 1.0
    """Processor time of one box, 1.0 is one core."""
    sandbox_pids: Annotated[int, Field(ge=8, le=32_768)] = 64
    """Processes and threads in one box, a count."""
    sandbox_runtime: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$")] = ""
    """OCI runtime of Docker boxes: "runsc" runs them under gVisor; empty takes the engine's own default."""
    sandbox_preload: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.,]*$")] = "numpy"
    """Modules that waiting boxes have imported, separated by commas; each import costs every box its time."""
    sandbox_pool_size: Annotated[int, Field(ge=0, le=64)] = 2
    """Boxes kept started and waiting, a count; each holds 40 MB and more. 0 starts every box for its run."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severity that is logged: DEBUG, INFO, WARNING or ERROR."""
    log_format: Literal["console", "json"] = "console"
    """How log lines are written: console (for people) or json (for machines), one a line."""
    hqg_profile: bool = False
    """Whether each run logs a profile of its box: when it started, spoke and ended, and how many bytes it took."""

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("data_provider", "sandbox", "log_format", mode="before")
    @classmethod
    def _in_small_letters(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _has_its_data_folder(self) -> Self:
        if self.data_provider == "files" and not self.data_dir.is_dir():
            raise ValueError("DATA_DIR: no such folder, and DATA_PROVIDER=files reads prices from it")
        return self


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        SettingsInvalid: names each environment variable that cannot be used, and why.
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

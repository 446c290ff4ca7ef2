import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from src.config.settings import PROJECT_FOLDER, Settings, SettingsInvalid, load_settings

EXAMPLE = PROJECT_FOLDER / ".env.example"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment without our variables and a working folder without .env."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def documented() -> dict[str, str]:
    lines = EXAMPLE.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_example_file_names_every_setting_and_no_other():
    assert list(documented()) == [name.upper() for name in Settings.model_fields]


def test_the_example_file_holds_the_defaults(clean_environment):
    (clean_environment / ".env").write_text(EXAMPLE.read_text())
    from_example = load_settings()
    (clean_environment / ".env").unlink()
    assert from_example == load_settings()


def test_the_example_file_and_the_code_describe_each_setting_alike():
    text = " ".join(line.removeprefix("# ") for line in EXAMPLE.read_text().splitlines())
    missing = [name for name, field in Settings.model_fields.items() if (field.description or "?") not in text]
    assert missing == []


def test_the_defaults_are_those_of_the_design():
    settings = load_settings()
    assert (settings.api_host, settings.api_port) == ("127.0.0.1", 8005)
    assert (settings.max_execution_time, settings.max_request_time) == (300, 600)
    assert (settings.max_concurrent_runs, settings.max_queued_runs) == (3, 16)
    assert (settings.data_provider, settings.sandbox) == ("yahoo", "auto")
    assert settings.sandbox_python == PROJECT_FOLDER / ".venv-sandbox/bin/python"


def test_the_environment_overrides_the_file(monkeypatch, clean_environment):
    (clean_environment / ".env").write_text("API_PORT=9001\nMAX_QUEUED_RUNS=5\nUNRELATED=1\n")
    monkeypatch.setenv("API_PORT", "9002")
    assert (load_settings().api_port, load_settings().max_queued_runs) == (9002, 5)


def test_an_empty_variable_means_the_default(monkeypatch):
    monkeypatch.setenv("API_PORT", "")
    assert load_settings().api_port == 8005


def test_choices_are_case_insensitive(monkeypatch):
    monkeypatch.setenv("SANDBOX", "Docker")
    monkeypatch.setenv("LOG_LEVEL", "debug")
    assert (load_settings().sandbox, load_settings().log_level) == ("docker", "DEBUG")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_PORT", "0"),
        ("API_PORT", "65536"),
        ("API_PORT", "http"),
        ("DATA_PROVIDER", "bloomberg"),
        ("YAHOO_TIMEOUT", "0"),
        ("YAHOO_ATTEMPTS", "0"),
        ("YAHOO_ATTEMPTS", "11"),
        ("SANDBOX", "none"),
        ("MAX_EXECUTION_TIME", "0"),
        ("MAX_EXECUTION_TIME", "-5"),
        ("MAX_REQUEST_TIME", "nan"),
        ("MAX_REQUEST_TIME", "inf"),
        ("MAX_CONCURRENT_RUNS", "0"),
        ("MAX_CONCURRENT_RUNS", "2.5"),
        ("MAX_QUEUED_RUNS", "-1"),
        ("MAX_BODY_BYTES", "0"),
        ("SANDBOX_MEMORY_MB", "1"),
        ("SANDBOX_CPUS", "0"),
        ("SANDBOX_PIDS", "0"),
        ("LOG_LEVEL", "LOUD"),
        ("TRUSTED_PROXIES", "proxy.example"),
        ("HQG_DASH_JWKS_URL", "file:///etc/passwd"),
        ("RATE_LIMIT_PER_HOUR", "0"),
        ("RATE_LIMIT_STORAGE_URL", "mongodb://x"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_bad_value_is_refused_in_a_sentence_that_names_the_variable(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid, match=rf"cannot start\. {name}: .+ but it is '{value}'\."):
        load_settings()


def test_all_bad_values_are_named_at_once(monkeypatch):
    monkeypatch.setenv("API_PORT", "0")
    monkeypatch.setenv("SANDBOX", "none")
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["API_PORT", "SANDBOX"]


def test_price_files_need_a_folder(monkeypatch, clean_environment):
    monkeypatch.setenv("DATA_PROVIDER", "files")
    with pytest.raises(SettingsInvalid, match="DATA_DIR: no such folder"):
        load_settings()
    monkeypatch.setenv("DATA_DIR", os.fspath(clean_environment))
    assert load_settings().data_dir == clean_environment


def test_yahoo_needs_no_folder_beforehand(monkeypatch):
    monkeypatch.setenv("DATA_PROVIDER", "Yahoo")
    settings = load_settings()
    assert (settings.data_provider, settings.data_cache_dir.as_posix()) == ("yahoo", "data/cache")
    assert (settings.yahoo_timeout, settings.yahoo_attempts) == (10, 3)


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().api_port = 1


def test_lists_are_written_with_commas_and_a_secret_is_not_shown(monkeypatch):
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example, https://b.example")
    monkeypatch.setenv("TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8,::1")
    monkeypatch.setenv("AUTH_ALLOWED_ROLES", "admin")
    monkeypatch.setenv("SUPABASE_JWT_SECRET", "hidden")
    settings = load_settings()
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert [str(network) for network in settings.trusted_proxies] == ["127.0.0.1/32", "10.0.0.0/8", "::1/128"]
    assert settings.auth_allowed_roles == ("admin",)
    assert "hidden" not in repr(settings)


def test_a_refused_database_address_is_not_repeated_in_the_message(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "mysql://anna:hunter2@db/runs")
    with pytest.raises(SettingsInvalid, match=r"DATABASE_URL: must start with sqlite:/// or postgresql://\.") as told:
        load_settings()
    assert "hunter2" not in str(told.value)

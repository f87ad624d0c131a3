"""The environment is read once, strictly, and secrets may come from files."""

from pathlib import Path

import pytest

from infrastructure.settings import (
    BadSettings,
    Environment,
    Settings,
    load_settings,
    variable,
)


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.__annotations__:
        for name in (variable(field), f"{variable(field)}_FILE"):
            monkeypatch.delenv(name, raising=False)


def test_without_any_variable_the_defaults_run() -> None:
    assert load_settings() == Settings(data=Path.cwd() / ".tradesense")


def test_every_name_of_the_contract_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "TS_ENV": "test",
        "PORT": "5001",
        "HOST": "::1",
        "SEED": "7",
        "FEED": "none",
        "TS_DATA": "/srv/data",
        "DATABASE_URL": "postgresql://ts_owner:s@db/tradesense",
        "REDIS_URL": "redis://cache/0",
        "TS_BROWSER": "/usr/bin/chromium",
        "TS_RATE": "on",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.env is Environment.TEST
    assert (settings.port, settings.host, settings.seed) == (5001, "::1", 7)
    assert settings.data == Path("/srv/data")
    assert settings.browser == "/usr/bin/chromium"
    assert settings.database_url == "postgresql://ts_owner:s@db/tradesense"


def test_a_secret_may_lie_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    monkeypatch.setenv("TS_APP_PASSWORD_FILE", str(secret))
    assert load_settings().role_passwords == {"ts_app": "s3cret"}
    assert "s3cret" not in repr(load_settings())


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "abc", "PORT cannot be 'abc'"),
        ("TS_ENV", "prod", "TS_ENV cannot be 'prod'"),
        ("TS_RATE", "0", "TS_RATE cannot be '0'"),
        ("TS_APP_PASSWORD_FILE", "/no/such/file", "TS_APP_PASSWORD_FILE: No such file"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=said):
        load_settings()


def test_limits_are_off_in_development_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TS_RATE", "off")
    assert load_settings().env is Environment.DEV
    monkeypatch.setenv("TS_ENV", "production")
    with pytest.raises(BadSettings, match="TS_RATE"):
        load_settings()


def test_a_secret_and_its_file_together_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://one")
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path))
    with pytest.raises(BadSettings, match="not both"):
        load_settings()

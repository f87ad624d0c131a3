"""What the environment may say about a run, read once; every default runs."""

import os
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import typed_settings as ts
from typed_settings.types import (
    LoadedSettings,
    LoaderMeta,
    OptionInfo,
    OptionList,
    SettingsClass,
    SettingsDict,
)


class Environment(StrEnum):
    DEV = "dev"
    TEST = "test"
    PRODUCTION = "production"


class Switch(StrEnum):
    ON = "on"
    OFF = "off"


@ts.settings(frozen=True, kw_only=True)
class Settings:
    """`DATABASE_URL` is the owner's; the other roles have passwords of their own."""

    env: Environment = Environment.DEV
    host: str = "127.0.0.1"
    port: int = 5000
    seed: int = 1
    feed: str = "live"  # see infrastructure/feeds/chosen.py
    feed_url: str | None = None  # instead of the service's own address
    alpaca_key: ts.SecretStr | None = ts.option(default=None)
    alpaca_secret: ts.SecretStr | None = ts.option(default=None)
    data: Path = Path(".tradesense")
    browser: str | None = None
    rate: Switch = Switch.ON
    database_url: ts.SecretStr | None = ts.option(default=None)
    redis_url: ts.SecretStr | None = ts.option(default=None)
    admin_database_url: ts.SecretStr | None = ts.option(default=None)
    app_password: ts.SecretStr | None = ts.option(default=None)
    projector_password: ts.SecretStr | None = ts.option(default=None)
    analyst_password: ts.SecretStr | None = ts.option(default=None)
    auditor_password: ts.SecretStr | None = ts.option(default=None)

    @property
    def role_passwords(self) -> Mapping[str, str]:
        """By database role; only those that were given."""
        given = {
            "ts_app": self.app_password,
            "ts_projector": self.projector_password,
            "ts_analyst": self.analyst_password,
            "ts_auditor": self.auditor_password,
        }
        return {role: password for role, password in given.items() if password}


class BadSettings(Exception):
    """The environment asks for something that this program refuses to run with."""


PLAIN = frozenset(
    {"host", "port", "seed", "feed"}
    | {"database_url", "redis_url", "admin_database_url"}
)


def variable(option: str) -> str:
    """Prefix our own: `data` is `TS_DATA`; what everybody knows (`PORT`) has none."""
    return option.upper() if option in PLAIN else f"TS_{option.upper()}"


class Variables(ts.EnvLoader):
    def get_envvar(self, option: OptionInfo) -> str:
        return variable(option.path)


class SecretFiles:
    """`DATABASE_URL_FILE=/run/secrets/url` stands for the content of that file."""

    def __call__(
        self,
        settings_cls: SettingsClass,  # noqa: ARG002 - the loaders' protocol
        options: OptionList,
    ) -> LoadedSettings:
        values: SettingsDict = {}
        for option in options:
            name = variable(option.path)
            if (file := os.environ.get(f"{name}_FILE")) is None:
                continue
            if name in os.environ:
                raise BadSettings(f"Set {name} or {name}_FILE, not both.")
            try:
                values[option.path] = Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise BadSettings(f"{name}_FILE: {error.strerror}: {file}") from error
        return LoadedSettings(values, LoaderMeta(self))


def _named(error: Exception) -> str:
    """Say it with the variable's name, which is what somebody can change."""
    return re.sub(
        r"Could not convert value (.*) for option '(\w+)' from loader \w+: \w+\(.*",
        lambda found: f"{variable(found[2])} cannot be {found[1]}.",
        str(error),
    )


def load_settings() -> Settings:
    try:
        settings = ts.load_settings(
            Settings, loaders=[SecretFiles(), Variables(prefix="")]
        )
    except ts.exceptions.InvalidSettingsError as errors:
        raise BadSettings("\n".join(map(_named, errors.exceptions))) from errors
    if settings.rate is Switch.OFF and settings.env is not Environment.DEV:
        raise BadSettings("TS_RATE=off is for TS_ENV=dev only.")
    return settings

"""Who comes to the database: five roles, each with its own password."""

import secrets
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

DATABASE = "tradesense"
ROLES = Path(__file__).with_name("roles.sql")


class Role(StrEnum):
    OWNER = "ts_owner"
    APP = "ts_app"
    PROJECTOR = "ts_projector"
    ANALYST = "ts_analyst"
    AUDITOR = "ts_auditor"


def new_password() -> str:
    return secrets.token_hex(24)


def role_statements(passwords: Mapping[Role, str]) -> tuple[str, ...]:
    """Make the roles, or find them; then set their passwords. For a superuser."""
    assert all(password.isalnum() for password in passwords.values()), "hexadecimal"
    return (
        ROLES.read_text(encoding="utf-8"),
        *(f"ALTER ROLE {role} PASSWORD '{passwords[role]}'" for role in passwords),
    )


def database_statements() -> tuple[str, ...]:
    return (
        f"CREATE DATABASE {DATABASE} OWNER {Role.OWNER}",
        f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {DATABASE} TO {', '.join(Role)}",
        "REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE postgres TO {Role.OWNER}",
    )

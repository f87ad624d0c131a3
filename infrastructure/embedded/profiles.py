"""How the bundled Postgres is set: to keep its data, or to throw it away."""

from collections.abc import Mapping

import msgspec


class Profile(msgspec.Struct, frozen=True):
    settings: Mapping[str, str]
    owner_creates_databases: bool = False


ALWAYS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %u@%d ",
    "jit": "off",  # our statements are short: compiling them costs more than it saves
    "max_connections": "100",
}

RUN = Profile(
    settings=ALWAYS
    | {
        "shared_buffers": "256MB",
        "min_wal_size": "1GB",  # recycled segments: a commit never waits for a new file
        "max_wal_size": "4GB",
        "wal_compression": "on",
        "shared_preload_libraries": "pg_stat_statements",
    }
)


def throw_away(*, fsync: bool = True) -> Profile:
    """Be small, for tests; the owner may create databases."""
    switch = "on" if fsync else "off"
    return Profile(
        settings=ALWAYS
        | {
            "shared_buffers": "64MB",
            "min_wal_size": "80MB",
            "max_wal_size": "512MB",
            "fsync": switch,
            "synchronous_commit": switch,
            "full_page_writes": switch,
            "autovacuum_naptime": "1h",  # test databases live for seconds
        },
        owner_creates_databases=True,
    )

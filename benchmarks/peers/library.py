"""The `eventsourcing` library's settings for a database of ours."""

from psycopg.conninfo import conninfo_to_dict

from benchmarks.lab import Database
from infrastructure.roles import Role

MOST_CACHED = 10_000  # more than there are accounts: nothing is ever evicted


def environment(database: Database, connections: int) -> dict[str, str]:
    dsn = conninfo_to_dict(database.dsn(Role.OWNER))
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(dsn["dbname"]),
        "POSTGRES_HOST": str(dsn["host"]),
        "POSTGRES_PORT": "5432",
        "POSTGRES_USER": str(dsn["user"]),
        "POSTGRES_PASSWORD": str(dsn["password"]),
        "POSTGRES_POOL_SIZE": str(connections),
        "AGGREGATE_CACHE_MAXSIZE": str(MOST_CACHED),
        "AGGREGATE_CACHE_FASTFORWARD": "y",
    }

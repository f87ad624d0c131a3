"""A Postgres cluster is born whole: roles, passwords and an empty database."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from infrastructure.embedded.places import Places
from infrastructure.embedded.server_user import ServersUnavailable, ServerUser
from infrastructure.roles import (
    Role,
    database_statements,
    new_password,
    role_statements,
)

SUPERUSER = "ts_bootstrap"  # its password is thrown away: nobody logs in as it


def ensure_cluster(
    places: Places, user: ServerUser, binaries: Path, *, owner_creates_databases: bool
) -> None:
    """Only while no server runs on it. A lost password is replaced by a new one."""
    cluster = places.servers / "postgres"
    kept = read_passwords(places)
    if cluster.is_dir() and len(kept) == len(Role):
        _refuse_other_release(cluster, user, binaries)
        return
    passwords = {role: kept.get(role) or new_password() for role in Role}
    half = places.servers / "postgres.new" if not cluster.is_dir() else cluster
    if half != cluster:
        shutil.rmtree(
            half, ignore_errors=True
        )  # of a start that died before it was done
        _initialise(half, user, binaries)
    roles = role_statements(passwords)
    if owner_creates_databases:
        roles = (*roles, f"ALTER ROLE {Role.OWNER} CREATEDB")
    _alone(half, "template1", roles, user, binaries)  # what all inherit
    if half != cluster:
        _alone(half, "postgres", database_statements(), user, binaries)
    _write_passwords(places, passwords)
    half.rename(cluster)


def read_passwords(places: Places) -> dict[Role, str]:
    found = {role: places.secrets / role for role in Role}
    return {role: file.read_text() for role, file in found.items() if file.is_file()}


def _initialise(cluster: Path, user: ServerUser, binaries: Path) -> None:
    password = cluster.with_name("superuser-password")
    password.touch(mode=0o600)
    password.write_text(new_password())
    user.owns(password)
    login = ("-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={password}")
    text = ("--no-locale", "--encoding=UTF8", "--data-checksums")
    try:
        done = user.run((binaries / "initdb", "-D", cluster, *login, *text))
    finally:
        password.unlink()
    if done.returncode != 0:
        raise ServersUnavailable(f"initdb failed: {done.stderr.strip()}")


def _alone(
    cluster: Path,
    database: str,
    statements: Iterable[str],
    user: ServerUser,
    binaries: Path,
) -> None:
    """In single-user mode: no socket, no login, nobody else."""
    settings = ("-c", "exit_on_error=on", "-c", "log_checkpoints=off")
    done = user.run(
        (binaries / "postgres", "--single", "-j", "-D", cluster, *settings, database),
        stdin="".join(f"{statement};\n\n" for statement in statements),
    )
    if done.returncode != 0:
        raise ServersUnavailable(f"Setting up the cluster failed: {done.stderr}")


def _write_passwords(places: Places, passwords: Mapping[Role, str]) -> None:
    for role, password in passwords.items():
        file = places.secrets / role
        half = file.with_suffix(".new")
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(password)
        half.rename(file)


def _refuse_other_release(cluster: Path, user: ServerUser, binaries: Path) -> None:
    made_by = (cluster / "PG_VERSION").read_text().strip()
    here = user.run([binaries / "postgres", "--version"]).stdout.split()
    if made_by not in {word.partition(".")[0] for word in here}:
        raise ServersUnavailable(
            f"{cluster} was made by Postgres {made_by}; here is {' '.join(here)}. "
            f"Bring back that release, or start anew with `make clean`."
        )

"""The command `tradesense`; a subcommand's file is read only when it is called for."""

import importlib

import click

COMMANDS = {
    "api": "api.cli.api:serve_api",
    "db": "api.cli.db:db",
    "demo": "api.cli.demo:demo",
    "doctor": "api.cli.doctor:doctor",
    "init": "api.cli.init:init",
    "project": "api.cli.project:project",
    "reset": "api.cli.reset:reset",
    "up": "api.cli.up:up",
}


class Lazily(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.command(cls=Lazily)
@click.version_option(package_name="tradesense")
def main() -> None:
    """The event-sourced core of a proprietary-trading firm."""


if __name__ == "__main__":
    main()

"""The command `tradesense`; a subcommand's file is read only when it is called for."""

import importlib

import click

COMMANDS = {
    "adjudicate": (
        "api.cli.adjudicate:adjudicate_file",
        "Judge the rule cases of a file.",
    ),
    "api": ("api.cli.api:serve_api", "Serve the API until a signal."),
    "audit": ("api.cli.audit:audit", "Judge the whole log again and compare."),
    "db": ("api.cli.db:db", "Look after the database: url, up, down, status, new."),
    "demo": ("api.cli.demo:demo", "Let demo traders trade through the API."),
    "doctor": ("api.cli.doctor:doctor", "Check servers, port, browser, versions."),
    "init": ("api.cli.init:init", "Make the roles and the schema."),
    "parked": (
        "api.cli.parked:parked",
        "Decide about what failed: list, retry, skip.",
    ),
    "plan": ("api.cli.plan:plan", "Lint, compare and explain plans as data."),
    "project": ("api.cli.project:project", "Keep the projections up to date."),
    "projections": (
        "api.cli.projections:projections",
        "Look after the tables: status, rebuild, digest.",
    ),
    "reset": ("api.cli.reset:reset", "Throw away all data of development."),
    "seed": ("api.cli.seed:seed", "Add the dev logins, and accounts if wanted."),
    "symbols": (
        "api.cli.symbols:symbols",
        "Look after what a venue lists: list, add, change, release.",
    ),
    "tail": ("api.cli.tail:tail", "Show what is recorded, while it is recorded."),
    "ticks": (
        "api.cli.ticks:ticks",
        "Archive days of ticks as Parquet, and check archives.",
    ),
    "up": ("api.cli.up:up", "Run the whole product here until Ctrl-C."),
}


class Lazily(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List them from the table, so that asking for help reads no file."""
        with formatter.section("Commands"):
            rows = [(name, COMMANDS[name][1]) for name in self.list_commands(ctx)]
            formatter.write_dl(rows)


@click.command(cls=Lazily)
@click.version_option(package_name="tradesense")
def main() -> None:
    """The event-sourced core of a proprietary-trading firm."""


if __name__ == "__main__":
    main()

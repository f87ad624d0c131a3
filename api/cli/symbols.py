"""`tradesense symbols`: what a venue lists, as what, and whose price it believes."""

from typing import Any

import click
import msgspec

from api.cli.admin import Admin, as_admin, asked_as

VENUE = click.option("--venue", default="live", show_default=True, help="Its id.")
REASON = click.option(
    "--reason", required=True, help="Kept for ever: name no person in it."
)
FROM = click.option("--from", "effective_from", help="2026-12-01T00:00:00Z; else now.")


class Said(click.ParamType[tuple[str, Any]]):
    """`leverage=50`; what is no text is written as JSON."""

    name = "NAME=VALUE"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        name, equals, said = value.partition("=")
        if not (name and equals):
            self.fail("say NAME=VALUE, such as leverage=50", param, ctx)
        try:
            return name, msgspec.json.decode(said)
        except msgspec.DecodeError:
            return name, said


SAID = click.argument("said", nargs=-1, type=Said())


@click.group()
def symbols() -> None:
    """Look after what a venue lists."""


@symbols.command("list")
@VENUE
@as_admin
def list_symbols(
    *,
    venue: str,
    admin: Admin,
    as_json: bool,
) -> None:
    """Show every symbol with its last quote, its session and its status."""
    path = f"/api/v1/market-data/symbols?venue_id={venue}"
    page = asked_as(admin, path, None, "GET")
    if as_json:
        click.echo(msgspec.json.encode(page))
        return
    for each in page["items"]:
        price = f"{each['bid'] or '-'}/{each['ask'] or '-'}"
        click.echo(
            f"{each['symbol']:<12} {price:<24} {each['session']:<7}"
            f" {each['status']:<12} specification {each['specification']}"
        )


@symbols.command()
@click.argument("symbol")
@REASON
@VENUE
@as_admin
def release(
    symbol: str,
    *,
    reason: str,
    venue: str,
    admin: Admin,
    as_json: bool,
) -> None:
    """Believe a symbol in quarantine again, from its next quote on."""
    path = f"/api/v1/admin/venues/{venue}/symbols/{symbol}/release"
    told = asked_as(admin, path, {"reason": reason})
    if as_json:
        click.echo(msgspec.json.encode(told))
    else:
        click.echo(f"{symbol}: its next quote is believed ({told['position']}).")


@symbols.command()
@click.argument("symbol")
@SAID
@REASON
@FROM
@VENUE
@as_admin
def change(
    symbol: str,
    said: tuple[tuple[str, Any], ...],
    *,
    reason: str,
    effective_from: str | None,
    venue: str,
    admin: Admin,
    as_json: bool,
) -> None:
    """Give a symbol another specification, such as `leverage=50 rights=close_only`."""
    path = f"/api/v1/admin/venues/{venue}/symbols/{symbol}"
    body = specification(said, reason, effective_from)
    specified(asked_as(admin, path, body), as_json=as_json)


@symbols.command()
@click.argument("symbol")
@SAID
@REASON
@FROM
@VENUE
@as_admin
def add(
    symbol: str,
    said: tuple[tuple[str, Any], ...],
    *,
    reason: str,
    effective_from: str | None,
    venue: str,
    admin: Admin,
    as_json: bool,
) -> None:
    """List a symbol more; what is not said is as for the standard one."""
    path = f"/api/v1/admin/venues/{venue}/symbols"
    body = {"symbol": symbol, **specification(said, reason, effective_from)}
    specified(asked_as(admin, path, body), as_json=as_json)


def specification(
    said: tuple[tuple[str, Any], ...], reason: str, effective_from: str | None
) -> dict[str, Any]:
    body = {**dict(said), "reason": reason}
    return body | ({"effective_from": effective_from} if effective_from else {})


def specified(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(told))
        return
    version = told["instrument"]["version"]
    since = told["effective_from"]
    click.echo(
        f"{told['symbol']}: specification {version} from {since} ({told['position']})."
    )

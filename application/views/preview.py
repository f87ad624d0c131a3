"""What an order would cost and leave, as whoever thinks about it sees it."""

from decimal import Decimal

from msgspec import Struct

from application.views.account import limit_view
from domain.account.commands import PlaceOrder
from domain.account.previewing import preview
from domain.account.state import Account
from domain.account.trading import trading
from domain.values.market import Moment


class DistanceView(Struct, frozen=True, kw_only=True):
    rule: str
    distance: Decimal  # below zero: it would be crossed


class PreviewView(Struct, frozen=True, kw_only=True):
    price: Decimal  # at which it would be filled
    margin: Decimal
    commission: Decimal
    equity_after: Decimal
    free_margin_after: Decimal
    distances: tuple[DistanceView, ...]
    equity_at_stop: Decimal | None  # with a stop loss, like the two below
    distances_at_stop: tuple[DistanceView, ...] | None
    largest_quantity: Decimal | None  # that no limit ends at that stop


def preview_view(account: Account, command: PlaceOrder, moment: Moment) -> PreviewView:
    seen = preview(command, trading(account), moment)
    limits, at_stop = account.phase.limits, seen.at_stop
    held = account.margin + seen.margin
    views = None
    if at_stop is not None:
        views = tuple(
            DistanceView(rule=each.id, distance=limit_view(each, at_stop).distance)
            for each in limits
        )
    return PreviewView(
        price=seen.price,
        margin=seen.margin.amount,
        commission=seen.commission.amount,
        equity_after=seen.after.equity.amount,
        free_margin_after=(seen.after.equity - held).amount,
        distances=tuple(
            DistanceView(rule=each.id, distance=limit_view(each, seen.after).distance)
            for each in limits
        ),
        equity_at_stop=at_stop.equity.amount if at_stop is not None else None,
        distances_at_stop=views,
        largest_quantity=seen.largest,
    )

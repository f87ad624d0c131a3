"""All doors of the trading core, under one prefix."""

from litestar import Router

from api.trading.accounts import account_events, accounts, one_account
from api.trading.adjudications import judge_history
from api.trading.breaches import breaches, one_breach
from api.trading.challenges import buy_challenge, challenges, one_challenge
from api.trading.curves import curve
from api.trading.feed import feed
from api.trading.flows import hold_payout, post_flow, release_payout
from api.trading.leaderboard import leaderboard
from api.trading.market_data import candles, one_symbol, symbols, ticks
from api.trading.observations import observe
from api.trading.orders import (
    cancel_order,
    change_order,
    one_order,
    orders,
    place_order,
    preview_order,
)
from api.trading.overview import overview
from api.trading.parked import parked, retry_parked, skip_parked
from api.trading.plans import (
    activate_plan,
    draft_plan,
    draft_version,
    one_plan,
    plan_versions,
    plans,
)
from api.trading.protections import (
    close_everything,
    close_trade_by,
    protect_trade,
)
from api.trading.reviews import annul, confirm, dismiss
from api.trading.sandbox import advance_clock, open_account, open_venue, take_quotes
from api.trading.specifying import change_symbol, list_symbol, release_symbol
from api.trading.trades import close_trade, one_trade, open_trade, trades

HANDLERS = {
    "plans": (
        plans,
        one_plan,
        plan_versions,
        draft_plan,
        draft_version,
        activate_plan,
    ),
    "challenges": (buy_challenge, challenges, one_challenge),
    "accounts": (accounts, one_account, account_events, overview, curve),
    "trades": (
        open_trade,
        protect_trade,
        close_trade,
        close_trade_by,
        close_everything,
        trades,
        one_trade,
    ),
    "orders": (
        place_order,
        preview_order,
        change_order,
        cancel_order,
        orders,
        one_order,
    ),
    "breaches": (breaches, one_breach),
    "leaderboard": (leaderboard, feed),
    "adjudication": (judge_history,),
    "market data": (symbols, one_symbol, candles, ticks),
    "admin": (
        parked,
        retry_parked,
        skip_parked,
        list_symbol,
        change_symbol,
        release_symbol,
        post_flow,
        hold_payout,
        release_payout,
        annul,
        confirm,
        dismiss,
    ),
    "sandbox": (open_venue, take_quotes, advance_clock, open_account),
    "bridge": (observe,),
}


def trading_router() -> Router:
    return Router(
        "/api/v1",
        route_handlers=[
            Router("/", route_handlers=handlers, tags=[tag])
            for tag, handlers in HANDLERS.items()
        ],
    )

"""All doors of the trading core, under one prefix."""

from litestar import Router

from api.trading.accounts import one_account
from api.trading.challenges import buy_challenge, one_challenge
from api.trading.market_data import one_symbol, symbols
from api.trading.plans import one_plan, plans
from api.trading.sandbox import advance_clock, open_account, open_venue, take_quotes
from api.trading.trades import close_trade, open_trade

HANDLERS = {
    "plans": (plans, one_plan),
    "challenges": (buy_challenge, one_challenge),
    "accounts": (one_account,),
    "trades": (open_trade, close_trade),
    "market data": (symbols, one_symbol),
    "sandbox": (open_venue, take_quotes, advance_clock, open_account),
}


def trading_router() -> Router:
    return Router(
        "/api/v1",
        route_handlers=[
            Router("/", route_handlers=handlers, tags=[tag])
            for tag, handlers in HANDLERS.items()
        ],
    )

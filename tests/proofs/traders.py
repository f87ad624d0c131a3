"""Scripted traders: they send each command until it is decided, and forget no answer.

They talk to the public doors only. What is unknown, because the line went or nobody
could answer, is asked again under the same key, as the contract tells clients to do.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from httpx import AsyncClient, HTTPError, Response
from msgspec import Struct

from api.conventions import command_id

PASSWORD: Final = "correct horse battery"
RETRY_SECONDS: Final = 0.02  # and twice as long each time, as polite clients do
LONGEST_RETRY_SECONDS: Final = 0.16
PATIENCE_SECONDS: Final = 40.0
UNKNOWN: Final = frozenset({503})
DECIDED: Final = frozenset({200, 201, 409})
STARTS_AT: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
SIZES: Final = ("0.10", "0.30", "0.50")
OVER: Final = frozenset({"account-breached", "account-closed", "account-frozen"})
GONE: Final = frozenset({"trade-not-open", "account-paused"})
LISTINGS: Final = tuple(
    {"symbol": symbol, "leverage": 100, "sessions": "always"}
    for symbol in ("EURUSD", "GBPUSD", "USDJPY")
)
LEVELS: Final = {"EURUSD": (110_000, 5), "GBPUSD": (127_000, 5), "USDJPY": (150_000, 3)}


def rule(name: str, kind: str, amount: tuple[str, str], **rest: object) -> Any:
    return {"id": name, "kind": kind, "amount": list(amount), **rest}


MIXES: Final = (
    (
        rule("daily", "daily", ("pct_initial", "2"), anchor="trail_equity"),
        rule("max", "max", ("abs", "400"), mode="trail", hwm_on="equity", cmp="le"),
    ),
    (
        rule("max", "max", ("pct_anchor", "5"), mode="trail", hwm_on="max", lock="0"),
        {"id": "target", "kind": "target", "pct": "3", "basis": "closed"},
    ),
    (
        rule("pause", "daily", ("pct_initial", "1"), anchor="equity", effect="pause"),
        rule("max", "max", ("pct_initial", "6"), mode="trail", hwm_on="eod_max"),
    ),
    (
        rule("daily", "daily", ("pct_anchor", "3"), anchor="max", measured="min"),
        rule("max", "max", ("pct_initial", "5"), mode="static"),
    ),
)


class Sent(Struct, frozen=True, kw_only=True):
    """A command and the answer that somebody holds in hand."""

    trader: "Trader"
    path: str
    key: str
    body: Mapping[str, object]
    status: int
    answer: bytes
    position: str | None

    @property
    def command_id(self) -> UUID:
        path = f"/api/v1{self.path}"
        return command_id(self.trader.trader_id, "POST", path, self.key)

    @property
    def is_success(self) -> bool:
        return self.status != 409

    def read(self) -> Any:
        return msgspec.json.decode(self.answer)


class Strange(AssertionError):
    """An answer that no client should ever get."""


class Trader:
    def __init__(
        self,
        number: int,
        seed: int,
        url: Callable[[], str],
        heard: Callable[[Sent], None],
        patience_seconds: float = 15,
    ) -> None:
        self.chance = Random(seed * 1_000 + number)  # noqa: S311 - chance to be repeated
        self.trader_id = ""
        self.sent: list[Sent] = []
        self._number = number
        self._url = url
        self._heard = heard
        self._http = AsyncClient(timeout=patience_seconds)
        self._email = f"{uuid4().hex[:12]}@example.com"
        self.headers: dict[str, str] = {}
        self.is_asking = False  # a command is on its way, or its answer is
        self._now = STARTS_AT
        self._prices = {symbol: level for symbol, (level, _) in LEVELS.items()}
        self.venue = ""
        self.accounts: dict[str, tuple[str, ...]] = {}  # and what they may trade
        self._trades: dict[str, str] = {}  # and whose account holds them
        self._opened = 0

    async def close(self) -> None:
        await self._http.aclose()

    async def enter(self) -> None:
        """Register and begin: a venue of one's own, and an account on the live one."""
        person = {"email": self._email, "password": PASSWORD}
        await self._until_decided(
            lambda: self._ask("POST", "/auth/register", json=person), {202}
        )
        await self._log_in()
        opened = await self.send(
            "/sandbox/venues",
            {"starts_at": self._now.isoformat(), "instruments": LISTINGS},
        )
        self.venue = opened.read()["venue_id"]
        await self._quote(tuple(LEVELS))
        await self._open_account()
        await self._buy_challenge()

    async def step(self) -> None:
        """Do one thing that a trader does."""
        chance = self.chance.random()
        if chance < 0.45 or not self.accounts:
            await self._quote(tuple(self.chance.choices(tuple(LEVELS), k=2)))
        elif chance < 0.75 or not self._trades:
            await self._open_trade()
        elif chance < 0.93:
            await self._close_trade()
        elif chance < 0.96:
            await self._advance()
        else:
            await self._open_account()

    async def again(self, sent: Sent) -> Response:
        """Send the very same command once more."""
        headers = {"Idempotency-Key": sent.key}
        return await self._until_decided(
            lambda: self._ask("POST", sent.path, json=sent.body, headers=headers),
            DECIDED,
        )

    async def get(self, path: str, **parameters: Any) -> Response:
        return await self._until_decided(
            lambda: self._ask("GET", path, params=parameters), {200}
        )

    async def send(self, path: str, body: Mapping[str, object]) -> Sent:
        """Send until it is decided, under one key; remember the answer."""
        key = str(UUID(int=self.chance.getrandbits(128)))
        headers = {"Idempotency-Key": key}
        answer = await self._until_decided(
            lambda: self._ask("POST", path, json=body, headers=headers), DECIDED
        )
        sent = Sent(
            trader=self,
            path=path,
            key=key,
            body=body,
            status=answer.status_code,
            answer=answer.content,
            position=answer.headers.get("X-Position"),
        )
        self.sent.append(sent)
        self._heard(sent)
        return sent

    async def _log_in(self) -> None:
        person = {"email": self._email, "password": PASSWORD}
        answer = await self._until_decided(
            lambda: self._ask("POST", "/auth/login", json=person), {200}
        )
        tokens = answer.json()
        self.trader_id = tokens["trader_id"]
        self.headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    async def _ask(self, method: str, path: str, **rest: Any) -> Response:
        headers = self.headers | rest.pop("headers", {})
        self.is_asking = method == "POST"
        try:
            return await self._http.request(
                method, f"{self._url()}/api/v1{path}", headers=headers, **rest
            )
        finally:
            self.is_asking = False

    async def _until_decided(
        self, ask: Callable[[], Any], decided: frozenset[int] | set[int]
    ) -> Response:
        deadline, pause = monotonic() + PATIENCE_SECONDS, RETRY_SECONDS
        while True:
            answer: Response | None = None
            with suppress(HTTPError):
                answer = await ask()
                assert answer is not None
                if answer.status_code in decided:
                    return answer
                if answer.status_code == 401 and self.headers:  # ten minutes are over
                    self.headers = {}
                    await self._log_in()
                elif answer.status_code not in UNKNOWN:
                    raise Strange(answer.status_code, answer.request.url, answer.text)
            if monotonic() > deadline:
                raise Strange("undecided", answer and answer.text)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_RETRY_SECONDS)

    # -- what a trader does --------------------------------------------------------

    async def _quote(self, symbols: tuple[str, ...]) -> None:
        quotes = []
        for symbol in symbols:
            self._now += timedelta(seconds=self.chance.randint(1, 40))
            level, digits = LEVELS[symbol]
            self._prices[symbol] += self.chance.randint(-level, level) // 700
            bid = self._prices[symbol]
            quotes.append(
                {
                    "symbol": symbol,
                    "bid": f"{bid / 10**digits:.{digits}f}",
                    "ask": f"{(bid + 10) / 10**digits:.{digits}f}",
                    "at": self._now.isoformat(),
                }
            )
        await self.send(f"/sandbox/venues/{self.venue}/quotes", {"quotes": quotes})

    async def _advance(self) -> None:
        self._now += timedelta(hours=self.chance.randint(1, 15))
        body = {"to": self._now.isoformat()}
        await self.send(f"/sandbox/venues/{self.venue}/clock/advance", body)

    async def _open_account(self) -> None:
        mix = MIXES[(self._number + self._opened) % len(MIXES)]
        self._opened += 1
        plan = {"initial": "10000", "reset": ["UTC", "00:00"], "rules": list(mix)}
        body = {"plan": plan, "currency": "USD", "kind": "simulated"}
        sent = await self.send(f"/sandbox/venues/{self.venue}/accounts", body)
        self.accounts[sent.read()["account_id"]] = tuple(LEVELS)

    async def _buy_challenge(self) -> None:
        plans = (await self.get("/plans")).json()["items"]
        plan = plans[self._number % len(plans)]
        body = {
            "plan_id": plan["plan_id"],
            "deposit": plan["sizes"][0]["deposit"],
            "payment": {"method": "dev"},
        }
        sent = await self.send("/challenges", body)
        self.accounts[sent.read()["account_id"]] = ("BTCUSD", "ETHUSD", "EURUSD")

    async def _open_trade(self) -> None:
        account_id, symbols = self.chance.choice(sorted(self.accounts.items()))
        body = {
            "account_id": account_id,
            "symbol": self.chance.choice(symbols),
            "side": self.chance.choice(("buy", "sell")),
            "quantity": self.chance.choice(SIZES),
        }
        sent = await self.send("/trades", body)
        if sent.is_success:
            self._trades[sent.read()["trade_id"]] = account_id
        elif sent.read()["code"] in OVER:
            await self._let_go(account_id)

    async def _close_trade(self) -> None:
        trade_id = self.chance.choice(sorted(self._trades))
        body = {"quantity": "0.10"} if self.chance.random() < 0.3 else {}
        sent = await self.send(f"/trades/{trade_id}/close", body)
        if not sent.is_success:
            code = sent.read()["code"]
            if code in OVER:
                await self._let_go(self._trades[trade_id])
            elif code in GONE:
                del self._trades[trade_id]
        elif sent.read()["status"] == "closed":
            del self._trades[trade_id]

    async def _let_go(self, account_id: str) -> None:
        """An account is over: its trades are, too."""
        del self.accounts[account_id]
        self._trades = {
            trade: account
            for trade, account in self._trades.items()
            if account != account_id
        }
        if not self.accounts:
            await self._open_account()

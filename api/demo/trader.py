"""A demo trader's life: buy a challenge, trade, pass or be breached, begin again."""

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from functools import partial
from random import Random
from typing import Final
from uuid import uuid4

from api.demo.answers import Account, Challenge, Page, Plan, Trade
from api.demo.cast import Part
from api.demo.client import Client, NotNow, Refused
from api.demo.styles import Wish
from api.demo.tape import Quoted, Tape
from api.demo.temper import FUNDED, MOST_FOR_THE_SPREAD, Temper
from api.demo.ticker import Ticker, gain, money

PLAN: Final = "sprint"
LOOK_EVERY: Final = 5  # beats, at one's own account
AFTER_REFUSAL: Final = 5
AFTER_BREACH: Final = (12, 30)
RESUME_TRIES: Final = 4
MOST_HUMBLED: Final = 4  # times that this pause has doubled
AFTER_PASS: Final = (3, 10)
BEYOND_TARGET: Final = Decimal("0.0003")  # the price may go before it is hit
RULES: Final = {"daily": "daily loss", "max": "max loss"}
ALIVE: Final = frozenset({"active", "funded"})

Body = Mapping[str, object]


class Trader:
    """Takes one step a beat, with one request at a time; never fails, but waits."""

    def __init__(
        self,
        number: int,
        part: Part,
        client: Client,
        chance: Random,
        venue_id: str,
        ticker: Ticker,
    ) -> None:
        self.account: Account | None = None
        self.trade: Trade | None = None
        self.part = part
        self._number = number
        self._client = client
        self._chance = chance
        self._venue_id = venue_id
        self._ticker = ticker
        self._resumes_left = RESUME_TRIES
        self._is_doubtful = False  # whether the account is still what we think
        self._challenge_id: str | None = None
        self._undecided: Callable[[], Awaitable[None]] | None = None
        self._rests_until = number // 3  # so that they do not all come at once
        self._trades_since = 0
        self._humbled = 0  # breaches since the last pass

    async def step(self, beat: int, tape: Tape) -> None:
        if beat < self._rests_until:
            return
        try:
            await self._act(beat, tape)
        except NotNow as trouble:
            self._rests_until = beat + trouble.seconds
        except Refused as refusal:
            self._undecided = None
            self._is_doubtful = True
            self._rests_until = beat + AFTER_REFUSAL
            if refusal.code == "trade-not-open":
                self.trade = None
            elif refusal.code == "not-found":  # another database answers now
                self.account = self.trade = self._challenge_id = None

    def equity(self, tape: Tape) -> Decimal:
        """Value the account as the venue would, by the last prices seen."""
        assert self.account is not None
        if self.trade is None or self.trade.symbol not in tape.open:
            return self.account.balance
        return self.account.balance + floating(self.trade, tape.open[self.trade.symbol])

    def gain(self, tape: Tape) -> Decimal:
        """Say by which share of the deposit the account is up."""
        assert self.account is not None
        return self.equity(tape) / self.account.deposit - 1

    async def _act(self, beat: int, tape: Tape) -> None:
        if self._resumes_left:
            await self._resume()
        elif self._undecided is not None:
            await self._insist(self._undecided)
        elif self.account is None:
            await self._choose_plan()
        elif self._is_doubtful or beat % LOOK_EVERY == self._number % LOOK_EVERY:
            await self._look(self.account, beat)
        elif self.trade is not None:
            await self._hold_or_close(self.trade, self.account, beat, tape)
        else:
            await self._look_for_a_trade(self.account, beat, tape)

    async def _resume(self) -> None:
        """Go on where an earlier run has stopped; begin anew where that is not told."""
        self._resumes_left -= 1
        try:
            await self._client.enter()
            await self._find_account()
        except Refused:
            self._resumes_left = 0
        except NotNow:
            if self._resumes_left:
                raise
        else:
            self._resumes_left = 0

    async def _find_account(self) -> None:
        mine = await self._client.get("/challenges", Page[Challenge], limit="200")
        alive = [each for each in mine.items if each.status in ALIVE]
        if not alive:
            return
        account = await self._begin(alive[0])
        if account.margin:
            trades = await self._client.get(
                "/trades",
                Page[Trade],
                account_id=account.account_id,
                status="open",
            )
            self.trade = next(iter(trades.items), None)

    async def _choose_plan(self) -> None:
        plans = await self._client.get("/plans", Page[Plan])
        plan = next(each for each in plans.items if each.name == PLAN)
        deposit = self._chance.choice(plan.sizes[:2]).deposit
        wanted = {
            "plan_id": plan.plan_id,
            "deposit": str(deposit),
            "payment": {"method": "dev"},
            "venue_id": self._venue_id,
        }
        await self._insist(partial(self._buy, wanted, str(uuid4())))

    async def _insist(self, ask: Callable[[], Awaitable[None]]) -> None:
        """Ask the very same again, if need be, until it is decided."""
        self._undecided = ask
        await ask()
        self._undecided = None

    async def _buy(self, wanted: Body, key: str) -> None:
        bought = await self._client.post("/challenges", Challenge, wanted, key)
        account = await self._begin(bought)
        self._tell(f"bought {PLAN} over {money(account.deposit)}")

    async def _begin(self, challenge: Challenge) -> Account:
        """Sit down at the account of the challenge's current phase."""
        account = await self._client.get(f"/accounts/{challenge.account_id}", Account)
        self._challenge_id = challenge.challenge_id
        self.account, self.trade = account, None
        return account

    async def _look(self, account: Account, beat: int) -> None:
        """See what the rules have made of the account meanwhile."""
        now = await self._client.get(f"/accounts/{account.account_id}", Account)
        is_news = now.status != account.status
        self.account = now
        self._is_doubtful = False
        if not now.margin:
            self.trade = None
        if now.status == "breached":
            if is_news:
                self._ticker.breaches += 1
                self._tell(f"was breached: {verdict(now)}")
            self.account = None
            shortest, longest = (each << self._humbled for each in AFTER_BREACH)
            self._humbled = min(self._humbled + 1, MOST_HUMBLED)
            self._rest(beat, (shortest, longest))
        elif now.status == "passed":
            if is_news:
                self._ticker.passes += 1
                self._humbled = 0
                share = now.balance / now.deposit - 1
                self._tell(f"passed {now.phase}  {gain(share)}")
            await self._move_on(now, beat)

    async def _move_on(self, passed: Account, beat: int) -> None:
        challenge = await self._client.get(
            f"/challenges/{self._challenge_id}", Challenge
        )
        if challenge.account_id == passed.account_id:
            return  # the next phase is being opened
        account = await self._begin(challenge)
        self._tell(f"begins {account.phase}")
        self._rest(beat, AFTER_PASS)

    async def _look_for_a_trade(self, account: Account, beat: int, tape: Tape) -> None:
        offered = [
            each
            for each in tape.open.values()
            if each.listed.currency == account.currency
        ]
        if account.status != "active" or not offered:
            return
        wish = self.part.style(tape, offered, self._chance)
        if wish is None:
            return
        quantity = self._quantity(account, tape.open[wish.symbol])
        if quantity is None:
            return
        self._trades_since = beat
        order = self._order(account, wish, quantity)
        await self._insist(partial(self._open, order, str(uuid4())))

    def _quantity(self, account: Account, quoted: Quoted) -> Decimal | None:
        """As much as the margin carries, but not for any price of coming in."""
        listed, size = quoted.listed, self._temper(account).size
        carried = account.free_margin * listed.leverage
        if quoted.spread:
            bearable = account.deposit * MOST_FOR_THE_SPREAD / quoted.spread
            carried = min(carried, bearable)
        lots = size * carried / (quoted.ask * listed.contract_size)
        lots = min(lots, listed.quantity_max)
        lots = lots // listed.quantity_step * listed.quantity_step
        return lots if lots >= listed.quantity_min else None

    @staticmethod
    def _order(account: Account, wish: Wish, quantity: Decimal) -> Body:
        return {
            "account_id": account.account_id,
            "symbol": wish.symbol,
            "side": wish.side,
            "quantity": format(quantity, "f"),
        }

    async def _open(self, order: Body, key: str) -> None:
        trade = await self._client.post("/trades", Trade, order, key)
        self.trade = trade
        self._is_doubtful = True  # the commission, and what the spread has done
        verb = "bought" if trade.side == "buy" else "sold"
        self._tell(f"{verb} {trade.quantity} {trade.symbol} at {trade.open_price:,}")

    async def _hold_or_close(
        self, trade: Trade, account: Account, beat: int, tape: Tape
    ) -> None:
        if trade.symbol not in tape.open:
            return
        profit = floating(trade, tape.open[trade.symbol])
        equity = account.balance + profit
        if any(equity <= limit.floor for limit in account.limits):
            await self._look(account, beat)
        elif self._has_enough(profit, equity, account, beat - self._trades_since):
            await self._close(trade, account, beat)

    def _has_enough(
        self, profit: Decimal, equity: Decimal, account: Account, held: int
    ) -> bool:
        temper, share = self._temper(account), profit / account.deposit
        target = target_of(account)
        if target is not None and equity >= target + account.deposit * BEYOND_TARGET:
            return True
        if temper.take is not None and share >= temper.take:
            return True
        if temper.stop is not None and share <= -temper.stop:
            return True
        return held >= temper.patience

    async def _close(self, trade: Trade, account: Account, beat: int) -> None:
        closed = await self._client.post(f"/trades/{trade.trade_id}/close", Trade, {})
        self.trade = None
        price = "" if closed.close_price is None else f" at {closed.close_price:,}"
        self._tell(f"closed {closed.symbol}{price}, {closed.profit:+,.2f}")
        self._rest(beat, self._temper(account).pause)
        await self._look(account, beat)

    def _temper(self, account: Account) -> Temper:
        return self.part.temper if account.objectives else FUNDED

    def _rest(self, beat: int, between: tuple[int, int]) -> None:
        self._rests_until = beat + self._chance.randint(*between)

    def _tell(self, what: str) -> None:
        self._ticker.tell(self.part.title, what)


def floating(trade: Trade, quoted: Quoted) -> Decimal:
    """Value a long at the bid, a short at the ask, in the symbol's currency."""
    if trade.side == "buy":
        move = quoted.bid - trade.open_price
    else:
        move = trade.open_price - quoted.ask
    return move * trade.quantity * quoted.listed.contract_size


def target_of(account: Account) -> Decimal | None:
    for objective in account.objectives:
        if objective.kind == "target":
            return Decimal(objective.required)
    return None


def verdict(account: Account) -> str:
    worst = min(account.limits, key=lambda limit: limit.distance)
    rule = RULES.get(worst.rule, worst.rule)
    return f"{rule}, equity {money(account.equity)} below {money(worst.floor)}"

"""How an account answers a command, and what the rules make of each instant.

Each of the three entries returns the account as it now stands and the events that
say why: folding the events over the same ticks gives the same account.
"""

from typing import assert_never

from domain.account.closing import booked, closed, is_tradable
from domain.account.commands import (
    AccountCommand,
    AnnulBreach,
    CancelOrders,
    ChangeOrder,
    CloseAll,
    ClosePosition,
    ClosePositionBy,
    ConfirmBreach,
    DismissBreach,
    HoldPayout,
    ObserveAccount,
    OpenAccount,
    OpenPosition,
    PlaceOrder,
    PostFlow,
    ProtectPosition,
    ReleasePayout,
    ReviewCommand,
    ScaleAccount,
)
from domain.account.errors import (
    AccountClosed,
    AccountPaused,
    TradeNotOpen,
)
from domain.account.events import (
    AccountEvent,
    AccountExpired,
    AccountObserved,
    AccountOpened,
    AccountQuarantined,
    AccountWarned,
    CancelReason,
    CloseReason,
    NegativeBalanceCleared,
    ObjectivesMet,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
    RuleBreached,
)
from domain.account.flow import since_scaling
from domain.account.flows import (
    hold_payout,
    post_flow,
    release_payout,
    scale_account,
)
from domain.account.netting import net_position, turned_round
from domain.account.observing import adjudged, observed
from domain.account.ordering import decide_order, run_out, set_off
from domain.account.placing import called_off
from domain.account.review import annul_breach, confirm_breach, dismiss_breach
from domain.account.rollover import rolled_over
from domain.account.state import (
    Account,
    applied,
    evolve,
    marked,
    observe,
    trailed,
    turn,
)
from domain.account.stop_out import is_tight, pressed
from domain.account.trading import (
    existing,
    must_be_converted,
    must_be_tradable,
    open_position,
    trading,
)
from domain.account.triggering import triggered
from domain.rules.adjudicate import Verdict, at_boundary, at_deadline, at_instant
from domain.rules.trading_terms import Book, NegativeBalance
from domain.values.market import Moment
from domain.values.money import Money

Outcome = tuple[Account, tuple[AccountEvent, ...]]


def handle(command: AccountCommand, account: Account | None, moment: Moment) -> Outcome:
    """Answer, then judge what the answer did: a spread alone can cross a floor."""
    answer = decide(command, account, moment)
    account, verdict = followed(account, answer, moment)
    return account, (answer, *verdict)


def followed(account: Account | None, answer: AccountEvent, moment: Moment) -> Outcome:
    """Fold the answer and judge what it did."""
    if isinstance(answer, AccountObserved):
        assert account is not None
        return adjudged(account, answer, moment)
    account = evolve(account, answer)
    if led_to := leading_on(account, answer, moment):
        account = folded(observe(account, moment), led_to, moment)
    account, verdict = judged(account, moment)  # which raises the marks
    if account.balance.amount < 0:
        account, verdict = cleared(account, verdict, moment)
    return account, (*led_to, *verdict)


def leading_on(
    account: Account, answer: AccountEvent, moment: Moment
) -> tuple[AccountEvent, ...]:
    """What an answer leads to before it is judged; mostly nothing, quickly seen."""
    if isinstance(answer, PositionOpened):
        return ()
    if isinstance(answer, PositionClosed) and not (answer.order or account.orders):
        return ()
    return turned_round(account, answer, moment) or set_off(account, answer, moment)


def witness(account: Account, symbol: str, moment: Moment) -> Outcome:
    """A quote of `symbol` was accepted. Most change no verdict and leave no event."""
    forced = liquidated(account, moment, only=symbol)
    account = folded(account, forced, moment)
    if account.is_over:
        return cleared(account, forced, moment)
    fills = triggered(account, symbol, moment)
    account = folded(account, fills, moment)
    account, verdict = judged(account, moment)
    if account.balance.amount < 0:
        account, verdict = cleared(account, verdict, moment)
    return account, (*forced, *fills, *verdict)


def turn_day(account: Account, moment: Moment) -> Outcome:
    """A boundary of the account's own trading day has passed, ticks or none."""
    if account.is_over:
        return account, ()
    if is_in_doubt(account, moment):
        return turn(account, moment), ()
    standing = account.standing(moment.market)
    turned, verdict = at_boundary(account.phase, standing, moment.tick, moment.at)
    account = marked(account, turned)
    return cleared(*sentenced(account, verdict, moment), moment)


def time_out(account: Account, moment: Moment) -> Outcome:
    """The account's next deadline has come, with quotes or without: swap, then timers.

    What was posted is judged before the timers are: it belongs to the day that began.
    """
    if account.is_over:
        return account, ()
    events: tuple[AccountEvent, ...] = run_out(account, moment)
    account = folded(account, events, moment)
    if swap := rolled_over(account, moment):
        account = applied(account, swap, moment)
        account, verdict_first = judged(account, moment)
        events = (*events, swap, *verdict_first)
        if account.is_over:
            return cleared(account, events, moment)
    verdict = at_deadline(account.phase, account.opened_at, account.record, moment.at)
    account, told = sentenced(account, verdict, moment)
    return cleared(account, (*events, *told), moment)


def quarantined(account: Account, cause: str, moment: Moment) -> Outcome:
    """Judging raised, which is a fault of the house: nobody is convicted by it."""
    if account.is_over:
        return account, ()
    event = AccountQuarantined(at=moment.at, tick=moment.tick, cause=cause)
    return evolve(account, event), (event,)


def decide(
    command: AccountCommand, account: Account | None, moment: Moment
) -> AccountEvent:
    match command:
        case OpenAccount():
            return open_account(command, account, moment)
        case OpenPosition():
            return enter(command, trading(account), moment)
        case ClosePosition():
            return close_position(command, trading(account), moment)
        case ObserveAccount():
            return observed(command, existing(account), moment)
        case PostFlow():
            return post_flow(command, existing(account), moment)
        case ScaleAccount():
            return scale_account(command, existing(account), moment)
        case HoldPayout():
            return hold_payout(command, existing(account), moment)
        case ReleasePayout():
            return release_payout(command, existing(account), moment)
        case (
            PlaceOrder()
            | ChangeOrder()
            | CancelOrders()
            | ProtectPosition()
            | ClosePositionBy()
            | CloseAll()
        ):
            return decide_order(command, trading(account), moment)
        case _:
            return review(command, existing(account), moment)


def review(command: ReviewCommand, account: Account, moment: Moment) -> AccountEvent:
    match command:
        case AnnulBreach():
            return annul_breach(command, account, moment)
        case ConfirmBreach():
            return confirm_breach(command, account, moment)
        case DismissBreach():
            return dismiss_breach(command, account, moment)
        case _:
            assert_never(command)


def open_account(
    command: OpenAccount, account: Account | None, moment: Moment
) -> AccountOpened:
    if account is not None:
        raise AccountClosed("an account is opened once")
    return AccountOpened(
        at=moment.at,
        tick=moment.tick,
        account_id=command.account_id,
        trader_id=command.trader_id,
        challenge_id=command.challenge_id,
        venue_id=command.venue_id,
        deposit=command.deposit,
        phase=command.phase,
        terms_hash=command.terms_hash,
        bridge=command.bridge,
    )


def enter(
    command: OpenPosition, account: Account, moment: Moment
) -> PositionOpened | PositionIncreased | PositionClosed:
    terms = account.phase.trading
    if terms is not None and terms.book is Book.NETTING:
        return net_position(command, account, moment)
    return open_position(command, account, moment)


def close_position(
    command: ClosePosition, account: Account, moment: Moment
) -> PositionClosed:
    for position in account.positions:
        if position.trade_id == command.trade_id:
            must_be_tradable(position.symbol, moment)
            must_be_converted(position.currency, account, moment)
            quantity = command.quantity or position.quantity
            fill = closed(position, quantity, account, moment)
            return booked(account, (fill,), CloseReason.TRADER, moment)
    if account.paused:  # the pause has closed it
        raise AccountPaused(account.account_id)
    raise TradeNotOpen(command.trade_id)


def judged(account: Account, moment: Moment) -> Outcome:
    """Judge what stands once the marks are raised. A breach beats a pass.

    Between the two comes the margin: what it closes is judged before any pass.
    """
    if not account.is_led_by_venue:
        return account, ()
    if is_in_doubt(account, moment):
        return observe(account, moment), ()
    account = trailed(account, moment.market)
    standing = account.standing(moment.market)
    seen, verdict = at_instant(account.phase, standing, moment.tick, moment.at)
    account = marked(account, seen)
    if account.phase.trading is None or verdict.breaches:
        return sentenced(account, verdict, moment)
    if not is_tight(account, seen.equity.amount):
        return sentenced(account, verdict, moment)
    account, told = pressed(account, seen.equity, moment)
    if any(isinstance(each, PositionClosed) for each in told):
        account, verdict_after = judged(account, moment)
    else:
        account, verdict_after = sentenced(account, verdict, moment)
    return account, (*told, *verdict_after)


def is_in_doubt(account: Account, moment: Moment) -> bool:
    """A price that moves it is in quarantine: its next accepted quote is judged."""
    doubtful, market = moment.market.suspended, moment.market
    return bool(doubtful) and not doubtful.isdisjoint(account.symbols(market))


def cleared(
    account: Account, events: tuple[AccountEvent, ...], moment: Moment
) -> Outcome:
    """Where the terms say so, what is flat owes nothing; it was judged as it stood."""
    if account.balance.amount >= 0 or account.positions:
        return account, events
    terms = account.phase.trading
    if terms is None or terms.negative_balance is NegativeBalance.KEEP:
        return account, events
    zero = Money.zero(account.currency)
    event = NegativeBalanceCleared(
        at=moment.at, tick=moment.tick, amount=zero - account.balance, balance=zero
    )
    return applied(account, event, moment), (*events, event)


def sentenced(account: Account, verdict: Verdict, moment: Moment) -> Outcome:
    """The evidence, what was reached, what it forces closed; then that is judged too:
    the gain that a pause realised may have been all that was missing to pass.
    """
    events: tuple[AccountEvent, ...] = ()
    if verdict.breaches:
        events = (convicted(account, verdict, moment),)
    if verdict.reached:
        events = (*events, passed(account, verdict, moment))
    if verdict.struck:
        events = (struck(account, verdict, moment),)
    if not events:
        return account, ()
    if account.orders and (reason := ending_of(verdict)):
        events = (*events, called_off(account, reason, moment))
    account = folded(account, events, moment)
    fills = liquidated(account, moment)
    account = folded(account, fills, moment)
    if account.is_over or not fills:
        return account, (*events, *fills)
    account, verdict_after = judged(account, moment)
    return account, (*events, *fills, *verdict_after)


def ending_of(verdict: Verdict) -> CancelReason | None:
    """Why no order works any more; a warning leaves them be."""
    if verdict.is_hard:
        return CancelReason.BREACH
    if verdict.reached:
        return CancelReason.PASS
    if verdict.is_expired:
        return CancelReason.ACCOUNT_EXPIRED
    return CancelReason.PAUSE if verdict.breaches else None


def convicted(account: Account, verdict: Verdict, moment: Moment) -> RuleBreached:
    market = moment.market
    return RuleBreached(
        at=moment.at,
        tick=moment.tick,
        breaches=verdict.breaches,
        deposit=account.marks.deposit.amount,
        balance=account.balance,
        equity=account.equity(market),
        positions=tuple(p.valued(market, account.currency) for p in account.positions),
        terms_hash=account.terms_hash,
        trading_days=len(account.days_traded),
        opened_at=account.opened_at,
        decided_at=moment.at,
        flows=since_scaling(account.flows),
    )


def passed(account: Account, verdict: Verdict, moment: Moment) -> ObjectivesMet:
    return ObjectivesMet(
        at=moment.at,
        tick=moment.tick,
        phase=account.phase.name,
        reached=verdict.reached,
        balance=account.balance,
        equity=account.equity(moment.market),
        trading_days=len(account.days_traded),
    )


def struck(
    account: Account, verdict: Verdict, moment: Moment
) -> AccountExpired | AccountWarned:
    if not verdict.is_expired:
        return AccountWarned(at=moment.at, tick=moment.tick, struck=verdict.struck)
    return AccountExpired(
        at=moment.at,
        tick=moment.tick,
        struck=verdict.struck,
        balance=account.balance,
        equity=account.equity(moment.market),
        trading_days=len(account.days_traded),
    )


def liquidated(
    account: Account, moment: Moment, only: str | None = None
) -> tuple[PositionClosed, ...]:
    """Fill what has an open session now; the rest waits for its first quote."""
    fills = tuple(
        closed(position, position.quantity, account, moment)
        for position in account.positions
        if position.trade_id in account.closing
        and only in (None, position.symbol)
        and is_tradable(position, moment)
    )
    if not fills:
        return ()
    return (booked(account, fills, CloseReason.LIQUIDATION, moment),)


def folded(
    account: Account, events: tuple[AccountEvent, ...], moment: Moment
) -> Account:
    for event in events:
        account = applied(account, event, moment)
    return account

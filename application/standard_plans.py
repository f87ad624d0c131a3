"""The plans that a fresh installation sells."""

from decimal import Decimal
from typing import Final
from uuid import UUID, uuid5

from application.engine.asks import Ask
from application.engine.host import Host
from domain.plan.decider import ActivatePlan, DraftPlan
from domain.plan.events import Size
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.daily_loss import DailyLoss, DayAnchor
from domain.rules.limit import Comparator, Effect, Evaluated, Measured
from domain.rules.max_loss import Follows, MaxLoss, Mode
from domain.rules.minimum_days import MinimumDays
from domain.rules.phase import LimitRule, ObjectiveRule, Phase
from domain.rules.profit_target import Basis, ProfitTarget
from domain.rules.terms import ADJUDICATOR, Terms
from domain.values.trading_day import TradingDay

NAMESPACE: Final = UUID("5a7c8d1e-0b5f-5d27-8c7e-2f1f0a7f7b10")
UTC_MIDNIGHT: Final = TradingDay("UTC", "00:00")
PRAGUE_MIDNIGHT: Final = TradingDay("Europe/Prague", "00:00")
NEW_YORK_CLOSE: Final = TradingDay("America/New_York", "17:00")


def percent(of_deposit: str) -> Allowance:
    return Allowance(AmountBasis.SHARE_OF_DEPOSIT, Decimal(of_deposit))


def daily(of_deposit: str, anchor: DayAnchor) -> DailyLoss:
    return DailyLoss(
        id="daily",
        allowance=percent(of_deposit),
        comparator=Comparator.BELOW,
        measured=Measured.EQUITY,
        evaluated=Evaluated.EVERY_TICK,
        effect=Effect.HARD,
        measured_from=anchor,
    )


def maximum(of_deposit: str, follows: Follows | None = None) -> MaxLoss:
    return MaxLoss(
        id="max",
        allowance=percent(of_deposit),
        comparator=Comparator.BELOW,
        measured=Measured.EQUITY,
        evaluated=Evaluated.EVERY_TICK,
        effect=Effect.HARD,
        mode=Mode.STATIC if follows is None else Mode.TRAILING,
        follows=follows,
        lock=None if follows is None else Decimal(0),
    )


def target(of_deposit: str) -> ProfitTarget:
    return ProfitTarget(
        id="target", percent=Decimal(of_deposit), basis=Basis.CLOSED, needs_flat=True
    )


def phases(
    day: TradingDay,
    limits: tuple[LimitRule, ...],
    *goals: tuple[str, tuple[ObjectiveRule, ...]],
) -> tuple[Phase, ...]:
    """Evaluating phases by name and objectives, then a funded one without any."""
    return tuple(
        Phase(name=name, trading_day=day, rules=(*limits, *objectives))
        for name, objectives in (*goals, ("funded", ()))
    )


def plan(name: str, sizes: tuple[tuple[int, int], ...], *in_order: Phase) -> DraftPlan:
    terms = Terms(adjudicator=ADJUDICATOR, currency="USD", phases=in_order)
    return DraftPlan(
        plan_id=str(uuid5(NAMESPACE, name)),
        name=name,
        sizes=tuple(
            Size(deposit=Decimal(deposit), price=Decimal(price))
            for deposit, price in sizes
        ),
        terms=terms,
    )


FOUR_DAYS: Final = MinimumDays(id="days", days=4)
SPRINT: Final = plan(
    "sprint",
    ((10_000, 39), (50_000, 149), (100_000, 249)),
    *phases(
        UTC_MIDNIGHT,
        (daily("1", DayAnchor.BALANCE), maximum("2")),
        ("evaluation", (target("1"),)),
        ("verification", (target("1"),)),
    ),
)
TWO_STEP: Final = plan(
    "two-step",
    ((10_000, 89), (25_000, 199), (50_000, 299), (100_000, 499), (200_000, 979)),
    *phases(
        PRAGUE_MIDNIGHT,
        (daily("5", DayAnchor.BALANCE), maximum("10")),
        ("evaluation", (target("10"), FOUR_DAYS)),
        ("verification", (target("5"), FOUR_DAYS)),
    ),
)
ONE_STEP: Final = plan(
    "one-step",
    ((25_000, 189), (50_000, 289), (100_000, 489)),
    *phases(
        NEW_YORK_CLOSE,
        (daily("3", DayAnchor.HIGHER_OF_BOTH), maximum("6", Follows.CLOSE_BALANCE)),
        ("evaluation", (target("10"),)),
    ),
)
STANDARD_PLANS: Final = (SPRINT, TWO_STEP, ONE_STEP)


async def offer_standard_plans(host: Host) -> None:
    """Put each on sale that is not known yet; what a firm has changed stays."""
    for draft in STANDARD_PLANS:
        stream = f"plan-{draft.plan_id}"
        if host.engine.memory.shown(stream) is not None:
            continue
        for command in (draft, ActivatePlan(plan_id=draft.plan_id, version=1)):
            await host.engine.ask(
                Ask(
                    stream=stream,
                    command=command,
                    actor="system",
                    owner=None,
                    request_id="seed",
                )
            )

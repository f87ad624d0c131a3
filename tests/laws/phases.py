"""Any phase that can be written down: every rule, choice and number."""

from hypothesis import strategies as st

from domain.rules.allocation_cap import AllocationCap
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.capped_days import CappedDays, DayOf
from domain.rules.consistency import Best, Consequence, Consistency, Excess, Whole
from domain.rules.daily_cap import DailyCap
from domain.rules.daily_loss import DailyLoss, DayAnchor
from domain.rules.inactivity import Activity, Inactivity, Since
from domain.rules.limit import Comparator, Effect, Evaluated, Measured
from domain.rules.max_loss import Follows, MaxLoss, Mode
from domain.rules.minimum_days import MinimumDays
from domain.rules.phase import LimitRule, Phase, Rule
from domain.rules.profit_target import Basis, ProfitTarget
from domain.rules.profitable_days import Attributed, ProfitableDays
from domain.rules.span import Span, Unit
from domain.rules.sticky_target import StickyTarget
from domain.rules.terms import ADJUDICATOR, Terms
from domain.rules.time_limit import Start, TimeLimit
from domain.rules.trading_days import Counted, TradingDays
from domain.rules.weekly_loss import WeekAnchor, WeeklyLoss
from domain.values.trading_day import TradingDay, Weekday

per_cents = st.decimals("0.5", "12", places=2)
TRAILING = (DayAnchor.PEAK_EQUITY,)  # a cap cannot follow it
IDS = ("max", "daily", "Trail 2.5", "a", "Z-9", "0", "x_y", "target", "days")
days = st.builds(
    TradingDay,
    st.sampled_from(["UTC", "Europe/Prague", "America/New_York", "Asia/Beirut"]),
    st.sampled_from(["00:00", "00:30", "17:00", "23:59"]),
)
allowances = st.one_of(
    st.builds(
        Allowance,
        st.sampled_from([AmountBasis.SHARE_OF_DEPOSIT, AmountBasis.SHARE_OF_ANCHOR]),
        per_cents,
    ),
    st.builds(
        Allowance, st.just(AmountBasis.ABSOLUTE), st.decimals("1", "9000", places=3)
    ),
)
CHOICES = {
    "allowance": allowances,
    "comparator": st.sampled_from(Comparator),
    "measured": st.sampled_from(Measured),
    "evaluated": st.sampled_from(Evaluated),
    "effect": st.sampled_from(Effect),
}
locks = st.none() | st.decimals("-500", "5000", places=2)


def limits(name: str) -> st.SearchStrategy[LimitRule]:
    daily = st.builds(
        DailyLoss,
        id=st.just(name),
        measured_from=st.sampled_from(DayAnchor),
        **CHOICES,
    )
    weekly = st.builds(
        WeeklyLoss,
        id=st.just(name),
        measured_from=st.sampled_from(WeekAnchor),
        week=st.just(Weekday.MONDAY),
        **CHOICES,
    )
    cap = st.builds(
        DailyCap,
        id=st.just(name),
        measured_from=st.sampled_from([a for a in DayAnchor if a not in TRAILING]),
        **CHOICES,
    )
    static = st.builds(
        MaxLoss,
        id=st.just(name),
        mode=st.just(Mode.STATIC),
        follows=st.none(),
        lock=st.none(),
        **CHOICES,
    )
    return st.one_of(daily, weekly, cap, static, trailing(name))


def trailing(name: str) -> st.SearchStrategy[MaxLoss]:
    return st.builds(
        MaxLoss,
        id=st.just(name),
        mode=st.just(Mode.TRAILING),
        follows=st.sampled_from(Follows),
        lock=locks,
        **CHOICES,
    )


def objectives(name: str) -> st.SearchStrategy[Rule]:
    known = {"id": st.just(name)}
    few = st.integers(1, 5)
    amounts = allowances.filter(lambda it: it.basis is not AmountBasis.SHARE_OF_ANCHOR)
    targets = {"percent": per_cents, "basis": st.sampled_from(Basis)}
    return st.one_of(
        st.builds(ProfitTarget, needs_flat=st.booleans(), **targets, **known),
        st.builds(StickyTarget, needs_flat=st.just(False), **targets, **known),
        st.builds(MinimumDays, days=few, **known),
        st.builds(TradingDays, days=few, counted=st.sampled_from(Counted), **known),
        st.builds(
            ProfitableDays,
            days=few,
            amount=amounts,
            counted=st.sampled_from(Attributed),
            ended=st.booleans(),
            **known,
        ),
        st.builds(
            Consistency,
            best=st.sampled_from(Best),
            whole=st.just(Whole.NET),
            percent=per_cents,
            excess=st.sampled_from(Excess),
            consequence=st.sampled_from(Consequence),
            **known,
        ),
        st.builds(
            CappedDays, percent=per_cents, counted=st.sampled_from(DayOf), **known
        ),
    )


def timers(name: str) -> st.SearchStrategy[Rule]:
    known = {"id": st.just(name)}
    spans = st.builds(Span, st.sampled_from(Unit), st.integers(2, 9))
    return st.one_of(
        st.builds(TimeLimit, after=spans, start=st.sampled_from(Start), **known),
        st.builds(
            Inactivity,
            activity=st.sampled_from(Activity),
            warn=st.builds(Span, st.sampled_from(Unit), st.just(1)),
            after=spans,
            since=st.sampled_from(Since),
            **known,
        ),
        st.builds(
            AllocationCap,
            cap=st.decimals("1", "900000", places=2),
            accounts=st.none() | st.integers(1, 9),
            **known,
        ),
    )


def any_rule(name: str) -> st.SearchStrategy[Rule]:
    return st.one_of(limits(name), limits(name), objectives(name), timers(name))


@st.composite
def phases(draw: st.DrawFn, name: str = "evaluation") -> Phase:
    names = draw(st.lists(st.sampled_from(IDS), unique=True, max_size=4))
    rules = tuple(draw(any_rule(each)) for each in names)
    return Phase(name=name, trading_day=draw(days), rules=rules)


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    names = draw(st.lists(st.sampled_from(IDS), unique=True, min_size=1, max_size=3))
    return Terms(
        adjudicator=ADJUDICATOR,
        currency=draw(st.sampled_from(["USD", "EUR", "JPY"])),
        phases=tuple(draw(phases(each)) for each in names),
    )

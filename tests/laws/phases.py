"""Any phase that can be written down: every rule, choice and number."""

from hypothesis import strategies as st

from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.daily_loss import DailyLoss, DayAnchor
from domain.rules.limit import Comparator, Effect, Evaluated, Measured
from domain.rules.max_loss import Follows, MaxLoss, Mode
from domain.rules.minimum_days import MinimumDays
from domain.rules.phase import LimitRule, Phase, Rule
from domain.rules.profit_target import Basis, ProfitTarget
from domain.rules.terms import ADJUDICATOR, Terms
from domain.values.trading_day import TradingDay

per_cents = st.decimals("0.5", "12", places=2)
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
    static = st.builds(
        MaxLoss,
        id=st.just(name),
        mode=st.just(Mode.STATIC),
        follows=st.none(),
        lock=st.none(),
        **CHOICES,
    )
    trailing = st.builds(
        MaxLoss,
        id=st.just(name),
        mode=st.just(Mode.TRAILING),
        follows=st.sampled_from(Follows),
        lock=locks,
        **CHOICES,
    )
    return st.one_of(daily, static, trailing)


def objectives(name: str) -> st.SearchStrategy[Rule]:
    target = st.builds(
        ProfitTarget,
        id=st.just(name),
        percent=per_cents,
        basis=st.sampled_from(Basis),
        needs_flat=st.booleans(),
    )
    return target | st.builds(MinimumDays, id=st.just(name), days=st.integers(1, 5))


@st.composite
def phases(draw: st.DrawFn, name: str = "evaluation") -> Phase:
    names = draw(st.lists(st.sampled_from(IDS), unique=True, max_size=4))
    rules = tuple(draw(limits(each) | objectives(each)) for each in names)
    return Phase(name=name, trading_day=draw(days), rules=rules)


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    names = draw(st.lists(st.sampled_from(IDS), unique=True, min_size=1, max_size=3))
    return Terms(
        adjudicator=ADJUDICATOR,
        currency=draw(st.sampled_from(["USD", "EUR", "JPY"])),
        phases=tuple(draw(phases(each)) for each in names),
    )

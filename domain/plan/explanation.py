"""A plan as its buyer should understand it: in plain words, with numbers that hold."""

from decimal import Decimal

from msgspec import Struct

from domain.plan.add_ons import AddOn, compiled
from domain.plan.content import Content
from domain.plan.difference import changes_in_words, price_in_words
from domain.plan.rule_words import WORDS
from domain.plan.sentences import SENTENCES
from domain.plan.trading_words import trading_in_words
from domain.plan.words import amount_in_words, money_in_words
from domain.plan.worked import WORKED
from domain.rules.phase import Phase, Rule
from domain.values.money import Money


class RuleTold(Struct, frozen=True, kw_only=True):
    rule: str
    kind: str
    title: str
    says: str
    example: tuple[str, ...]


class PhaseTold(Struct, frozen=True, kw_only=True):
    name: str
    day: str
    ends: str
    rules: tuple[RuleTold, ...]
    trading: tuple[str, ...]


class AddOnTold(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    price: str
    changes: tuple[str, ...]
    terms_hash: str  # with this one alone


class PlanTold(Struct, frozen=True, kw_only=True):
    name: str
    currency: str
    terms_hash: str
    deposit: str  # of the examples
    sizes: tuple[str, ...]
    phases: tuple[PhaseTold, ...]
    add_ons: tuple[AddOnTold, ...]


def explain(content: Content, deposit: Decimal | None = None) -> PlanTold:
    """The examples are of `deposit`, else of the first size."""
    terms, currency = content.terms, content.terms.currency
    exemplary = content.deposits[0]
    if deposit is not None:
        exemplary = Money.rounded(deposit, currency)
    return PlanTold(
        name=content.name,
        currency=currency,
        terms_hash=terms.hash,
        deposit=money_in_words(exemplary),
        sizes=tuple(
            f"{amount_in_words(each.deposit, currency)} for"
            f" {amount_in_words(each.price, currency)}"
            for each in content.sizes
        ),
        phases=tuple(
            told_phase(phase, exemplary, list(terms.phases[place + 1 :]))
            for place, phase in enumerate(terms.phases)
        ),
        add_ons=tuple(told_add_on(each, content) for each in content.add_ons),
    )


def told_phase(phase: Phase, deposit: Money, following: list[Phase]) -> PhaseTold:
    day = phase.trading_day
    return PhaseTold(
        name=phase.name,
        day=f"The trading day turns at {day.turns_at} in {day.zone}.",
        ends=ends(phase, following),
        rules=tuple(told_rule(rule, phase, deposit) for rule in phase.rules),
        trading=tuple(trading_in_words(phase.trading, deposit.currency)),
    )


def ends(phase: Phase, following: list[Phase]) -> str:
    if not phase.targets:
        return "It has no profit target: it goes on until a limit ends it."
    passed = "It is passed once its target is reached and all else that it asks is met"
    if following:
        return f"{passed}; {following[0].name} then begins on a fresh account."
    return f"{passed}; that was the last phase."


def told_rule(rule: Rule, phase: Phase, deposit: Money) -> RuleTold:
    kind = type(rule)
    return RuleTold(
        rule=rule.id,
        kind=str(kind.__struct_config__.tag),
        title=WORDS[kind].title,
        says=SENTENCES[kind](rule, deposit.currency),
        example=tuple(WORKED[kind](rule, phase, deposit)),
    )


def told_add_on(add_on: AddOn, content: Content) -> AddOnTold:
    return AddOnTold(
        id=add_on.id,
        name=add_on.name,
        price=price_in_words(add_on.price, content.terms.currency),
        changes=tuple(changes_in_words(content, add_on)),
        terms_hash=compiled(content.terms, (add_on,)).hash,
    )

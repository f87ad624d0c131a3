"""What has happened to a plan on sale."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from domain.plan.add_ons import AddOn
from domain.rules.terms import Terms


class Size(Struct, frozen=True, kw_only=True):
    """One account size on sale, in the plan's currency."""

    deposit: Decimal
    price: Decimal


class Event(Struct, frozen=True, kw_only=True):
    at: datetime


class PlanDrafted(Event, frozen=True, kw_only=True, tag="plan.drafted/1"):
    plan_id: str
    version: int
    name: str
    sizes: tuple[Size, ...]
    terms: Terms  # without any add-on
    terms_hash: str
    add_ons: tuple[AddOn, ...] = ()


class PlanActivated(Event, frozen=True, kw_only=True, tag="plan.activated/1"):
    """From here on this version is sold; the version before it is superseded."""

    plan_id: str
    version: int


PlanEvent = PlanDrafted | PlanActivated

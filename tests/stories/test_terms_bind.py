"""The rules at the purchase bind, whatever is sold afterwards."""

from decimal import Decimal

from msgspec.structs import replace

from application.catalogue import decode
from application.engine.asks import Ask
from domain.account.events import RuleBreached
from domain.account.state import Status
from domain.challenge.decider import account_of
from domain.rules.allowance import Allowance, AmountBasis
from tests.stories.challenges import CHALLENGE, draft, purchase
from tests.stories.engines import Desk, asking, buy, desk, gold, open_venue
from tests.stories.facts import DAILY_LOSS, TARGET, phase_with

FOUR_PERCENT = Allowance(AmountBasis.SHARE_OF_DEPOSIT, Decimal(4))
V3 = draft(phase_with(DAILY_LOSS, TARGET), version=3)
V4 = draft(phase_with(replace(DAILY_LOSS, allowance=FOUR_PERCENT), TARGET), version=4)
LATER = "01920000-0000-7000-8000-000000000002"


def bought(version: int, challenge_id: str) -> Ask:
    command = purchase(V3 if version == 3 else V4, challenge_id)
    return asking(f"challenge-{challenge_id}", replace(command, venue_id="sb-1"))


async def lost(here: Desk, challenge_id: str, dollars: int) -> None:
    """Of the price of a lot of gold, bought at 2000."""
    account_id = account_of(challenge_id, "evaluation")
    start = buy(account_id, f"t-{challenge_id}")
    await here.ask(gold("1999"), start, gold(str(2000 - dollars)))


async def test_what_v4_forbids_v3_still_allows_who_bought_v3() -> None:
    """V01: 5 % a day was sold; a loss of 4.5 % is none, though 4 % is on sale now."""
    async with desk() as here:
        await here.ask(open_venue(), gold("1999"), bought(3, CHALLENGE))
        await here.ask(bought(4, LATER))
        await lost(here, CHALLENGE, 45)
        account = here.account(account_of(CHALLENGE, "evaluation"))
        assert account.status is Status.ACTIVE
        assert account.terms_hash == V3.terms_hash != V4.terms_hash


async def test_a_breach_cites_the_terms_that_were_sold() -> None:
    """V01: both lose more than their own; each names its own hash."""
    async with desk() as here:
        await here.ask(open_venue(), gold("1999"), bought(3, CHALLENGE))
        await here.ask(bought(4, LATER))
        for challenge_id in (CHALLENGE, LATER):
            await lost(here, challenge_id, 51)
        cited = [
            fact.terms_hash
            for each in here.partition.events
            if isinstance(fact := decode(each.name, each.payload), RuleBreached)
        ]
        assert cited == [V3.terms_hash, V4.terms_hash]

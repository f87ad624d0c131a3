"""Flows through an engine: kept, judged again, and told as the bookings they are."""

from application.as_of import as_of
from application.explanation import explained
from application.replay import replay
from domain.account.flow import FlowKind
from tests.stories.engines import (
    buy,
    desk,
    gold,
    open_account,
    open_venue,
    pay_out,
    post_flow,
    scale,
    sell_out,
    told,
)
from tests.stories.facts import MAX_LOSS, TRAILING
from tests.stories.test_engine_recovery import A_FLOW

BEGINNING = (open_venue(), open_account("a", MAX_LOSS, TRAILING), gold("1999"))
EARNED = (buy("a", "t1"), gold("2100"), sell_out("a", "t1"))  # 10,000


async def test_a_replay_comes_to_the_same() -> None:
    async with desk() as here:
        await here.ask(*A_FLOW)
        assert {
            "account.payout-held/1",
            "account.flow-posted/1",
            "account.scaled/1",
            "account.rule-breached/1",
        } <= set(here.names("account-a"))
        await here.host.checkpoint()
        journal = here.journal
        checkpoint = await journal.latest_checkpoint()
        images = [each async for each in journal.images()]
        report = await replay(journal, checkpoint, images, None, lambda _: None)
        assert report.equal, report.differences


async def test_a_payout_that_is_approved_twice_is_debited_once() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, *EARNED)
        first = await here.ask(pay_out("a", "4000.00"))
        assert (first.status, told(first)["balance"]) == (201, "106000.00")
        again = await here.ask(pay_out("a", "4000.00"))
        assert (again.status, told(again)["code"]) == (409, "payout-settled")
        assert here.names("account-a").count("account.flow-posted/1") == 1


async def test_what_is_told_of_the_balance_has_the_flows_in_it() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, *EARNED, pay_out("a", "4000.00"))
        await here.ask(
            post_flow("a", FlowKind.CORRECTION, "-0.50"), scale("a", "200000.00")
        )
        stood = await as_of(here.journal, "a", None, lambda _: None)
        it = explained(stood, "s1")
        assert it.balance == ("100000.00 + 10000.00 - 4000.50 + 100000.00 = 205999.50")
        (_, trailing) = sorted(it.limits, key=lambda each: each.limit.rule)
        assert "110000.00 + 95999.50 = 205999.50" in trailing.arithmetic

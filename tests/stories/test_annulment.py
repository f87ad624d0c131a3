"""A breach that a bad quote has caused is annulled: it stays told, and ends nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from application.as_of import as_of
from application.engine.asks import Ask
from application.explanation import explained
from application.without import recounted
from domain.account.commands import AnnulBreach
from domain.account.errors import AnnulmentRefused
from domain.account.events import BreachAnnulled
from domain.account.flow import FlowKind
from domain.account.recount import Recount
from domain.account.state import Status
from domain.challenge.state import Status as ChallengeStatus
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.phase import Rule
from domain.values.quote import Side
from infrastructure.event_store.memory import Partition
from tests.stories.challenges import CHALLENGE
from tests.stories.engines import (
    Desk,
    advance,
    asking,
    buy,
    desk,
    gold,
    open_account,
    open_venue,
    post_flow,
    quotes,
    remembered,
    sell_out,
    told,
)
from tests.stories.facts import DAILY_LOSS, MAX_LOSS, MONDAY, TRAILING, trade, usd
from tests.stories.test_engine_policies import BEGINNING as PURCHASED
from tests.stories.test_engine_policies import FIRST, LAST, pass_it
from tests.stories.test_engine_timers import judged_again
from tests.stories.test_evidence import is_true

TUESDAY = MONDAY + timedelta(days=1)
ALL: tuple[Rule, ...] = (MAX_LOSS, TRAILING, DAILY_LOSS)


def beginning(*rules: Rule) -> tuple[Ask, ...]:
    """Gold is bought at 2000, quote 1."""
    return (
        open_venue(),
        open_account("a", *(rules or ALL)),
        gold("1999"),
        buy("a", "t1"),
    )


def annulling(
    account_id: str, version: int, ticks: tuple[int, ...], recount: Recount | None
) -> Ask:
    command = AnnulBreach(
        breach_version=version,
        rules=("max",),
        ticks=ticks,
        reason="the feed stuttered",
        by="an-admin",
        recount=recount,
    )
    return asking(f"account-{account_id}", command)


def version_of_breach(here: Desk, account_id: str) -> int:
    *_, last = (
        each
        for each in here.partition.events
        if (each.stream, each.name)
        == (f"account-{account_id}", "account.rule-breached/1")
    )
    return last.version


async def annul(here: Desk, *ticks: int, account_id: str = "a") -> dict[str, str]:
    version = version_of_breach(here, account_id)
    recount = await recounted(here.journal, account_id, version, ticks)
    answer = await here.ask(annulling(account_id, version, ticks, recount))
    assert not answer.is_refused, answer.body
    said: dict[str, str] = told(answer)
    return said


async def test_it_goes_on_flat_with_what_it_would_have_been_closed_at() -> None:
    async with desk() as here:
        await here.ask(*beginning(), gold("2010", "1500", "2012"))  # quote 3 is bad
        assert here.account("a").balance == usd("50000.00")
        said = await annul(here, 3)
        assert (said["status"], said["balance"], said["correction"]) == (
            "active",
            "101000.00",
            "51000.00",
        )
        account = here.account("a")
        assert (account.status, account.positions) == (Status.ACTIVE, ())
        assert account.marks.peak_equity.amount == usd("101000.00")
        assert "account.rule-breached/1" in here.names("account-a")
        assert (await here.ask(buy("a", "t2"))).status == 201


async def test_marks_are_what_they_would_have_been() -> None:
    """Quote 2 lifts the trailing floor to 100,000; at quote 4 that is crossed."""
    async with desk() as here:
        await here.ask(*beginning(TRAILING), gold("2100", "2001"))
        assert here.account("a").status is Status.ACTIVE
        await here.ask(gold("1999.50"))
        assert here.account("a").status is Status.BREACHED
        await annul(here, 2)
        account = here.account("a")
        assert account.marks.peak_equity.amount == usd("100100.00")
        assert account.balance == usd("99950.00")  # it was closed at a good quote


@pytest.mark.parametrize("ends_well", [True, False])
async def test_a_restart_and_a_replay_come_to_the_same(*, ends_well: bool) -> None:
    partition = Partition()
    async with desk(partition, ends_well=ends_well) as here:
        await here.ask(*beginning(), gold("2010", "1500", "2012"))
        await here.ask(advance(TUESDAY))
        await annul(here, 3)
        await here.ask(buy("a", "t2"), gold("2020", "2015"), sell_out("a", "t2"))
        live = remembered(here.engine)
        await here.host.checkpoint()
        report = await judged_again(partition)
        assert report.equal, report.differences
    async with desk(partition) as again:
        assert remembered(again.engine) == live


async def test_a_changed_annulment_is_found_by_a_replay() -> None:
    partition = Partition()
    async with desk(partition) as here:
        await here.ask(*beginning(), gold("2010", "1500", "2012"))
        await annul(here, 3)
        place = here.names().index("account.breach-annulled/1")
        stored = partition.events[place]
        forged = stored.payload.replace(b'"101000.00"', b'"101001.00"')
        assert forged != stored.payload
        partition.events[place] = replace(stored, payload=forged)
        await here.host.checkpoint()
        report = await judged_again(partition)
        assert "account.breach-annulled/1" in {
            each.recorded for each in report.differences
        }


async def test_the_day_is_todays() -> None:
    async with desk() as here:
        await here.ask(*beginning(), gold("2010", "1500"), advance(TUESDAY))
        await annul(here, 3)
        marks = here.account("a").marks
        assert marks.day_balance.amount == usd("101000.00")
        assert marks.day_balance.at == MONDAY.replace(hour=23)


async def test_days_turn_between_what_happened_to_it_while_it_was_over() -> None:
    partition = Partition()
    async with desk(partition) as here:
        await here.ask(*beginning(), gold("2010", "1500"), advance(TUESDAY))
        await here.ask(post_flow("a", FlowKind.CORRECTION, "-500.00"))
        await here.ask(advance(TUESDAY + timedelta(days=1)))
        await annul(here, 3)
        marks = here.account("a").marks
        assert marks.day_balance.amount == usd("100500.00")
        assert marks.close_balance.amount == usd("100500.00")
        assert marks.close_balance.moved == usd("-500.00")
        await here.host.checkpoint()
        report = await judged_again(partition)
        assert report.equal, report.differences


async def test_a_stop_that_a_bad_quote_has_filled_is_corrected_too() -> None:
    stopped = asking(
        "account-a", trade(Side.BUY, "0.50", trade_id="t2", stop_loss="1900")
    )
    async with desk() as here:
        await here.ask(*beginning(), stopped, gold("2010", "1500"))
        said = await annul(here, 3)
        assert said["balance"] == "101500.00"  # both at 2010
        it = explained(await as_of(here.journal, "a", None, lambda _: None), "s1")
        assert [each.outcome for each in it.verdicts] == ["breached", "annulled"]
        for line in (it.balance, *it.verdicts[1].arithmetic):
            assert is_true(line), line


async def test_what_good_quotes_have_crossed_stays_crossed() -> None:
    async with desk() as here:
        await here.ask(*beginning(), gold("2010", "1500", "1501"))
        with pytest.raises(AnnulmentRefused, match="crossed"):
            await annul(here, 2)  # quote 3 is as good as any


async def test_a_loss_that_good_quotes_confirm_is_no_accident() -> None:
    async with desk() as here:
        await here.ask(*beginning(), gold("1890"), gold("1889"))
        with pytest.raises(AnnulmentRefused):
            await annul(here, 1)
        with pytest.raises(AnnulmentRefused):
            await annul(here, 77)


async def test_nothing_is_annulled_where_nothing_was_breached() -> None:
    async with desk() as here:
        await here.ask(*beginning(), gold("2010"))
        with pytest.raises(AnnulmentRefused):
            await recounted(here.journal, "a", 1, (2,))
        answer = await here.ask(annulling("a", 1, (2,), None))
        assert (answer.status, told(answer)["code"]) == (409, "annulment-refused")


async def test_what_has_changed_meanwhile_is_counted_once_more() -> None:
    async with desk() as here:
        await here.ask(*beginning(), gold("2010", "1500"))
        version = version_of_breach(here, "a")
        recount = await recounted(here.journal, "a", version, (3,))
        await here.ask(post_flow("a", FlowKind.CORRECTION, "1.00"))
        answer = await here.ask(annulling("a", version, (3,), recount))
        assert (answer.status, told(answer)["code"]) == (409, "annulment-refused")
        await annul(here, 3)
        again = await here.ask(annulling("a", version, (3,), recount))
        assert again.status == 409


async def test_what_was_closed_at_a_good_quote_stays_so() -> None:
    """Of two symbols one was quoted badly."""
    far = Allowance(AmountBasis.ABSOLUTE, Decimal(1_000))
    daily = replace(MAX_LOSS, allowance=far)
    async with desk() as here:
        await here.ask(*beginning(daily), quotes(("EURUSD", "1.10000")))
        await here.ask(buy("a", "t2", "0.10", "EURUSD"), gold("1500"))
        said = await annul(here, 3)
        assert said["balance"] == "99890.00"
        annulled = here.account("a")
        assert annulled.marks.capital.amount == usd("100000.00")


async def test_the_challenge_goes_on() -> None:
    async with desk() as here:
        await here.ask(*PURCHASED, buy(FIRST, "t1"), gold("1000"))
        assert here.challenge(CHALLENGE).status is ChallengeStatus.BREACHED
        last = here.engine.venues["sb-1"].sequence
        await annul(here, last, account_id=FIRST)
        challenge = here.challenge(CHALLENGE)
        assert challenge.status is ChallengeStatus.ACTIVE
        assert challenge.current.status == "active"
        await here.ask(gold("1999"))
        await pass_it(here, FIRST)
        assert here.challenge(CHALLENGE).current.name == "verification"


async def test_what_was_funded_is_funded_again() -> None:
    async with desk() as here:
        await here.ask(*PURCHASED)
        await pass_it(here, FIRST)
        second = here.challenge(CHALLENGE).current.account_id
        await pass_it(here, second)
        await here.ask(gold("1999"), buy(LAST, "t9"), gold("1000"))
        assert here.challenge(CHALLENGE).status is ChallengeStatus.BREACHED
        await annul(here, here.engine.venues["sb-1"].sequence, account_id=LAST)
        assert here.challenge(CHALLENGE).status is ChallengeStatus.FUNDED


def test_the_event_says_who_and_why() -> None:
    assert {"by", "reason", "ticks", "restored"} <= set(
        BreachAnnulled.__struct_fields__
    )

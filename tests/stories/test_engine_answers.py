"""The same command gets the same answer, whenever and however often it comes."""

import asyncio

import pytest
from msgspec.structs import replace

from application.engine.asks import Ask, KeyReused
from application.engine.engine import code_of
from application.refusals import NotFound
from domain.account.errors import InsufficientMargin
from tests.stories.engines import (
    asking,
    buy,
    desk,
    gold,
    open_account,
    open_venue,
    sell_out,
    told,
)
from tests.stories.facts import MAX_LOSS, buy_gold, trade

BEGINNING = (open_venue(), open_account("a", MAX_LOSS), gold("1999"))
order = asking("account-a", buy_gold, key="one", body=b"1")


async def test_a_repeat_gets_the_same_bytes_and_does_nothing() -> None:
    async with desk() as here:
        first = await here.ask(*BEGINNING, order)
        again = await here.ask(order)
        assert (again.status, again.body) == (first.status, first.body)
        assert (first.is_replayed, again.is_replayed) == (False, True)
        assert here.names("account-a").count("account.position-opened/1") == 1


async def test_a_repeat_after_a_restart_gets_them_too() -> None:
    async with desk() as here:
        first = await here.ask(*BEGINNING, order)
    async with desk(here.partition) as restarted:
        again = await restarted.ask(order)
    assert (again.status, again.body, again.is_replayed) == (201, first.body, True)


async def test_two_in_flight_together_are_one() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        answers = await asyncio.gather(here.ask(order), here.ask(order))
        assert [each.is_replayed for each in answers] == [False, True]
        assert answers[0].body == answers[1].body
        assert len(here.account("a").positions) == 1


async def test_a_repeat_during_the_commit_waits_for_the_first() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        reached, go_on = asyncio.Event(), asyncio.Event()

        async def hold(_: object) -> None:
            reached.set()
            await go_on.wait()

        here.journal.before_commit = hold
        first = asyncio.create_task(here.ask(order))
        await reached.wait()
        second = asyncio.create_task(here.ask(order))
        await asyncio.sleep(0)
        go_on.set()
        answers = await asyncio.gather(first, second)
        assert [each.is_replayed for each in answers] == [False, True]


async def test_a_key_with_another_body_is_no_repeat() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, order)
        with pytest.raises(KeyReused):
            await here.ask(asking("account-a", buy_gold, key="one", body=b"2"))


async def test_a_refusal_is_an_answer_and_is_kept() -> None:
    greedy = asking("account-a", trade(buy_gold.side, "50.00"), key="two")
    async with desk() as here:
        first = await here.ask(*BEGINNING, greedy)
        assert (first.status, first.is_refused) == (409, True)
        assert told(first)["code"] == code_of(InsufficientMargin)
        assert told(first)["arithmetic"]["rule"] == "free_margin"
        await here.ask(gold("1"))  # now it could be carried
        again = await here.ask(greedy)
        assert (again.body, again.is_refused, again.is_replayed) == (
            first.body,
            True,
            True,
        )


async def test_the_clients_own_order_id_is_answered_200_with_the_first_answer() -> None:
    def numbered(key: str) -> Ask:
        return asking("account-a", buy_gold, key=key, natural="order 7", body=b"?")

    async with desk() as here:
        await here.ask(*BEGINNING)
        one, two = numbered("x"), numbered("y")
        first = await here.ask(one)
        second = await here.ask(two)
        assert (first.status, second.status) == (201, 200)
        assert first.body == second.body
        assert len(here.account("a").positions) == 1


async def test_a_clients_order_id_that_was_refused_is_free_again() -> None:
    small, large = trade(buy_gold.side, "1.00"), trade(buy_gold.side, "50.00")
    async with desk() as here:
        await here.ask(*BEGINNING)
        refused = await here.ask(asking("account-a", large, natural="order 7"))
        opened = await here.ask(asking("account-a", small, natural="order 7"))
        assert (refused.status, opened.status) == (409, 201)


async def test_what_is_not_there_is_not_an_answer_and_is_not_kept() -> None:
    late = asking("account-b", buy_gold, key="three")
    async with desk() as here:
        await here.ask(*BEGINNING)
        with pytest.raises(NotFound):
            await here.ask(late)
        await here.ask(open_account("b"))
        assert (await here.ask(late)).status == 201


async def test_a_strangers_account_is_not_there() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        stranger = asking("account-a", buy_gold)
        with pytest.raises(NotFound):
            await here.ask(replace(stranger, owner="a-stranger"))
        with pytest.raises(NotFound):
            await here.ask(replace(gold("2000"), owner="a-stranger"))


async def test_an_answer_names_its_place_in_the_log() -> None:
    async with desk() as here:
        opened = await here.ask(*BEGINNING, buy("a", "t1"))
        closed = await here.ask(sell_out("a", "t1"))
        assert told(opened)["position"] == f"s1-{opened.position}"
        assert here.partition.events[closed.position - 1].name == (
            "account.position-closed/1"
        )
        assert closed.position == here.partition.head.position

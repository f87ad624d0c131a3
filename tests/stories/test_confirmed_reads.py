"""A read waits a moment for the ownership of the log, and says no without it."""

import asyncio
from unittest.mock import patch

import pytest

from application import gateway as gateway_module
from application.engine.journal import Fenced, NotStored
from application.gateway import LocalGateway
from application.refusals import StoreUnavailable
from tests.stories.engines import Desk, desk, open_venue


def unconfirmed(here: Desk) -> LocalGateway:
    here.engine._confirmed_at = float("-inf")  # noqa: SLF001 - the machine was away
    return LocalGateway({"s1": here.host})


async def test_a_late_confirmation_is_asked_for() -> None:
    async with desk() as here:
        await here.ask(open_venue())
        gateway = unconfirmed(here)
        with pytest.raises(StoreUnavailable):
            gateway.partition_of_venue("sb-1")
        await gateway.confirm()
        assert gateway.partition_of_venue("sb-1") == "s1"


@pytest.mark.parametrize("fault", [NotStored, ConnectionError, Fenced])
async def test_without_one_the_answer_is_no(fault: type[Exception]) -> None:
    async with desk() as here:
        await here.ask(open_venue())
        gateway = unconfirmed(here)
        with patch.object(here.journal, "renew", side_effect=fault):
            await gateway.confirm()
            with pytest.raises(StoreUnavailable):
                gateway.partition_of_venue("sb-1")


async def test_nobody_waits_long_and_all_wait_for_the_same() -> None:
    async with desk() as here:
        await here.ask(open_venue())
        gateway, asked = unconfirmed(here), []

        async def never() -> None:
            asked.append(1)
            await asyncio.Event().wait()

        with (
            patch.object(gateway_module, "CONFIRM_SECONDS", 0.0),
            patch.object(here.engine, "renew_lease", never),
        ):
            await asyncio.gather(*(gateway.confirm() for _ in range(5)))
            await asyncio.sleep(0)
        assert asked == [1]

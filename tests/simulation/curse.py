"""Judging that raises, by account and tick: a fault of the house, as it were."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from unittest.mock import patch
from zlib import crc32

import application.engine.deciding as deciding_module
import application.replay as replay_module
import domain.account.decider as decider_module
from domain.account.state import Account
from domain.values.market import Moment

ONE_IN: Final = 5  # accounts is cursed
AND_THEN_ONE_IN: Final = 5  # ticks
JUDGES: Final = (
    (decider_module, "judged"),  # by a quote, or by what a command has done
    (deciding_module, "turn_day"),
    (deciding_module, "time_out"),
    (replay_module, "turn_day"),
    (replay_module, "time_out"),
)

Judge = Callable[[Account, Moment], Any]


class Riddle(Exception):
    """Nobody has thought of that."""


def raises(account_id: str, tick: int) -> bool:
    if crc32(account_id.encode()) % ONE_IN:
        return False
    return crc32(f"{account_id} {tick}".encode()) % AND_THEN_ONE_IN == 0


@contextmanager
def cursed() -> Iterator[None]:
    with ExitStack() as stack:
        for module, name in JUDGES:
            judge = baffled(getattr(module, name))
            stack.enter_context(patch.object(module, name, judge))
        yield


def baffled(judge: Judge) -> Judge:
    def judging(account: Account, moment: Moment) -> Any:
        if not account.is_over and raises(account.account_id, moment.tick):
            raise Riddle(account.account_id)
        return judge(account, moment)

    return judging

"""Stored quotes, read as their columns are described, not with what wrote them."""

import struct
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from msgspec import Struct, msgpack

from application.engine.journal import TickBlock

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Tick(Struct, frozen=True):
    sequence: int
    symbol: str
    bid: Decimal
    ask: Decimal
    quoted_at: datetime
    engine_time: datetime


def ticks_of(block: TickBlock) -> list[Tick]:
    body = msgpack.decode(block.body)
    first, count, symbols, digits = body[3], body[4], body[5], body[6]
    which = struct.unpack(f"<{count}H", body[8])
    bids, asks, stamps, times = (
        struct.unpack(f"<{count}q", body[n]) for n in (9, 10, 11, 12)
    )
    return [
        Tick(
            first + n,
            symbols[which[n]],
            Decimal(bids[n]).scaleb(-digits[which[n]]),
            Decimal(asks[n]).scaleb(-digits[which[n]]),
            EPOCH + timedelta(microseconds=stamps[n]),
            EPOCH + timedelta(microseconds=times[n]),
        )
        for n in range(count)
    ]

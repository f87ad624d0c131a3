"""What can be asked of the tables; the projections answer."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Reads(Protocol):
    """Every answer is as new as the tables are; `reach` waits for them."""

    async def reach(self, partition: str, position: int) -> None:
        """Wait, bounded; raises `ProjectionBehind`."""
        ...

    async def account_of_trade(self, trade_id: str) -> str | None: ...

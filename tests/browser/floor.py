"""What happens on the live venue because a test wants it to, through the API alone."""

from typing import Any, Final

from tests.doors.desk import Desk

BITCOIN: Final = "BTCUSD"  # trades at weekends too
ENOUGH: Final = "4.00"  # lots that nearly all the margin of 10,000 carries
MOST_ROUNDS: Final = 30


async def lose(desk: Desk, account_id: str) -> Any:
    """Buy and sell at once until the spreads and commissions have crossed the floor."""
    for _ in range(MOST_ROUNDS):
        bought = await desk.ask(
            "POST",
            "/trades",
            json={
                "account_id": account_id,
                "side": "buy",
                "quantity": ENOUGH,
                "symbol": BITCOIN,
            },
        )
        if bought.status_code == 409:
            break
        path = f"/trades/{bought.json()['trade_id']}/close"
        await desk.ask("POST", path, json={})
    (breach,) = (await desk.get("/breaches", account_id=account_id))["items"]
    return breach

"""A trader at the public doors: what the tests of the contract say, in few words."""

from typing import Any
from uuid import uuid4

from httpx import AsyncClient, Response

PASSWORD = "correct horse battery"
MAX_LOSS = {
    "id": "max",
    "kind": "max",
    "mode": "static",
    "amount": ["pct_initial", "10"],
}


class Desk:
    """One trader, signed in, with a sandbox of their own."""

    def __init__(
        self, http: AsyncClient, headers: dict[str, str], email: str = ""
    ) -> None:
        self.http = http
        self.headers = headers
        self.email = email
        self.venue_id = ""

    @classmethod
    async def opened(cls, http: AsyncClient, handle: str | None = None) -> "Desk":
        email = f"{uuid4().hex[:12]}@example.com"
        person = {"email": email, "password": PASSWORD}
        named = {"handle": handle} if handle else {}
        await http.post("/api/v1/auth/register", json=person | named)
        answer = await http.post("/api/v1/auth/login", json=person)
        bearer = f"Bearer {answer.json()['access_token']}"
        return cls(http, {"Authorization": bearer}, email)

    async def get(self, path: str, **parameters: Any) -> Any:
        answer = await self.ask("GET", path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(
        self, path: str, body: object, status: int | None = None, key: str | None = None
    ) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self.ask("POST", path, json=body, headers=headers)
        if status is not None:
            assert answer.status_code == status, answer.text
        return answer.json()

    async def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, **rest: Any
    ) -> Response:
        return await self.http.request(
            method, f"/api/v1{path}", headers=self.headers | (headers or {}), **rest
        )

    async def open_venue(
        self, starts_at: str = "2026-01-05T09:00:00Z", gate: str = "order"
    ) -> str:
        listing = {
            "symbol": "EURUSD",
            "contract_size": "100000",
            "leverage": 100,
            "commission_per_lot": "0",
            "sessions": "always",
        }
        body = {"starts_at": starts_at, "instruments": [listing], "gate": gate}
        venue = await self.post("/sandbox/venues", body, 201)
        self.venue_id = venue["venue_id"]
        return self.venue_id

    async def open_account(self, *rules: dict[str, Any], initial: str = "10000") -> str:
        plan = {
            "initial": initial,
            "reset": ["UTC", "00:00"],
            "rules": list(rules or (MAX_LOSS,)),
        }
        body = {"plan": plan, "currency": "USD", "kind": "simulated"}
        account = await self.post(
            f"/sandbox/venues/{self.venue_id}/accounts", body, 201
        )
        assert isinstance(account["account_id"], str)
        return account["account_id"]

    async def quote(self, bid: str, ask: str, at: str | None = None) -> Any:
        quote = {"symbol": "EURUSD", "bid": bid, "ask": ask}
        if at is not None:
            quote["at"] = at
        body = {"quotes": [quote]}
        return await self.post(f"/sandbox/venues/{self.venue_id}/quotes", body, 200)

    async def trade(
        self,
        account_id: str,
        side: str = "buy",
        quantity: str = "1.00",
        status: int = 201,
        **rest: Any,
    ) -> Any:
        key = rest.pop("key", None)
        body = {
            "account_id": account_id,
            "symbol": "EURUSD",
            "side": side,
            "quantity": quantity,
            **rest,
        }
        return await self.post("/trades", body, status, key)

    async def buy_sprint(self, deposit: str = "10000") -> Any:
        (sprint,) = [
            plan
            for plan in (await self.get("/plans"))["items"]
            if plan["name"] == "sprint"
        ]
        body = {
            "plan_id": sprint["plan_id"],
            "deposit": deposit,
            "payment": {"method": "dev"},
            "venue_id": self.venue_id or "live",
        }
        return await self.post("/challenges", body, 201)

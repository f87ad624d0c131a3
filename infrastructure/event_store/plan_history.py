"""One plan with all its versions, read straight from the log."""

from typing import LiteralString

from psycopg.sql import SQL, Identifier

from application.catalogue import decode
from application.gateway import LIVE_PARTITION
from domain.plan.decider import Plan, evolve
from domain.plan.events import PlanActivated, PlanDrafted
from infrastructure.event_store.upcasters import upcast
from infrastructure.event_store.wire import connect

FACTS: LiteralString = """
    SELECT topic, state FROM {partition}.events
    WHERE originator_id = %(stream)s ORDER BY originator_version
"""


async def plan_history(dsn: str, plan_id: str) -> Plan | None:
    query = SQL(FACTS).format(partition=Identifier(LIVE_PARTITION))
    async with await connect(dsn) as connection:
        found = await connection.execute(query, {"stream": f"plan-{plan_id}"})
        rows = await found.fetchall()
    plan: Plan | None = None
    for topic, state in rows:
        fact = decode(*upcast(topic, bytes(state)))
        assert isinstance(fact, PlanDrafted | PlanActivated)
        plan = evolve(plan, fact)
    return plan

"""The plans that a fresh installation sells."""

from typing import Final
from uuid import UUID, uuid5

from application.engine.asks import Ask
from application.engine.host import Host
from application.plan_documents import template
from domain.plan.decider import ActivatePlan, DraftPlan

NAMESPACE: Final = UUID("5a7c8d1e-0b5f-5d27-8c7e-2f1f0a7f7b10")
ON_SALE: Final = ("sprint", "two-step", "one-step")


async def offer_standard_plans(host: Host) -> None:
    """Put each on sale that is not known yet; what a firm has changed stays."""
    for name in ON_SALE:
        plan_id = str(uuid5(NAMESPACE, name))
        stream = f"plan-{plan_id}"
        if host.engine.memory.shown(stream) is not None:
            continue
        for command in (
            DraftPlan(plan_id=plan_id, document=template(name)),
            ActivatePlan(plan_id=plan_id, version=1),
        ):
            await host.engine.ask(
                Ask(
                    stream=stream,
                    command=command,
                    actor="system",
                    owner=None,
                    request_id="seed",
                )
            )

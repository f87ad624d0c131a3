"""Row 23 of the contract: what the live judge makes of a history that is sent."""

import asyncio

import msgspec
from litestar import post
from litestar.params import JSONBody

from api.doors import SIGNED_IN
from api.problems import Fault, Problem
from application.cases import Case, Judged, adjudicate
from domain.values.refusal import Refused


@post("/adjudications", status_code=200, opt=dict(SIGNED_IN))
async def judge_history(data: JSONBody[Case]) -> Judged:
    """Judge a case as the rule cases write it; nothing is stored."""
    try:
        return await asyncio.to_thread(adjudicate, data)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, Refused) as reason:
        raise Problem("invalid-request", errors=(Fault("", str(reason)),)) from None

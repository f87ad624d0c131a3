"""The one table from what went wrong to what HTTP answers (RFC 9457)."""

import errno
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import psycopg
import psycopg_pool
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from msgspec import UNSET, Struct, UnsetType

from application import refusals
from application.engine.asks import KeyReused
from application.engine.engine import code_of
from domain.account.errors import Outdated
from domain.values.refusal import Arithmetic, Refused

MEDIA_TYPE: Final = "application/problem+json"
INTERNAL: Final = "internal-error"
RETRY_AFTER_SECONDS: Final = 1
MISSING: Final = re.compile(r"Missing required \w+ parameter '([^']+)'")

log = structlog.get_logger("tradesense.errors")


class Meaning(NamedTuple):
    status: int
    title: str


PROBLEMS: Final[dict[str, Meaning]] = {
    "malformed-json": Meaning(400, "The body is not JSON."),
    "invalid-request": Meaning(
        400, "The body or a parameter is not what the schema says."
    ),
    "unauthenticated": Meaning(401, "Nobody is signed in with this token."),
    "invalid-credentials": Meaning(401, "E-mail and password do not fit."),
    "forbidden": Meaning(403, "This is not for your role."),
    "not-found": Meaning(404, "Nothing here carries that name."),
    "method-not-allowed": Meaning(405, "This path does not know the method."),
    "not-acceptable": Meaning(406, "None of the accepted media types is spoken here."),
    "receive-timeout": Meaning(408, "The body did not arrive in time."),
    "plan-ambiguous": Meaning(409, "The plan can be read in more than one way."),
    "plan-not-active": Meaning(409, "The plan is not on sale."),
    "unknown-symbol": Meaning(409, "The venue does not trade that symbol."),
    "market-closed": Meaning(409, "The market is closed."),
    "quote-stale": Meaning(409, "The last quote is too old to trade on."),
    "account-breached": Meaning(409, "The account was breached: it trades no more."),
    "account-paused": Meaning(409, "The account is paused."),
    "account-closed": Meaning(409, "The account is closed."),
    "account-bridged": Meaning(409, "The account trades on another platform."),
    "account-simulated": Meaning(409, "The account trades here, and is not observed."),
    "observation-refused": Meaning(409, "That cannot be observed of the account."),
    "annulment-refused": Meaning(409, "The breach cannot be annulled by that."),
    "review-refused": Meaning(409, "No breach is under review."),
    "challenge-not-breached": Meaning(409, "The challenge is not breached."),
    "flow-refused": Meaning(409, "The flow cannot be booked."),
    "payout-uncovered": Meaning(409, "The profit does not cover the payout."),
    "payout-settled": Meaning(409, "That payout is settled, or held, already."),
    "payout-not-held": Meaning(409, "No such payout is held."),
    "account-frozen": Meaning(409, "The account is under review."),
    "trade-not-open": Meaning(409, "The trade is not open."),
    "insufficient-margin": Meaning(409, "Not enough free margin."),
    "rule-refused": Meaning(409, "A rule of the plan forbids this."),
    "symbol-close-only": Meaning(409, "In that symbol trades are only closed."),
    "symbol-disabled": Meaning(409, "In that symbol nobody trades at present."),
    "symbol-not-quarantined": Meaning(409, "The symbol is quoted and believed."),
    "instrument-fixed": Meaning(409, "That never changes under the same symbol."),
    "instrument-change-pending": Meaning(409, "A later change is waiting already."),
    "effective-in-the-past": Meaning(409, "It cannot take effect before now."),
    "quantity-refused": Meaning(
        409, "The instrument or the trade does not allow that quantity."
    ),
    "stop-refused": Meaning(409, "A stop stands on the wrong side of the market."),
    "price-refused": Meaning(409, "The instrument does not allow that price."),
    "order-refused": Meaning(409, "The order contradicts itself or another."),
    "order-not-working": Meaning(409, "The order is not working any more."),
    "too-many-orders": Meaning(409, "Too many orders are working already."),
    "not-opposite": Meaning(409, "The trades are not opposite ones of one symbol."),
    "size-not-offered": Meaning(409, "The plan is not sold with that deposit."),
    "version-not-drafted": Meaning(409, "The plan has no draft of that version."),
    "add-on-not-offered": Meaning(409, "The plan is not sold with that add-on."),
    "challenge-over": Meaning(409, "The challenge has ended."),
    "not-the-current-account": Meaning(409, "The challenge is in another account now."),
    "venue-known": Meaning(409, "The venue is open already."),
    "not-paid": Meaning(409, "Nothing was charged: buy again."),
    "payment-refused": Meaning(409, "The payment was not confirmed."),
    "parked-settled": Meaning(409, "It was decided about before."),
    "rebuild-instead": Meaning(409, "A rebuild of the tables tries that again."),
    "restart-instead": Meaning(409, "The next start of an engine tries that again."),
    "clock-backwards": Meaning(409, "The clock of a venue only goes forward."),
    "refused": Meaning(409, "A rule of the business forbids this."),
    "precondition-failed": Meaning(412, "The resource has changed since that version."),
    "body-too-large": Meaning(413, "The body is larger than 256 KiB."),
    "unsupported-media-type": Meaning(415, "Send application/json in UTF-8."),
    "idempotency-key-reused": Meaning(422, "The key already belongs to another body."),
    "rate-limited": Meaning(429, "Too many requests."),
    INTERNAL: Meaning(500, "Something broke on our side."),
    "busy": Meaning(503, "Too much is waiting already."),
    "store-unavailable": Meaning(503, "The database does not answer."),
    "projection-behind": Meaning(503, "The tables have not caught up yet."),
}

# Looked up along the class's bases, so a refusal's own row wins over its parent's.
REFUSALS: Final[dict[type[Refused], str]] = {
    Refused: "refused",
    refusals.Unauthenticated: "unauthenticated",
    refusals.InvalidCredentials: "invalid-credentials",
    refusals.Forbidden: "forbidden",
    refusals.NotFound: "not-found",
    refusals.TooManyRequests: "rate-limited",
    refusals.Busy: "busy",
    KeyReused: "idempotency-key-reused",
    Outdated: "precondition-failed",
    refusals.StoreUnavailable: "store-unavailable",
    refusals.ProjectionBehind: "projection-behind",
}

# What adapters and the web framework raise.
OTHERS: Final[dict[type[Exception], str]] = {
    psycopg.DataError: "invalid-request",  # a NUL in a text, say
    psycopg.errors.UndefinedTable: "projection-behind",  # its first start makes them
    psycopg.OperationalError: "store-unavailable",
    psycopg.InterfaceError: "store-unavailable",
    ConnectionError: "store-unavailable",
    psycopg_pool.PoolTimeout: "store-unavailable",
    psycopg_pool.TooManyRequests: "busy",
}

STATUSES: Final[dict[int, str]] = {
    400: "invalid-request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    408: "receive-timeout",
    412: "precondition-failed",
    413: "body-too-large",
    415: "unsupported-media-type",
    429: "rate-limited",
    503: "busy",
}


class Fault(Struct, frozen=True):
    """One place of a request that is not what the schema says."""

    path: str
    reason: str


class ProblemBody(Struct, frozen=True, kw_only=True):
    """What a client reads; `code` is stable, the wording is not."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    doc_url: str
    arithmetic: Arithmetic | UnsetType = UNSET
    errors: Sequence[Fault] | UnsetType = UNSET
    findings: Sequence[Any] | UnsetType = UNSET


class Problem(Exception):
    """An answer that is no: raise it where HTTP itself is the reason."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        arithmetic: Arithmetic | None = None,
        findings: Sequence[Any] = (),
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.title = PROBLEMS[code]
        self.detail = detail or self.title
        self.errors = errors
        self.headers = dict(headers or {})
        self.arithmetic = arithmetic
        self.findings = findings
        if self.status == 503:  # noqa: PLR2004 - the one status that promises to pass
            self.headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
        if code == "unauthenticated":
            self.headers.setdefault("WWW-Authenticate", "Bearer")


def problem_of(error: Exception) -> Problem:
    """Translate; what nobody foresaw is an internal error that tells nothing."""
    match error:
        case Problem():
            return error
        case Refused():
            return _refusal(error)
        case HTTPException(__cause__=OSError(errno=errno.ENAMETOOLONG)):
            return Problem("not-found")  # no asset has such a name
        case HTTPException():
            return _framework(error)
        case msgspec.ValidationError():
            return invalid(error)
    for kind in type(error).__mro__:
        if code := OTHERS.get(kind):
            return Problem(code)
    return Problem(INTERNAL)


def invalid(error: Exception) -> Problem:
    """Say where the body differs from the schema, in msgspec's words."""
    reason, _, place = str(error).partition(" - at `")
    path = place.rstrip("`").removeprefix("$").removeprefix(".")
    if reason.startswith("Object contains unknown field"):
        unknown = reason.split("`")[1]
        path = f"{path}.{unknown}" if path else unknown
    return Problem("invalid-request", errors=(Fault(path, reason),))


def refused_at(path: str, reason: str) -> Problem:
    """Name the one place of a request that is not what the schema says."""
    return Problem("invalid-request", errors=(Fault(path, reason),))


def body_of(problem: Problem, request_id: str) -> bytes:
    """Write the answer; its bytes are also kept for the replay of a command."""
    return msgspec.json.encode(
        ProblemBody(
            type=f"/problems/{problem.code}",
            title=problem.title,
            status=problem.status,
            detail=problem.detail,
            code=problem.code,
            request_id=request_id,
            doc_url=f"/problems/{problem.code}",
            arithmetic=problem.arithmetic or UNSET,
            errors=problem.errors or UNSET,
            findings=problem.findings or UNSET,
        )
    )


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's handler for every exception there is."""
    problem = problem_of(error)
    request_id = request_id_of(request.scope)
    if problem.code == INTERNAL:
        report(error, request_id)
    return Response(
        body_of(problem, request_id),
        status_code=problem.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def report(error: BaseException, request_id: str) -> None:
    """Where it broke, never with what: a message may quote somebody's data."""
    log.error(
        "unexpected",
        request_id=request_id,
        error=type(error).__qualname__,
        cause=type(error.__cause__).__qualname__ if error.__cause__ else None,
        frames=traceback.format_tb(error.__traceback__)[-12:],
    )


def request_id_of(scope: Mapping[str, Any]) -> str:
    request_id: str = scope.get("state", {}).get("request_id", "")
    return request_id


def _refusal(refusal: Refused) -> Problem:
    code = _code_for(type(refusal))
    headers = {}
    if isinstance(refusal, refusals.Waitable):
        headers["Retry-After"] = str(refusal.retry_after_seconds)
    if isinstance(refusal, refusals.TooManyRequests):
        headers["RateLimit-Policy"] = (
            f'"default";q={refusal.limit};w={refusal.window_seconds}'
        )
        headers["RateLimit-Limit"] = str(refusal.limit)
        headers["RateLimit-Remaining"] = "0"
        headers["RateLimit-Reset"] = str(refusal.retry_after_seconds)
    return Problem(
        code,
        str(refusal),
        headers=headers,
        arithmetic=refusal.arithmetic,
        findings=getattr(refusal, "findings", ()),
    )


def _code_for(kind: type[Refused]) -> str:
    """Its own row, else the code that its name spells, else its parent's row."""
    spelt = code_of(kind)
    if kind not in REFUSALS and spelt in PROBLEMS:
        return spelt
    return next(REFUSALS[each] for each in kind.__mro__ if each in REFUSALS)


def _framework(error: HTTPException) -> Problem:
    """Litestar's own no: the status counts, its wording may quote the request."""
    code = STATUSES.get(error.status_code, INTERNAL)
    headers = {}
    if error.headers and "allow" in error.headers:
        headers["Allow"] = error.headers["allow"]
    return Problem(code, errors=tuple(_faults(error)), headers=headers)


def _faults(error: HTTPException) -> Iterator[Fault]:
    if missing := MISSING.match(error.detail):
        yield Fault(missing[1], "missing")
    for entry in error.extra if isinstance(error.extra, list) else ():
        key, message = str(entry.get("key", "")), str(entry.get("message", ""))
        if key == "data":
            yield Fault("", "a body is needed")
        else:
            yield Fault(key, message)

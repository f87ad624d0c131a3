"""Pages about the API, served whole from here: no other host is asked for anything."""

from pathlib import Path
from typing import Final

from litestar import MediaType, Router, get
from litestar.params import FromPath
from litestar.static_files import create_static_files_router

from api.doors import ANYONE
from api.problems import PROBLEMS, Problem

STATIC: Final = Path(__file__).parent / "static"
SWAGGER: Final = STATIC / "swagger-ui"
PAGE: Final = (SWAGGER / "index.html").read_text(encoding="utf-8")


@get("/docs", media_type=MediaType.HTML, opt=dict(ANYONE), include_in_schema=False)
async def docs() -> str:
    return PAGE


@get(
    "/problems/{code:str}",
    media_type=MediaType.TEXT,
    opt=dict(ANYONE),
    include_in_schema=False,
)
async def problem(code: FromPath[str]) -> str:
    """Show what a problem's `type` and `doc_url` point to."""
    meaning = PROBLEMS.get(code)
    if meaning is None:
        raise Problem("not-found")
    return f"{code}\n\n{meaning.status}: {meaning.title}\n"


assets = create_static_files_router(
    path="/docs/assets",
    directories=[SWAGGER],
    opt=dict(ANYONE),
    include_in_schema=False,
)

docs_router = Router("/", route_handlers=[docs, problem, assets])

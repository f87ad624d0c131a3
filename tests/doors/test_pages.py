"""Pages come whole from here, load nothing foreign, and show no private thing."""

import re
from pathlib import Path

import pytest
from httpx import AsyncClient

from api.bootstrap import build
from infrastructure.embedded.servers import Servers
from infrastructure.identity.signing_key import signing_key
from infrastructure.settings import Environment, Settings
from tests.doors.desk import Desk
from tests.doors.running import asking, running

NOBODYS = "00000000-0000-4000-8000-000000000000"
PAGES = (
    *("/", "/login", "/challenges"),
    *(f"/accounts/{NOBODYS}", f"/breaches/{NOBODYS}"),
)
LINKED = re.compile(r'(?:src|href)="(/static/[^"]+)"')
IMPORTED = re.compile(r'from "\./([^"]+)"|import "\./([^"]+)"')
FOREIGN = re.compile(r'(?:src|action)="https?:|@import|url\(["\']?https?:')
STATIC = Path(__file__).parents[2] / "api" / "console" / "static"


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_runs_no_script_and_no_style_but_our_files(
    http: AsyncClient, path: str
) -> None:
    answer = await http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert FOREIGN.search(answer.text) is None
    assert " style=" not in answer.text
    assert " on" not in "".join(re.findall(r"<[a-z]+ [^>]*>", answer.text)).replace(
        " on sale", ""
    )


async def test_whatever_a_page_loads_is_here(http: AsyncClient) -> None:
    linked = {
        path for page in PAGES for path in LINKED.findall((await http.get(page)).text)
    }
    for script in STATIC.glob("*.js"):
        for names in IMPORTED.findall(script.read_text()):
            linked.add("/static/" + "".join(names))
    assert len(linked) > 10
    for path in sorted(linked):
        assert (await http.get(path)).status_code == 200, path


@pytest.mark.parametrize("env", Environment)
async def test_ready_made_logins_are_offered_in_development_only(
    tmp_path: Path, own_servers: Servers, env: Environment
) -> None:
    signing_key(tmp_path, may_create=True)
    settings = Settings(data=tmp_path, feed="none", env=env)
    async with running(build(settings, own_servers)) as app, asking(app) as http:
        page = await http.get("/login")
    assert ("user123" in page.text) == (env is Environment.DEV)


async def test_a_page_of_a_sandbox_is_filled_for_its_owner_only(
    http: AsyncClient, projected: None
) -> None:
    desk, stranger = await Desk.opened(http), await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    await desk.trade(account_id)
    await desk.quote("1.08000", "1.08010")
    (breach,) = (await desk.get("/breaches", account_id=account_id))["items"]
    for path in (f"/accounts/{account_id}", f"/breaches/{breach['breach_id']}"):
        assert "is not public" in (await http.get(path)).text
        assert (await http.get(path, headers=stranger.headers)).status_code == 404
        mine = await http.get(path, headers=desk.headers)
        assert "9,000.00" in mine.text
        assert "is not public" not in mine.text


async def test_names_are_written_so_that_they_stay_text(
    http: AsyncClient, projected: None
) -> None:
    desk = await Desk.opened(http, '"&amp;{{7*7}}')
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.get("/trades", account_id=account_id)
    page = await http.get(f"/accounts/{account_id}", headers=desk.headers)
    assert "&#34;&amp;amp;{{7*7}}" in page.text


async def test_a_person_is_told_no_in_a_page(http: AsyncClient) -> None:
    desk = await Desk.opened(http)
    told = await http.get(
        f"/accounts/{NOBODYS}", headers=desk.headers | {"Accept": "text/html"}
    )
    assert (told.status_code, "<h1" in told.text) == (404, True)
    as_ever = await http.get(f"/accounts/{NOBODYS}", headers=desk.headers)
    assert as_ever.json()["code"] == "not-found"

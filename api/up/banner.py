"""What somebody sees who has just started the product."""

from infrastructure.identity.seed import DEV_PEOPLE
from infrastructure.settings import Environment, Settings


def welcome(settings: Settings, url: str) -> str:
    lines = [
        "",
        f"  TradeSense is up   {url}",
        f"  API documentation  {url}/docs",
        f"  health             {url}/health",
        "",
    ]
    if settings.env is Environment.DEV:
        logins = ((person.email, person.password) for person in DEV_PEOPLE)
        lines += [
            f"  log in as          {email} / {password}" for email, password in logins
        ]
        lines.append("")
    return "\n".join([*lines, "  Ctrl-C ends it; the data stays.", ""])

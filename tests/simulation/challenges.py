"""What must become of challenges and plans, told from their facts alone."""

from tests.simulation.promises import Facts, must

Missing = tuple[int, str]  # the position of what nothing follows, and what should


class Challenges:
    def __init__(self, accounts: dict[str, Facts]) -> None:
        self._accounts = accounts
        self._known: dict[str, Facts] = {}
        self._plans: dict[str, Facts] = {}

    def take(self, name: str, event_name: str, position: int, fact: Facts) -> None:
        if event_name == "challenge.purchased/1":
            must(name not in self._known, name, "was bought before")
            self._known[name] = {
                "phases": [each["name"] for each in fact["terms"]["phases"]],
                "stages": {},
                "ended": None,
                "funded": False,
            }
            return
        challenge = self._known[name]
        must(not challenge["ended"], name, "is over:", event_name)
        stages = challenge["stages"]
        match event_name:
            case "challenge.phase-started/1":
                follows = challenge["phases"][len(stages)]
                must(fact["phase"] == follows, "phase", fact["phase"], "not", follows)
                stages[fact["account_id"]] = {
                    "at": position,
                    "told": None,
                    "opened": None,
                }
            case "challenge.phase-passed/1":
                self._stage_ends(stages, fact, "passed")
            case "challenge.breached/1" | "challenge.expired/1":
                how = event_name.removeprefix("challenge.").removesuffix("/1")
                self._stage_ends(stages, fact, how)
                challenge["ended"] = how
            case "challenge.passed/1":
                must(len(stages) == len(challenge["phases"]), "passed too early")
                challenge["ended"] = "passed"
            case "challenge.funded/1":
                must(not challenge["funded"], name, "was funded before")
                challenge["funded"] = True

    def _stage_ends(self, stages: Facts, fact: Facts, how: str) -> None:
        name = fact["account_id"]
        must(self._accounts[name]["status"] == how, name, "has not", how)
        must(stages[name]["told"] is None, name, "was told before")
        stages[name]["told"] = how

    def begin_stage(self, account: Facts, position: int) -> None:
        if account["challenge"] is None:
            return
        name, stages = account["name"], self._known[account["challenge"]]["stages"]
        must(name in stages, "an account of no phase", name)
        must(not stages[name]["opened"], name, "was opened for its phase before")
        stages[name]["opened"] = position

    def take_plan(self, stream: str, event_name: str, fact: Facts) -> None:
        plan = self._plans.setdefault(stream, {"drafts": 0, "active": None})
        if event_name == "plan.drafted/1":
            plan["drafts"] += 1
            must(fact["version"] == plan["drafts"], "a draft was lost or doubled")
        else:
            must(1 <= fact["version"] <= plan["drafts"], "activated what is not there")
            plan["active"] = fact["version"]

    def unfollowed(self) -> list[Missing]:
        """What should have followed from what is stored, and has not."""
        missing: list[Missing] = []
        for name, challenge in self._known.items():
            for account_id, stage in challenge["stages"].items():
                if not stage["opened"]:
                    missing.append((stage["at"], f"account {account_id} of {name}"))
                elif stage["told"] is None:
                    account = self._accounts[account_id]
                    if account["status"] not in {"active", "frozen"}:
                        said = f"{account_id} {account['status']} in {name}"
                        missing.append((account["verdict_at"], said))
        return missing

"""Tables of the pages name what the code has: stages, steps down the ladder, settings, columns."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from nbo.cli.scenarios.story import Expectation
from nbo.decision.decision import SCREEN_STAGES, Decision
from nbo.settings import ServingSettings
from serving import ladder, offer_engine, pace

DOCS = Path(__file__).parent.parent.parent / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_agents_read_of_every_stage():
    after = ["propensity floor, value", "holdout"]
    table = page("agent.md").split("| stage |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| ([a-z ,]+) \|", table, re.MULTILINE)
    assert rows == [*SCREEN_STAGES, *after]


def test_agents_read_of_every_step_down_the_ladder():
    steps = {
        ladder.LAST_KNOWN,
        ladder.NOTHING_KNOWN,
        ladder.HISTORY_FROM_LEDGER,
        ladder.HISTORY_UNKNOWN,
        offer_engine.FALLBACK,
        offer_engine.NO_FALLBACK,
        offer_engine.NOT_LOGGED,
        pace.TOO_LITTLE_TIME,
        "prior propensity",
    }
    table = page("agent.md").split("| `degraded` |")[1].split("\n\n")[0]
    first = "\n".join(re.findall(r"^\| (`.+?) \|", table, re.MULTILINE))
    assert set(re.findall(r"`([^`]+)`", first)) == steps


def test_operators_read_the_defaults():
    shown = next(
        block
        for block in re.findall(r"```toml\n(.*?)```", page("operator.md"), re.DOTALL)
        if "[serving]" in block
    )
    defaults = ServingSettings()
    for name, value in tomllib.loads(shown)["serving"].items():
        assert getattr(defaults, name) == value, name


def test_analysts_read_of_every_part_of_a_record():
    table = page("analyst.md").split("| key |")[1].split("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.+?) \|", table, re.MULTILINE))))
    assert named == set(Decision.__dataclass_fields__)


def test_marketing_reads_of_every_expectation():
    row = re.search(r"^\| `expect` \| (.+) \|$", page("marketing.md"), re.MULTILINE)
    assert row is not None
    assert set(re.findall(r"`(\w+)`", row[1])) == set(Expectation.__dataclass_fields__)

"""The README's table of scenes names the workspaces whose scenarios bear the scene's number."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_every_scene_is_told_where_the_readme_says():
    told: dict[str, set[str]] = {}
    for file in (ROOT / "nbo" / "workspaces").glob("*/scenarios/*.yaml"):
        for number in re.findall(r"^ *- name: \"?(\d) ", file.read_text(encoding="utf-8"), re.M):
            told.setdefault(number, set()).add(file.parent.parent.name)
    rows = re.findall(
        r"^\| (\d) \| .+ \| (.+) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M
    )
    assert {number: set(re.findall(r"`(\w+)`", where)) for number, where in rows} == told
    assert len(told) == 8

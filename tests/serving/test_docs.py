"""What README and docs show: Python blocks run against a real server, commands exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from nbo.cli.main import app

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def _blocks(language: str) -> list[tuple[str, str]]:
    return [
        (page.name, body)
        for page in PAGES
        for kind, body in BLOCK.findall(page.read_text(encoding="utf-8"))
        if kind == language
    ]


def _commands() -> list[str]:
    """Every `nbo …` in a shell block or in inline code."""
    found = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        found |= set(re.findall(r"`(nbo [^`]+)`", text))
        for kind, body in BLOCK.findall(text):
            if kind in ("sh", "bash", "console"):
                found |= set(re.findall(r"(?:^|&& |\$ )(nbo [^&|#\n]+)", body, re.MULTILINE))
    return sorted(command.split("  #")[0].strip() for command in found)


@pytest.mark.parametrize(("page", "body"), _blocks("python"))
def test_a_python_block_runs(page, body, deployment):
    exec(compile(body, page, "exec"), {"TARGET": deployment.target})


@pytest.mark.parametrize("command", _commands())
def test_a_command_in_the_docs_exists(command):
    here = typer.main.get_command(app)
    for word in shlex.split(command)[1:]:
        if word in ("…", "...", "|"):
            break
        if word.startswith("-"):
            known = {name for param in here.params for name in (*param.opts, *param.secondary_opts)}
            assert word in known | {"--help", "--version"}, f"{command}: {word}"
        elif word in getattr(here, "commands", {}):
            here = here.commands[word]
        else:
            assert not hasattr(here, "commands"), f"{command}: no command {word!r}"


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"

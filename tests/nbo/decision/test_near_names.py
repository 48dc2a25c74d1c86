"""Remedies for misspelt names, however many there are."""

from __future__ import annotations

import difflib
from typing import Any

import pytest

from nbo.decision.catalog_text import load_catalog
from nbo.decision.facts import FactSchema
from nbo.decision.near_names import MOST_COMPARED, one_reading, suggestion
from nbo.errors import WorkspaceError

KNOWN = 300


def catalogue(*references: str) -> str:
    lines = ["currency: EUR", "languages: [en]", "channels: {voice: {fallback: none}}"]
    lines += ["groups: [{id: g}]", "incentives:"]
    lines += [f"  - {{id: discount-{n}, name: {{en: D}}, kind: d, cost: 1}}" for n in range(KNOWN)]
    lines += ["offers:"]
    lines += [
        f"  - {{id: o{n}, group: g, name: {{en: O}}, channels: [voice], value: 9, prior: 0.1, "
        f"incentives: [{reference}]}}"
        for n, reference in enumerate(references)
    ]
    return "\n".join(lines) + "\n"


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many names were compared, each time a near one was looked for."""
    counts: list[int] = []
    look = difflib.get_close_matches

    def counted(name: str, names: list[str], **how: Any) -> list[str]:
        counts.append(len(names))
        return look(name, names, **how)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    return counts


def problems(schema: FactSchema, text: str) -> list[str]:
    with pytest.raises(WorkspaceError) as caught:
        load_catalog(text, "catalog.yaml", schema)
    return [problem.message for problem in caught.value.problems]


def test_one_name_that_is_wrong_in_many_places_is_looked_for_once(
    schema: FactSchema, compared: list[int]
) -> None:
    found = problems(schema, catalogue(*["discuont-7"] * 500))
    assert len(found) == 500
    assert all("unknown 'discuont-7'; did you mean 'discount-7'?" in message for message in found)
    assert compared == [KNOWN + 1]


def test_when_too_much_is_unknown_it_is_told_without_a_guess(
    schema: FactSchema, compared: list[int]
) -> None:
    found = problems(schema, catalogue(*(f"discuont-{n}" for n in range(500))))
    assert len(found) == 500
    assert "did you mean 'discount-0'?" in found[0]
    assert "known are discount-0, discount-1, " in found[-1]
    assert sum(compared) <= MOST_COMPARED


def test_each_reading_has_its_own_measure(compared: list[int]) -> None:
    names = [f"name-{n}" for n in range(MOST_COMPARED)]
    for _ in range(2):
        with one_reading():
            assert suggestion("name-x", names) == "did you mean 'name-9'?"
            assert suggestion("name-y", names) == ""
    assert compared == [MOST_COMPARED] * 2


def test_endless_names_are_not_compared(compared: list[int]) -> None:
    assert suggestion("x" * 100_000, ["x"]) == ""
    assert suggestion("plan", ["x" * 100_000, "plam"]) == "did you mean 'plam'?"
    assert compared == [1]

"""Requirements that go round are found however many products there are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from nbo.decision.catalog import Catalog
from nbo.decision.catalog_known import Places
from nbo.decision.catalog_rounds import check_rounds
from nbo.decision.compiled import CompiledCatalog

MANY = 10_000


class Told(Places):
    """Remembers what is told, of whom."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: dict[str, str] = {}

    def problem(self, kind: str, identity: str, where: str, message: str) -> None:
        assert (kind, where) == ("offer", "requires")
        self.problems[identity] = message


def selling(compiled: CompiledCatalog, *pairs: tuple[str, Sequence[str]]) -> Catalog:
    """A catalogue of offers called by what they sell, each with what it requires."""
    usual = compiled.catalog.offers["red-1"]
    offers = {
        sold: replace(usual, offer_id=sold, sells=sold, requires=tuple(required))
        for sold, required in pairs
    }
    return replace(compiled.catalog, offers=offers)


def found(catalog: Catalog) -> dict[str, str]:
    places = Told()
    check_rounds(catalog, places)
    return places.problems


@pytest.mark.parametrize("closed", [False, True])
def test_a_long_way_to_a_product_is_gone_once(compiled: CompiledCatalog, closed: bool) -> None:
    """Every product needs the next; going the way anew from each would take minutes."""
    chain: list[tuple[str, Sequence[str]]] = [(f"p{n}", [f"p{n + 1}"]) for n in range(MANY)]
    catalog = selling(compiled, *chain, (f"p{MANY}", [f"p{MANY - 1}"] if closed else []))
    started = time.process_time()
    told = found(catalog)
    assert time.process_time() - started < 5
    assert list(told) == ([f"p{MANY - 1}"] if closed else [])
    if closed:
        last = f"p{MANY - 1} needs p{MANY}, p{MANY} needs p{MANY - 1}"
        assert f"goes round in a circle ({last})" in told[f"p{MANY - 1}"]


def test_every_circle_is_told_where_it_first_stands(compiled: CompiledCatalog) -> None:
    catalog = selling(
        compiled, ("d", "b"), ("a", "b"), ("b", "ca"), ("c", ""), ("e", "fa"), ("f", "e")
    )
    assert found(catalog) == {
        "a": "goes round in a circle (a needs b, b needs a), so nobody could ever begin",
        "e": "goes round in a circle (e needs f, f needs e), so nobody could ever begin",
    }

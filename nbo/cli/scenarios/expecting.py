"""What a scenario expects of an answer, as the file writes it."""

from __future__ import annotations

from collections.abc import Collection

import yaml

from nbo.cli.scenarios.story import Expectation
from nbo.decision.catalog import Catalog
from nbo.decision.catalog_nodes import Section
from nbo.decision.catalog_scalars import remedy
from nbo.decision.explanation import ENDS


def read_expectation(told: Section, offers: Collection[str], catalog: Catalog) -> Expectation:
    """Read `expect`; offers must be among `offers`."""
    expect = told.section("expect")

    def listed(field: str) -> tuple[str, ...]:
        for offer, node in expect.texts(field):
            _known(expect, field, offer, offers, node)
        return tuple(offer for offer, _ in expect.texts(field))

    def mapped(field: str) -> dict[str, str]:
        found = {}
        part = expect.section(field)
        for offer, node in part.fields():
            _known(expect, field, offer, offers, node)
            found[offer] = part.text(offer)
        return found

    bundles = expect.section("bundle")
    told_all = Expectation(
        offered=listed("offered"),
        not_offered=listed("not_offered"),
        only=listed("only") if expect.has("only") else None,
        first=expect.choice("first", offers, ""),
        nothing=expect.flag("nothing", default=False),
        incentive=mapped("incentive"),
        because=mapped("because"),
        reason=mapped("reason"),
        script=mapped("script"),
        immediate_use=listed("immediate_use"),
        mandatory=listed("mandatory"),
        bundle={
            offer: tuple(name for name, _ in bundles.texts(offer)) for offer, _ in bundles.fields()
        },
        degraded=tuple(step for step, _ in expect.texts("degraded")),
    )
    for offer, incentive in told_all.incentive.items():
        if incentive not in catalog.incentives:
            expect.problem(
                "incentive",
                f"{offer}: unknown {incentive!r}; {remedy(incentive, catalog.incentives)}",
            )
    for offer, why in told_all.because.items():
        stage = why.partition(":")[0].strip()
        if stage not in ENDS:
            expect.problem("because", f"{offer}: unknown stage {stage!r}; {remedy(stage, ENDS)}")
    expect.done()
    return told_all


def _known(
    expect: Section, field: str, offer: str, offers: Collection[str], node: yaml.Node
) -> None:
    if offer not in offers:
        expect.problem(field, f"unknown offer {offer!r}; {remedy(offer, offers)}", node)

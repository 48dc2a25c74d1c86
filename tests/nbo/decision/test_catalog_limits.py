"""A large catalogue loads fast and small; what would not is refused before it does harm."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from nbo.decision.catalog_text import load_catalog
from nbo.decision.catalog_tree import MAX_BYTES, MAX_DEPTH, MAX_FILES, MAX_NODES
from nbo.decision.facts import FactSchema
from nbo.errors import WorkspaceError

OFFERS, CONDITIONS = 2_000, 6

LOAD_AND_MEASURE = """
import gc, pathlib, resource, sys, time, tracemalloc
from nbo.decision.catalog_text import load_catalog
from nbo.decision.facts import FactSchema, FactType

def resident():
    pages = pathlib.Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize() / 1e6

text = pathlib.Path(sys.argv[1]).read_text()
schema = FactSchema({f"customer.n{n}": FactType.NUMBER for n in range(40)})
load_catalog(text[: text.index("  - {id: o1,")], "warm.yaml", schema)
gc.collect()
before, started = resident(), time.process_time()
compiled = load_catalog(text, "catalog.yaml", schema)
seconds = time.process_time() - started
gc.collect()
print(len(compiled.rules), len(compiled.treatments), seconds, resident() - before)
"""


def large(distinct: int) -> str:
    """2,000 offers with six conditions and three incentives each, `distinct` of them different."""
    incentives = [f"{{id: i{n}, name: {{en: I}}, kind: gift, cost: {n}}}" for n in (1, 2, 3)]
    lines = [
        "currency: EUR",
        "languages: [en]",
        "channels: {voice: {fallback: none}}",
        "groups: [{id: g}]",
        f"incentives: [{', '.join(incentives)}]",
        "offers:",
    ]
    for number in range(OFFERS):
        lines.append(
            f"  - {{id: o{number}, group: g, name: {{en: Offer {number}}}, channels: [voice],"
            f" value: 50, prior: 0.1, incentives: [none, i1, i2, i3], attributes: {{price: 9.9}},"
            f' script: {{en: "Offer {number}, for {{customer.n1}}?"}}, eligibility: ['
        )
        for condition in range(CONDITIONS):
            rule = (number * CONDITIONS + condition) % distinct
            when = f"customer.n{rule % 40} > {rule // 40}.5 || customer.n{rule % 7} < 3.0"
            lines.append(f"      {{name: r{rule}, when: {when}}},")
        lines.append("    ]}")
    return "\n".join(lines) + "\n"


@pytest.mark.slow
@pytest.mark.parametrize("distinct", [1_000, OFFERS * CONDITIONS])
def test_two_thousand_offers_load_in_a_hundred_megabytes(
    tmp_path_factory: pytest.TempPathFactory, distinct: int
) -> None:
    file = tmp_path_factory.mktemp("large") / "catalog.yaml"
    file.write_text(large(distinct), encoding="utf-8")
    command = [sys.executable, "-c", LOAD_AND_MEASURE, str(file)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rules, treatments, seconds, megabytes = map(float, told.split())
    assert (rules, treatments) == (distinct, OFFERS * 4)
    assert megabytes <= 100
    print(f"{distinct:,} rules: {seconds:.2f} s, {megabytes:.0f} MB")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: " + "[" * 100_000, f"nested deeper than {MAX_DEPTH} levels"),
        ("a: " + "{a: " * 100_000, f"nested deeper than {MAX_DEPTH} levels"),
        ("a: [" + "x," * MAX_NODES + "]", f"more than {MAX_NODES:,} values"),
        ("a: " + "x" * MAX_BYTES, f"larger than {MAX_BYTES:,} bytes"),
        ("a: &a [x]\n" + "b: [" + "*a," * 100_000 + "]", "aliases (*name) are not read"),
        ("a: &a [*a]", "aliases (*name) are not read"),
        ("a: *a", "found undefined alias"),
        ("{? &a x : y, *a : z}", "aliases (*name) are not read"),
        ("".join(f"--- # file: f{n}\n" for n in range(MAX_FILES + 1)), f"more than {MAX_FILES:,}"),
    ],
)
def test_what_is_too_much_is_refused_for_what_is_too_much(
    schema: FactSchema, text: str, told: str
) -> None:
    with pytest.raises(WorkspaceError) as caught:
        load_catalog(text, "catalog.yaml", schema)
    assert told in str(caught.value)


def test_the_bounds_hold_over_all_files_together(schema: FactSchema) -> None:
    half = f"a: [{'x,' * (MAX_NODES // 2)}]\n"
    with pytest.raises(WorkspaceError, match=r"^g.*more than"):
        load_catalog(f"--- # file: f\n{half}--- # file: g\n{half}", "catalog", schema)


def test_depth_counts_what_is_open_at_once(schema: FactSchema) -> None:
    """Many branches side by side are not deep, and closing one gives its depth back."""
    deep = "[" * (MAX_DEPTH - 2) + "]" * (MAX_DEPTH - 2)
    with pytest.raises(WorkspaceError, match="unknown field 'a'"):
        load_catalog(f"a: [{deep}, {deep}]", "catalog.yaml", schema)
    with pytest.raises(WorkspaceError, match="nested deeper"):
        load_catalog(f"a: [[[{deep}]]]", "catalog.yaml", schema)


def test_loading_leaves_the_rest_of_the_process_alone(
    schema: FactSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who loads may switch garbage collection off meanwhile; reading itself touches nothing."""
    touched: list[str] = []
    monkeypatch.setattr(gc, "disable", lambda: touched.append("off"))
    with pytest.raises(WorkspaceError):
        load_catalog("a: [", "catalog.yaml", schema)
    assert touched == []

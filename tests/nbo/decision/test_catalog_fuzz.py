"""Whatever stands in a catalogue, it loads or it is refused with places; never anything else."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbo.decision.catalog_text import load_catalog
from nbo.decision.facts import FactSchema
from nbo.errors import WorkspaceError

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["2026-01-01", "30d", "none", "voice", "'", "!x", "*a", "{a: [1]}", "[", "|"]),
)
snippets = scalars.map(str)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    edits=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 12), snippets), min_size=1, max_size=4
    ),
)
def test_a_damaged_catalogue_loads_or_is_refused(
    catalog_text: str,
    schema: FactSchema,
    edits: list[tuple[float, int, str]],
) -> None:
    text = catalog_text
    for place, length, snippet in edits:
        start = int(place * len(text))
        text = text[:start] + snippet + text[start + length :]
    refused_or_loaded(text, schema)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(line=st.integers(0, 70), value=snippets)
def test_a_field_with_any_value_loads_or_is_refused(
    catalog_text: str, schema: FactSchema, line: int, value: str
) -> None:
    lines = catalog_text.splitlines()
    at = line % len(lines)
    lines[at] = lines[at].partition(":")[0] + f": {value}"
    refused_or_loaded("\n".join(lines), schema)


def refused_or_loaded(text: str, schema: FactSchema) -> None:
    problems = None
    try:
        load_catalog(text, "catalog.yaml", schema)
    except WorkspaceError as error:
        problems = error.problems
    assert problems is None or (problems and all(problem.message for problem in problems))

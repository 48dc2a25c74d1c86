import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.packing import Packing
from features.schema import Column, View

VIEW = View(
    "profile",
    tuple(
        Column(name, dtype)
        for name, dtype in [
            ("a", "f8"),
            ("city", "text"),
            ("b", "f4"),
            ("n", "i8"),
            ("yes", "bool"),
            ("joined", "time"),
            ("note", "text"),
            ("c", "f8"),
            ("d", "f8"),
        ]
    ),
    ttl_seconds=60.0,
)
I64 = st.integers(-(2**63), 2**63 - 1)
CELLS = st.fixed_dictionaries(
    {},
    optional={
        "a": st.floats(allow_nan=False),
        "b": st.floats(allow_nan=False, width=32),
        "n": I64,
        "yes": st.booleans(),
        "joined": I64,
        "city": st.text(),
        "note": st.text(),
        "c": st.floats(allow_nan=False),
        "d": st.floats(allow_nan=False),
    },
)


@given(CELLS, I64)
def test_a_row_comes_back_as_it_was(cells, at_us):
    data = Packing(VIEW).pack(at_us, cells)
    assert Packing(VIEW).unpack(data) == (at_us, cells)


@pytest.mark.parametrize(
    "other",
    [
        View("other", VIEW.columns),
        View("profile", VIEW.columns[:-1]),
        View("profile", (Column("a", "f4"), *VIEW.columns[1:])),
        View("profile", (VIEW.columns[-1], *VIEW.columns[1:-1], VIEW.columns[0])),
    ],
)
def test_a_row_of_another_schema_is_not_read(other):
    data = Packing(other).pack(5, {"a": 1.0})
    assert Packing(VIEW).unpack(data) is None
    assert Packing(VIEW).facts(data, 5) == {}


def test_facts_have_three_types_and_leave_out_what_is_unknown():
    cells = {"a": float("nan"), "n": 3, "yes": False, "city": "Köln", "joined": 7, "b": None}
    facts = Packing(VIEW).facts(Packing(VIEW).pack(0, cells), 0)
    assert facts == {
        "customer.n": 3.0,
        "customer.yes": False,
        "customer.city": "Köln",
        "customer.joined": 7.0,
    }
    assert type(facts["customer.n"]) is float
    assert facts["customer.yes"] is False


def test_a_row_is_unknown_after_its_time_to_live():
    data = Packing(VIEW).pack(0, {"a": 1.0})
    assert Packing(VIEW).facts(data, 60_000_000) == {"customer.a": 1.0}
    assert Packing(VIEW).facts(data, 60_000_001) == {}


def test_truncated_bytes_are_not_a_row():
    assert Packing(VIEW).unpack(Packing(VIEW).pack(0, {"a": 1.0})[:20]) is None

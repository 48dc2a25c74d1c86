"""A table that lacks what the definitions name is told in one line, before Feast reads it."""

from datetime import UTC, datetime

import polars as pl
import pytest

from features.materialize import apply, materialize
from features.sources import check_sources
from nbo.errors import WorkspaceError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CUSTOMERS = {
    "customer_id": ["c-1"],
    "event_timestamp": [NOW],
    "tenure_months": [1.0],
    "monthly_charge": [2.0],
    "age": [30],
    "lines": [1],
    "plan": ["S"],
    "has_internet": [True],
    "joined": [NOW],
}
CREDIT = {"customer_id": ["c-1"], "scored_at": [NOW], "credit_score": [0.5]}
IDENTITIES = {"customer_id": ["c-1"], "kind": ["email"], "value": ["a@b.de"]}
TABLES = {"customers": CUSTOMERS, "credit": CREDIT, "identities": IDENTITIES}


def write(repo, **tables):
    for name, columns in (TABLES | tables).items():
        pl.DataFrame(columns).write_parquet(repo.parent / "data" / f"{name}.parquet")


def without(columns, *names):
    return {name: values for name, values in columns.items() if name not in names}


def problems(repo, redis_url):
    with pytest.raises(WorkspaceError) as refused:
        apply(repo, redis_url, repo.parent / "schema.json")
    assert not (repo.parent / "schema.json").exists()
    assert not (repo.parent / ".nbo" / "registry.db").exists()
    return refused.value.problems


def line_of(repo, text):
    lines = (repo / "definitions.py").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_a_field_without_a_column_is_located_and_the_columns_are_named(repo, redis_url):
    write(repo, customers=without(CUSTOMERS, "age", "plan"))
    age, plan = problems(repo, redis_url)
    known = ", ".join(without(CUSTOMERS, "age", "plan"))
    place = f"{repo / 'definitions.py'}:" + str(line_of(repo, '"age"'))
    assert str(age) == (
        f"{place}  profile.age: no such column in data/customers.parquet (it has: {known})"
    )
    assert (plan.line, plan.message[:12]) == (line_of(repo, '"plan"'), "profile.plan")


@pytest.mark.parametrize(
    ("table", "column", "message", "text"),
    [
        ("credit", "customer_id", "credit.customer_id: no such column in data/credit", '"custom'),
        ("credit", "scored_at", "credit.scored_at: no such column in data/credit", "scored_at"),
        ("identities", "kind", "identities.kind: no such column in data/ident", "identities ="),
        ("identities", "customer_id", "identities.customer_id: no such column", "identities ="),
    ],
)
def test_key_and_timestamp_and_identities_are_checked(
    repo, redis_url, table, column, message, text
):
    write(repo, **{table: without(TABLES[table], column)})
    (found,) = problems(repo, redis_url)
    assert found.message.startswith(message)
    assert found.line == line_of(repo, text)


def test_missing_and_unreadable_files_are_named(repo, redis_url):
    write(repo)
    (repo.parent / "data" / "credit.parquet").unlink()
    (repo.parent / "data" / "customers.parquet").write_text("customer_id,age\n")
    customers, credit = problems(repo, redis_url)
    assert credit.message == "credit: there is no file data/credit.parquet"
    assert credit.line == line_of(repo, "credit.parquet")
    assert customers.message.startswith("profile: data/customers.parquet is no Parquet table: ")
    assert "\n" not in customers.message


def test_a_table_that_changed_since_is_refused_when_it_is_loaded(store, repo, redis_url):
    write(repo)
    apply(repo, redis_url, repo.parent / "schema.json")
    write(repo, customers=without(CUSTOMERS, "lines"))
    with pytest.raises(WorkspaceError, match=r"profile\.lines: no such column"):
        materialize(repo, redis_url, NOW)
    write(repo)
    assert materialize(repo, redis_url, NOW) == {"profile": 1, "credit": 1}


def test_mapped_columns_and_folders_are_understood(repo):
    from feast import Entity, FeatureView, Field, FileSource
    from feast.types import Int64

    folder = repo.parent / "data" / "parts"
    folder.mkdir()
    table = {"customer_id": ["c-1"], "at": [NOW], "AGE": [30]}
    for part in range(2):
        pl.DataFrame(table).write_parquet(folder / f"{part}.parquet")

    def view(mapping):
        source = FileSource(path="../data/parts", timestamp_field="at", field_mapping=mapping)
        entity = Entity(name="customer", join_keys=["customer_id"])
        schema = [Field(name="age", dtype=Int64)]
        return FeatureView(name="profile", entities=[entity], schema=schema, source=source)

    check_sources(repo, [view({"AGE": "age"})])
    with pytest.raises(WorkspaceError, match=r"profile\.age: no column 'YEARS' in data/parts"):
        check_sources(repo, [view({"YEARS": "age"})])

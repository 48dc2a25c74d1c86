import subprocess
import sys

import pytest

from features.definitions import EventType, Window
from features.schema import Column, FeatureSchema, View, compile_schema
from nbo.decision.facts import INTERACTION_FACTS, FactType
from nbo.decision.history import HISTORY_FACTS
from nbo.errors import NotFoundError, WorkspaceError

SCHEMA = FeatureSchema(
    views={
        "profile": View(
            "profile",
            (Column("age", "i8"), Column("plan", "text"), Column("vip", "bool")),
            source="../data/c.parquet",
            ttl_seconds=60.0,
        )
    },
    windows=(
        Window("calls_30d", "care.*", "count", "30d", where={"angry": True}),
        Window("topic", "*", "last", "90s", "topic"),
    ),
    events={"care.called": EventType("care.called", {"topic": "text", "angry": "flag"})},
    identities="../data/i.parquet",
)


def test_a_saved_schema_comes_back(tmp_path):
    path = tmp_path / ".nbo" / "schema.json"
    SCHEMA.save(path)
    assert FeatureSchema.load(path) == SCHEMA
    assert [p.name for p in path.parent.iterdir()] == ["schema.json"]


def test_without_a_compiled_schema_the_remedy_is_named(tmp_path):
    with pytest.raises(NotFoundError, match="compile the feature repo"):
        FeatureSchema.load(tmp_path / "schema.json")
    (tmp_path / "schema.json").write_text('{"format": 99}')
    with pytest.raises(NotFoundError, match="compile the feature repo"):
        FeatureSchema.load(tmp_path / "schema.json")


def test_facts_are_the_profile_the_windows_the_event_and_those_of_every_workspace():
    assert SCHEMA.fact_schema().types == {
        "customer.age": FactType.NUMBER,
        "customer.plan": FactType.TEXT,
        "customer.vip": FactType.FLAG,
        "customer.calls_30d": FactType.NUMBER,
        "customer.topic": FactType.TEXT,
        "event.topic": FactType.TEXT,
        "event.angry": FactType.FLAG,
        **INTERACTION_FACTS,
        **HISTORY_FACTS,
    }


def test_reading_customers_needs_no_feast():
    code = (
        "import sys, features.reader, features.worker, features.identity, features.frames\n"
        "slow = {'feast', 'pandas', 'polars', 'phonenumbers'} & set(sys.modules)\n"
        "sys.exit(str(slow) if slow else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_repo_is_compiled(repo, definitions_text):
    schema = compile_schema(repo)
    assert [c.dtype for c in schema.views["profile"].columns] == [
        "f8",
        "f4",
        "i8",
        "i8",
        "text",
        "bool",
        "time",
    ]
    assert schema.views["profile"].source == "../data/customers.parquet"
    assert schema.views["credit"].ttl_seconds == 30 * 86_400
    assert schema.views["credit"].timestamp == "scored_at"
    assert [w.name for w in schema.windows] == ["calls_30d", "web_7d", "last_topic"]
    assert sorted(schema.events) == ["care.called", "web.bought", "web.clicked"]
    assert schema.identities == "../data/identities.parquet"


def problems(repo, text):
    (repo / "definitions.py").write_text(text)
    with pytest.raises(WorkspaceError) as caught:
        compile_schema(repo)
    return [(problem.line, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"web.*", "count"', '"wep.*", "count"', "matches no event type"),
        ('attribute="topic"', 'attribute="colour"', "must be one of its events' (topic"),
        ('Window("web_7d"', 'Window("calls_30d"', "'calls_30d' is defined twice"),
        ('Window("web_7d"', 'Window("age"', "stands in view 'profile' and in windows"),
        ('{"topic": "text"}', '{"topic": "number"}', "event.topic is a text in 'care.called'"),
        ('name="age", dtype=Int64', 'name="Age", dtype=Int64', "must be lower case"),
        (
            'name="age", dtype=Int64',
            'name="age", dtype=__import__("feast.types").types.Array(Int64)',
            "must be Float32",
        ),
        ('join_keys=["customer_id"]', 'join_keys=["account"]', "must be ['customer_id']"),
        ('name="credit_score"', 'name="age"', "stands in view"),
        ("windows = [", "windows = ['calls',", "windows must be a list of Window"),
        ('IdentitySource("../data/identities.parquet")', "'x'", "must be an IdentitySource"),
        (
            'Window("web_7d", "web.*", "count", over="7d")',
            'Window("web_7d", "web.*", "sum", "7d", "topic")',
            "sum needs a number, 'topic' is a text",
        ),
        (
            'Window("web_7d", "web.*", "count", over="7d")',
            'Window("web_7d", "web.*", "count", "7d", where={"topic": 1})',
            "where 'topic' == 1.0, is a text",
        ),
    ],
)
def test_each_mistake_is_found_where_it_stands(repo, definitions_text, old, new, message):
    assert old in definitions_text
    found = problems(repo, definitions_text.replace(old, new))
    assert any(message in text and line > 0 for line, text in found), found


def test_all_mistakes_are_found_at_once(repo, definitions_text):
    text = definitions_text.replace('"web.*", "count"', '"x.*", "count"')
    assert len(problems(repo, text.replace('name="age"', 'name="Age"'))) == 2


def test_code_that_does_not_run_is_located(repo, definitions_text):
    (line, message), *_ = problems(repo, definitions_text + "\nwindows = [\n")
    assert "was never closed" in message
    assert line == len(definitions_text.splitlines()) + 2
    text = definitions_text.replace('over="7d"', 'over="7 days"')
    [(line, message)] = problems(repo, text)
    assert "must be a number and s, m, h, d or w" in message
    assert "7 days" in text.splitlines()[line - 1]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WorkspaceError, match=r"definitions\.py  there is no such file"):
        compile_schema(tmp_path)

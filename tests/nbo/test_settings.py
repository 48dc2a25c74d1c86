from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from nbo.errors import WorkspaceError
from nbo.settings import Settings, parse_listen

WHOLE = """\
[workspace]
name = "telco"
currency = "CHF"
country = "CH"

[stores]
redis = "redis://r:6379"
ledger = "postgresql://db/nbo"
mlflow = "http://mlflow"

[serving]
listen = "0.0.0.0:1"
accept_request_time = true
unknown_event_types = "ignore"
trigger_minutes = 30

[learning]
attribution_days = 14

[models.plugins]
oracle = "world/oracle.py:Oracle"
"""


def workspace(folder: Path, text: str) -> Path:
    (folder / "nbo.toml").write_text(text, encoding="utf-8")
    return folder


def problems(folder: Path) -> list[tuple[int, str]]:
    with pytest.raises(WorkspaceError) as refused:
        Settings.load(folder)
    assert all(p.file in (str(folder / "nbo.toml"), "environment") for p in refused.value.problems)
    return [(problem.line, problem.message) for problem in refused.value.problems]


def test_every_setting_is_read(tmp_path: Path) -> None:
    settings = Settings.load(workspace(tmp_path, WHOLE))
    assert settings.workspace.country == "CH"
    assert settings.stores.ledger == "postgresql://db/nbo"
    assert settings.serving.accept_request_time is True
    assert settings.serving.unknown_event_types == "ignore"
    assert settings.trigger == timedelta(minutes=30)
    assert settings.attribution == timedelta(days=14)
    assert settings.models.plugins == {"oracle": "world/oracle.py:Oracle"}


def test_a_name_is_enough(tmp_path: Path) -> None:
    settings = Settings.load(workspace(tmp_path, '[workspace]\nname = "a"\n'))
    assert settings.stores.redis == settings.stores.ledger == settings.stores.mlflow == "embedded"
    assert settings.serving.listen == "127.0.0.1:50551"
    assert settings.serving.accept_request_time is False
    assert settings.attribution == timedelta(days=7)


def test_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace(tmp_path, WHOLE)
    monkeypatch.chdir(tmp_path)
    settings = Settings.load(".")
    assert settings.directory == tmp_path
    assert settings.state_dir == tmp_path / ".nbo"
    assert settings.catalog_file == tmp_path / "catalog.yaml"
    assert settings.feature_repo == tmp_path / "feature_repo"
    assert settings.schema_file.parent == settings.state_dir


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBO_STORES__LEDGER", "postgresql://elsewhere/nbo")
    monkeypatch.setenv("NBO_SERVING__ACCEPT_REQUEST_TIME", "false")
    monkeypatch.setenv("NBO_REDIS_URL", "is somebody else's")
    settings = Settings.load(workspace(tmp_path, WHOLE))
    assert settings.stores.ledger == "postgresql://elsewhere/nbo"
    assert settings.stores.redis == "redis://r:6379"
    assert settings.serving.accept_request_time is False


def test_a_wrong_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBO_SERVING__TRIGGER_MINUTES", "soon")
    ((_, message),) = problems(workspace(tmp_path, '[workspace]\nname = "a"\n'))
    assert "NBO_SERVING__TRIGGER_MINUTES" in message
    monkeypatch.setenv("NBO_SERVING", "soon")
    ((_, message),) = problems(tmp_path)
    assert "serving" in message


def test_all_mistakes_at_once_each_with_its_line(tmp_path: Path) -> None:
    text = """\
[workspace]
name = "telco"
contry = "DE"
[stores]
redis = "ftp://x"
ledger = "mysql://db"
[serving]
listen = "localhost"
trigger_minutes = -1
accept_request_time = "perhaps"
unknown_event_types = "maybe"
[lerning]
x = 1
[models]
plugins.oracle = "world/oracle.py"
"""
    found = problems(workspace(tmp_path, text))
    assert [line for line, _ in found] == [3, 5, 6, 8, 9, 10, 11, 12, 15]
    messages = dict(found)
    assert "did you mean 'country'?" in messages[3]
    assert "'ftp://x'" in messages[5]
    assert "did you mean 'learning'?" in messages[12]
    assert "file.py:Class" in messages[15]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    assert problems(workspace(tmp_path, "[workspace]\n")) == [
        (1, "workspace.name: is missing"),
    ]


@pytest.mark.parametrize(
    ("text", "line"), [('[workspace]\nname = "telco\n', 2), ("\n\nname telco", 3)]
)
def test_a_syntax_error_is_located(tmp_path: Path, text: str, line: int) -> None:
    ((where, message),) = problems(workspace(tmp_path, text))
    assert where == line
    assert "line" not in message


def test_a_folder_without_settings_says_what_to_do(tmp_path: Path) -> None:
    ((_, message),) = problems(tmp_path)
    assert "nbo init" in message


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:50551", "127.0.0.1", 50551),
        ("localhost:0", "localhost", 0),
        ("[::1]:65535", "::1", 65535),
    ],
)
def test_an_address_comes_back_as_written(text: str, host: str, port: int) -> None:
    address = parse_listen(text)
    assert (address.host, address.port) == (host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    ["foo", ":1", "127.0.0.1:", "127.0.0.1:99999", "::1:50551", "[::1]", "a b:1", "unix:/x", "h:١"],
)
def test_what_is_no_address_is_refused_in_settings_as_anywhere(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"must be host:port"):
        parse_listen(text)
    lines = f'[workspace]\nname = "a"\n[serving]\nlisten = "{text}"\n'
    ((line, message),) = problems(workspace(tmp_path, lines))
    assert line == 4
    assert repr(text) in message

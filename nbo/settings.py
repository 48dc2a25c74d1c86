"""Settings of one workspace: `nbo.toml`, overridden by the environment.

Any setting may be overridden by ``NBO_<TABLE>__<KEY>``, e.g.
``NBO_STORES__LEDGER=postgresql://nbo@db/nbo``. Only `serving`, `training` and `nbo.cli` read
settings; everything below them is given plain arguments.
"""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.exceptions import SettingsError

from nbo.errors import Problem, WorkspaceError
from nbo.setting_problems import ENV_DELIMITER, ENV_PREFIX, setting_problems, syntax_problem

FILE = "nbo.toml"
EMBEDDED = "embedded"
STATE = ".nbo"
"""Folder in a workspace for all that the engine itself writes; may be deleted."""


def _matching(pattern: str, meaning: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"must be {meaning}, was {value!r}")
        return value

    return AfterValidator(check)


class Address(NamedTuple):
    """Where a server listens.

    Attributes:
        host: A name or an IP address, without brackets.
        port: 0 to 65535; 0 lets the system choose one.
    """

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_listen(text: str) -> Address:
    """Read ``"127.0.0.1:50551"``, ``"localhost:0"`` or ``"[::1]:50551"``.

    >>> str(parse_listen("[::1]:50551"))
    '[::1]:50551'

    Raises:
        ValueError: no such address, with what would be one.
    """
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:\[\]/]+)):([0-9]{1,5})", text)
    if found is None or int(found[3]) > 65535:
        raise ValueError(
            "must be host:port with a port up to 65535, e.g. '127.0.0.1:50551' or "
            f"'[::1]:50551', was {text!r}"
        )
    return Address(found[1] or found[2], int(found[3]))


def _checked_listen(text: str) -> str:
    return str(parse_listen(text))


RedisUrl = Annotated[
    str, _matching(r"embedded|(rediss?|unix)://.+", "'embedded', redis://…, rediss://… or unix://…")
]
LedgerUrl = Annotated[
    str, _matching(r"embedded|postgres(ql)?(\+psycopg)?://.+", "'embedded' or postgresql://…")
]
Listen = Annotated[str, AfterValidator(_checked_listen)]
PluginPath = Annotated[
    str, _matching(r"[^:]+\.py:[A-Za-z_]\w*", "'file.py:Class', relative to the workspace")
]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WorkspaceSettings(_Table):
    """Who this workspace is.

    Attributes:
        name: Names its model in the registry and its rows in reports.
        currency: ISO 4217, for display; the catalogue's decides.
        country: ISO 3166 region of phone numbers written without a country code; empty for none.
    """

    name: Annotated[str, _matching(r"[a-z][a-z0-9_-]{0,39}", "a short lower-case name")]
    currency: str = "EUR"
    country: Annotated[str, _matching(r"([A-Z]{2})?", "two capital letters, e.g. 'DE'")] = ""


class StoreSettings(_Table):
    """Where the stores are: ``"embedded"`` for private ones in `.nbo/`, else a URL.

    Attributes:
        redis: ``redis://…``.
        ledger: ``postgresql://…``.
        mlflow: A tracking URI.
    """

    redis: RedisUrl = EMBEDDED
    ledger: LedgerUrl = EMBEDDED
    mlflow: str = EMBEDDED


class ServingSettings(_Table):
    """How questions are answered.

    Attributes:
        listen: host:port of the gRPC server; see `parse_listen`.
        accept_request_time: Whether a request may name its own instant, for replays and
            simulations; false in production.
        unknown_event_types: ``"refuse"`` events of undeclared types, or ``"ignore"`` them: the
            rest of the event is still checked, then it is dropped and changes nothing.
        trigger_minutes: How long the latest event counts as the reason of a contact.
        deadline_ms: Every answer comes within so many milliseconds where the caller sets no
            deadline; a shorter time costs quality, not the answer.
        last_known_customers: Of so many customers each server process remembers what was known,
            for when Redis does not answer; about 4 kB each. 0 for none.
        last_known_minutes: What was known so long ago is not used any more.
        consent_minutes: The same for what a customer consents to, which may have been withdrawn
            since; 0 never uses it.
        reservation_minutes: How long an offer that was returned is kept for its customer, where
            it or its incentive has a cap or budget; an answer ends it earlier.
    """

    listen: Listen = "127.0.0.1:50551"
    accept_request_time: bool = False
    unknown_event_types: Literal["refuse", "ignore"] = "refuse"
    trigger_minutes: float = Field(default=60.0, gt=0)
    deadline_ms: float = Field(default=1000.0, ge=10, le=60_000)
    last_known_customers: int = Field(default=10_000, ge=0)
    last_known_minutes: float = Field(default=60.0, gt=0, le=100_000)
    consent_minutes: float = Field(default=0.0, ge=0, le=100_000)
    reservation_minutes: float = Field(default=30.0, gt=0, le=100_000)


class LearningSettings(_Table):
    """How outcomes become labels, and labels a model.

    Attributes:
        attribution_days: An exposure without an answer is a "no" only after so many days.
        trees: The batch model has at most so many; fewer when later data no longer improves.
        leaves: Per tree.
        rate: Shrinkage of each tree, in (0, 1].
        online: Whether answers correct the model as they come; false leaves all learning to
            training.
    """

    attribution_days: float = Field(default=7.0, gt=0)
    trees: int = Field(default=300, ge=1, le=10_000)
    leaves: int = Field(default=8, ge=2, le=256)
    rate: float = Field(default=0.04, gt=0, le=1)
    online: bool = True


class ModelSettings(_Table):
    """Models beside the champion.

    Attributes:
        plugins: Name, as arms use it, to ``"file.py:Class"``; built with the workspace's path.
    """

    plugins: dict[str, PluginPath] = Field(default_factory=dict)


class Settings(BaseSettings):
    """All settings of one workspace, table by table as in the file."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter=ENV_DELIMITER,
        extra="forbid",
        frozen=True,
    )

    _directory: Path = PrivateAttr()

    workspace: WorkspaceSettings
    stores: StoreSettings = StoreSettings()
    serving: ServingSettings = ServingSettings()
    learning: LearningSettings = LearningSettings()
    models: ModelSettings = ModelSettings()

    @classmethod
    def load(cls, workspace_dir: Path | str) -> Self:
        """Read ``nbo.toml`` of a workspace and the environment.

        Raises:
            WorkspaceError: the file is missing or wrong; holds every problem with its line.
        """
        directory = Path(workspace_dir).resolve()
        file = directory / FILE
        shown = str(Path(workspace_dir) / FILE)
        try:
            text = file.read_text(encoding="utf-8")
            tables = tomllib.loads(text)
        except FileNotFoundError:
            message = "not found: is this a workspace? `nbo init telco my-nbo` makes one"
            raise WorkspaceError([Problem(shown, 0, 0, message)]) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise WorkspaceError([syntax_problem(shown, error)]) from None
        try:
            settings = cls(**tables)
        except ValidationError as error:
            raise WorkspaceError(setting_problems(cls, shown, text, error)) from None
        except SettingsError as error:
            raise WorkspaceError([Problem("environment", 0, 0, str(error))]) from None
        settings._directory = directory
        return settings

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file."""
        return env_settings, init_settings

    @property
    def directory(self) -> Path:
        """The workspace folder, absolute."""
        return self._directory

    @property
    def state_dir(self) -> Path:
        """Where embedded stores, the Feast registry and artefacts live; may be deleted."""
        return self.directory / STATE

    @property
    def catalog_file(self) -> Path:
        """What marketing writes, as one file."""
        return self.directory / "catalog.yaml"

    @property
    def catalog_folder(self) -> Path:
        """What marketing writes, as several files."""
        return self.directory / "catalog"

    @property
    def feature_repo(self) -> Path:
        """Feast and window definitions."""
        return self.directory / "feature_repo"

    @property
    def schema_file(self) -> Path:
        """The compiled feature schema, written by `nbo` and read by the server."""
        return self.state_dir / "schema.json"

    @property
    def attribution(self) -> timedelta:
        """After which an exposure without an answer is a "no"."""
        return timedelta(days=self.learning.attribution_days)

    @property
    def trigger(self) -> timedelta:
        """How long the latest event counts as the reason of a contact."""
        return timedelta(minutes=self.serving.trigger_minutes)

    @property
    def deadline(self) -> timedelta:
        """How long an answer may take when the caller sets no deadline."""
        return timedelta(milliseconds=self.serving.deadline_ms)

    @property
    def last_known(self) -> timedelta:
        """How long what was known of a customer is used while Redis does not answer."""
        return timedelta(minutes=self.serving.last_known_minutes)

    @property
    def last_known_consent(self) -> timedelta:
        """How long a consent last known is relied on while Redis does not answer."""
        return timedelta(minutes=self.serving.consent_minutes)

    @property
    def reservation(self) -> timedelta:
        """How long an offer that was returned is kept for its customer."""
        return timedelta(minutes=self.serving.reservation_minutes)

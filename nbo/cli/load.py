"""`nbo features materialize`, `nbo ledger import | url`: the doors for data in bulk."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nbo.cli import load_events
from nbo.cli.output import print_json
from nbo.cli.workspace import JsonOption, WorkspaceOption
from nbo.errors import UnavailableError
from nbo.settings import EMBEDDED, Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from serving.stores import Stores

features_app = typer.Typer(help="Customer features: batch tables through Feast.")
ledger_app = typer.Typer(help="The ledger of decisions and outcomes.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    features_app.command("materialize", epilog="Example:  nbo features materialize")(materialize)
    ledger_app.command("import", epilog="Example:  nbo ledger import data/past-offers.parquet")(
        import_log
    )
    ledger_app.command("url", epilog="Example:  nbo ledger url")(ledger_url)
    load_events.register(features_app)
    app.add_typer(features_app, name="features")
    app.add_typer(ledger_app, name="ledger")


def materialize(workspace: WorkspaceOption = Path(), as_json: JsonOption = False) -> None:
    """Load the workspace's batch tables and identities into the live store, through Feast."""
    from serving.stores import open_stores

    settings = Settings.load(workspace)
    with open_stores(settings) as stores:
        counts = load_features(settings, stores, datetime.now(UTC))
    if as_json:
        print_json(counts)
    else:
        for name, rows in counts.items():
            typer.echo(f"{name}: {rows:,} rows")


def import_log(
    file: Annotated[Path, typer.Argument(help="Parquet or CSV; columns in docs/import.md.")],
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Import past offers and their outcomes; importing a file twice counts it once."""
    from serving.stores import open_stores

    settings = Settings.load(workspace)
    with open_stores(settings) as stores:
        counts = load_log(stores, file)
    if as_json:
        print_json(counts)
    else:
        typer.echo("  ".join(f"{name}: {count:,}" for name, count in counts.items()))


def ledger_url(workspace: WorkspaceOption = Path()) -> None:
    """Print the SQLAlchemy URL of the ledger, for notebooks and SQL tools."""
    from serving.embedded_postgres import EmbeddedPostgres
    from serving.running import read_running

    settings = Settings.load(workspace)
    if settings.stores.ledger != EMBEDDED:
        typer.echo(settings.stores.ledger)
        return
    if read_running(settings.state_dir) is None:
        raise UnavailableError("ledger", "the embedded one runs while `nbo up` runs; start that")
    typer.echo(EmbeddedPostgres(settings.state_dir).start())  # joins the one that runs


def load_features(settings: Settings, stores: Stores, upto: datetime) -> dict[str, int]:
    """Apply the feature repo and materialise it; rows per view, and identities."""
    from features import materialize as feast_side
    from serving.workspace_state import mark_schema_current, require_served_features

    require_served_features(settings)
    schema = feast_side.apply(settings.feature_repo, stores.redis_url, settings.schema_file)
    mark_schema_current(settings)
    counts = feast_side.materialize(settings.feature_repo, stores.redis_url, upto)
    if schema.identities:
        counts["identities"] = feast_side.load_identities(
            settings.feature_repo, stores.redis_url, schema, settings.workspace.country
        )
    return counts


def load_log(stores: Stores, file: Path) -> dict[str, int]:
    """Import a log of past offers into the ledger and the histories; returns what was new.

    `contacts` counts what stands in the histories now, `contacts_left_out` what the live store
    cannot hold.
    """
    from nbo.ledger import importing
    from nbo.ledger.engine import migrate, open_ledger

    ledger = open_ledger(stores.ledger_url)
    try:
        migrate(ledger)
        counts = importing.import_log(ledger, file)
        written, left_out = _load_histories(ledger, stores)
        return {**counts._asdict(), "contacts": written, "contacts_left_out": left_out}
    finally:
        ledger.dispose()


def _load_histories(ledger: Engine, stores: Stores) -> tuple[int, int]:
    """Write the contacts that may still be asked for into Redis; doing so twice changes nothing.

    Returns:
        How many were written, and how many were left out because Redis cannot hold them.
    """
    import redis

    from features import history
    from nbo.errors import BadInputError
    from nbo.ledger.contacts import contacts, latest

    written = left_out = 0
    since = min(latest(ledger) or datetime.now(UTC), datetime.now(UTC)) - history.STORED
    with redis.Redis.from_url(stores.redis_url) as live:
        pipe = live.pipeline(transaction=False)
        for customer_id, found in groupby(contacts(ledger, since), itemgetter(0)):
            theirs = [contact for _, contact in found]
            try:
                history.extend(pipe, customer_id, theirs)
                written += len(theirs)
            except BadInputError:
                left_out += len(theirs)
            if len(pipe) >= 1000:
                pipe.execute()
        pipe.execute()
    return written, left_out

"""Catalogues for deciding: read against the workspace's facts, and the one in force in the ledger.

Everything here blocks: call it on a thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import structlog
from sqlalchemy import Engine

from nbo.decision.catalog_text import CompiledCatalog
from nbo.decision.facts import FactSchema
from nbo.errors import Problem, UnavailableError, WorkspaceError
from nbo.ledger import catalogs
from nbo.ledger.catalogs import Publication
from nbo.ledger.rates import group_rates
from serving.catalog_loading import load_undisturbed

log = structlog.get_logger()

RETRY_SECONDS = 5.0
"""Between tries to compile what failed for no fault of its own: each costs a core a second."""

RATES_WINDOW = timedelta(days=180)
RATES_AT_LEAST = 30
"""Exposures a group must have for its rate to stand in for priors that are not declared."""


_NONE_KNOWN: Mapping[str, float] = {}


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class CatalogCompiler:
    """Reads, checks and compiles catalogue texts.

    Attributes:
        ledger: Where the observed rates of undeclared priors come from.
        schema: The facts rules may read.
        currency: The workspace's, which the catalogue's must equal; empty for any.
        attribution: How long after its exposure an acceptance may come.
        now: The clock.
    """

    ledger: Engine
    schema: FactSchema
    currency: str = ""
    attribution: timedelta = timedelta(days=7)
    now: Callable[[], datetime] = _utc_now

    def compile(
        self, text: str, file: str, rates: Mapping[str, float] | None = None
    ) -> CompiledCatalog:
        """Compile a text.

        Args:
            text: As published: one file, or several joined.
            file: What messages call it.
            rates: Acceptance rate by group where offers declare no prior; by default those
                observed until now.

        Raises:
            WorkspaceError: it is wrong; holds every mistake found.
            UnavailableError: the ledger does not answer.
        """
        rates = self.rates() if rates is None else rates
        compiled = load_undisturbed(text, file, self.schema, rates)
        require_currency(compiled, self.currency, file)
        return compiled

    def rates(self, known: Mapping[str, float] = _NONE_KNOWN) -> Mapping[str, float]:
        """The acceptance rates by group: those known, else those observed until now."""
        return ObservedRates(self.ledger, self.now(), self.attribution, known)


class ObservedRates(Mapping[str, float]):
    """Accepted ÷ presented by group, as the ledger has it; read when first asked for.

    Most catalogues declare every prior, and a ledger of years takes a while to count.

    Args:
        ledger: Where outcomes are.
        at: Rates of the 180 days up to it.
        attribution: Exposures younger than this are not counted yet.
        known: Rates that are not looked up.
    """

    def __init__(
        self, ledger: Engine, at: datetime, attribution: timedelta, known: Mapping[str, float]
    ) -> None:
        self._ledger = ledger
        self._at = at
        self._attribution = attribution
        self._known = known

    @cached_property
    def _rates(self) -> dict[str, float]:
        since = self._at - RATES_WINDOW
        observed = group_rates(self._ledger, since, self._at, self._attribution, RATES_AT_LEAST)
        return {**observed, **self._known}

    def __getitem__(self, group_id: str) -> float:
        return self._known[group_id] if group_id in self._known else self._rates[group_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rates)

    def __len__(self) -> int:
        return len(self._rates)


def require_currency(compiled: CompiledCatalog, currency: str, file: str) -> None:
    """Refuse a catalogue in another currency than the workspace's, if that names one."""
    found = compiled.catalog.currency
    if currency and found != currency:
        told = f"currency must be {currency}, as in nbo.toml, was {found}"
        raise WorkspaceError([Problem(file, 0, 0, told)])


class PublishedCatalogs:
    """Follows what is in force in the ledger; one caller at a time.

    Args:
        compiler: Compiles what was published.
        clock: Seconds, of any beginning.
    """

    def __init__(
        self, compiler: CatalogCompiler, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._compiler = compiler
        self._seen = 0  # number of the latest publication that was looked at
        self._at_hand: CompiledCatalog | None = None
        self._clock = clock
        self._failed = 0  # number of a publication that is tried again
        self._again_at = 0.0

    def hand(self, compiled: CompiledCatalog) -> None:
        """Give what is compiled already and about to be found in force."""
        self._at_hand = compiled

    def let_go(self, compiled: CompiledCatalog) -> None:
        """Forget what was handed, if it was not taken: another look found it in force before."""
        if self._at_hand is compiled:
            self._at_hand = None

    def first(self) -> CompiledCatalog:
        """The catalogue in force.

        Raises:
            UnavailableError: none was ever published.
            WorkspaceError: it does not fit the workspace's facts.
        """
        publication = catalogs.current(self._compiler.ledger)
        if publication is None:
            raise UnavailableError("ledger", "no catalogue was published; `nbo up` publishes one")
        return self._compiled(publication)

    def newer(self) -> CompiledCatalog | None:
        """The catalogue in force if it was published since the last look.

        One that does not fit the workspace's facts is logged, once, and not returned. One that
        cannot be compiled for another reason is tried again every `RETRY_SECONDS`.

        Raises:
            UnavailableError: the ledger does not answer.
        """
        number = catalogs.latest_number(self._compiler.ledger)
        if number == self._seen or (number == self._failed and self._clock() < self._again_at):
            return None
        publication = catalogs.current(self._compiler.ledger)
        if publication is None:
            return None
        try:
            return self._compiled(publication)
        except UnavailableError:
            raise  # looked at again
        except WorkspaceError as error:  # it would be as wrong a quarter second later
            self._seen = publication.publication
            log.error(  # noqa: TRY400  # its mistakes say more than where they were found
                "published catalogue not loaded, the former stays in force",
                version=publication.version,
                mistakes=len(error.problems),
                first=str(error.problems[0]),
            )
        except Exception:  # memory, say, and not the text: it may go well later
            self._failed, self._again_at = publication.publication, self._clock() + RETRY_SECONDS
            log.exception(
                "published catalogue not loaded, tried again soon",
                version=publication.version,
                seconds=RETRY_SECONDS,
            )
        return None

    def _compiled(self, publication: Publication) -> CompiledCatalog:
        compiled, self._at_hand = self._at_hand, None
        if compiled is None or compiled.catalog.version != publication.version:
            name = f"catalogue {publication.version}"
            compiled = self._compiler.compile(publication.text, name)
        self._seen = publication.publication
        return compiled

"""The champion last served, kept beside the server: it starts at once, registry or not.

MLflow says which champion is in force; when it is slow or away, servers keep serving the model
they hold, also over a restart.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import structlog

from models.batch import BatchPropensity
from nbo.errors import NboError

log = structlog.get_logger()


class ModelShelf:
    """One folder per version, the newest only.

    Args:
        folder: Where it stands; made when first used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self) -> BatchPropensity | None:
        """The model last kept; None when there is none that can be read."""
        kept = [path for path in self._folder.glob("*/*") if not path.name.endswith(".new")]
        for path in kept:
            try:
                return BatchPropensity.load(path, f"{path.parent.name}/{path.name}")
            except (NboError, OSError, ValueError, KeyError) as error:
                log.warning("kept model not readable", path=str(path), reason=str(error))
        return None

    def keep(self, model: BatchPropensity) -> None:
        """Keep this model instead of any other; it appears whole."""
        place = self._folder / model.version
        draft = place.with_name(place.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        model.save(draft)
        for former in self._folder.glob("*/*"):
            if former != draft:
                shutil.rmtree(former, ignore_errors=True)
        draft.rename(place)

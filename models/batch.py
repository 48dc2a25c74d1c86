"""The batch model: gradient-boosted trees (LightGBM), calibrated, refitted now and then."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.calibration import Calibration
from models.contributions import contributions
from models.encoding import Encoding
from nbo.decision.catalog import Treatment
from nbo.decision.explanation import Contribution
from nbo.decision.propensity import Array, Scores
from nbo.decision.request import Request
from nbo.errors import NotFoundError

if TYPE_CHECKING:
    import lightgbm

TREES_FILE = "trees.txt"
MODEL_FILE = "propensity.json"
_FORMAT = 1


class BatchPropensity:
    """A calibrated LightGBM model of acceptance given presentation.

    Immutable after construction and safe to score from several threads: LightGBM predicts under
    a shared lock, on one thread per call.

    Attributes:
        encoding: How requests become rows.
        calibration: How raw log-odds become probabilities.
        evidence: Offer id to exposures the model was fitted and calibrated on.
    """

    def __init__(
        self,
        booster: lightgbm.Booster,
        encoding: Encoding,
        calibration: Calibration,
        evidence: Mapping[str, int],
        version: str = "batch",
    ) -> None:
        self.encoding = encoding
        self.calibration = calibration
        self.evidence = dict(evidence)
        self._booster = booster
        self._version = version

    @property
    def version(self) -> str:
        """Names the model, e.g. ``"champion/3"``."""
        return self._version

    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        """Calibrated probability of each treatment; see `nbo.decision.propensity.Propensity`."""
        if not treatments:
            empty = np.empty(0)
            return Scores(empty, empty, empty)
        probability = self.probability(self.encoding.encode(request, treatments))
        seen = self.evidence
        evidence = np.array([seen.get(offer.offer_id, 0) for offer, _ in treatments], np.float64)
        return Scores(probability, evidence, probability)

    def contributions(self, request: Request, treatment: Treatment) -> list[Contribution]:
        """What moved a treatment's raw log-odds, strongest first; see `models.contributions`."""
        (row,) = self.encoding.encode(request, [treatment])
        return contributions(self._booster, self.encoding, row)

    def raw(self, rows: Array) -> Array:
        """Uncalibrated log-odds (n,) of encoded rows (n, d)."""
        raw = self._booster.predict(rows, raw_score=True, num_threads=1)
        return np.asarray(raw, np.float64)

    def probability(self, rows: Array) -> Array:
        """Calibrated probability (n,) of encoded rows (n, d)."""
        return self.calibration(self.raw(rows))

    def importance(self) -> dict[str, float]:
        """Total loss reduction by input, largest first; inputs never used are left out."""
        gains = self._booster.feature_importance("gain")
        pairs = sorted(zip(self.encoding.inputs, gains, strict=True), key=lambda pair: -pair[1])
        return {name: float(gain) for name, gain in pairs if gain > 0}

    def save(self, folder: Path) -> None:
        """Write the model as text: LightGBM's own format and JSON, never a pickle."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / TREES_FILE).write_text(self._booster.model_to_string(), encoding="utf-8")
        body = {
            "format": _FORMAT,
            "encoding": json.loads(self.encoding.to_json()),
            "calibration": json.loads(self.calibration.to_json()),
            "evidence": self.evidence,
        }
        (folder / MODEL_FILE).write_text(json.dumps(body), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, version: str = "batch") -> BatchPropensity:
        """Read what `save` wrote.

        Raises:
            NotFoundError: the folder does not hold a saved model.
        """
        import lightgbm

        if not (folder / MODEL_FILE).is_file() or not (folder / TREES_FILE).is_file():
            raise NotFoundError("model", str(folder), "no saved batch model in this folder")
        body = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
        if body["format"] != _FORMAT:
            raise NotFoundError("model format", str(body["format"]), f"this engine reads {_FORMAT}")
        trees = (folder / TREES_FILE).read_text(encoding="utf-8")
        return cls(
            booster=lightgbm.Booster(model_str=trees),
            encoding=Encoding.from_json(json.dumps(body["encoding"])),
            calibration=Calibration.from_json(json.dumps(body["calibration"])),
            evidence=body["evidence"],
            version=version,
        )

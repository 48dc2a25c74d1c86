"""Leave out exposures too young for a "no" to be known.

A customer who accepts says so at once, one who never answers is known to have declined only
when the attribution window is over. Among the newest exposures the known answers are then
mostly acceptances, and a model would learn that business has never been better. Where every
answer is explicit nothing is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from training.examples import Example

KNOWN_SHARE = 0.95
"""An exposure is old enough at the age at which this part of the negatives is known."""

FEWEST_NEGATIVES = 20
"""Negatives from which an offer has a waiting time of its own: campaigns differ in length."""


def matured(examples: Sequence[Example], now: datetime) -> list[Example]:
    """Keep the exposures that are old enough at `now`, in their order.

    Args:
        examples: With labels known at `now`.
        now: The instant of training.
    """
    delays: dict[str, list[float]] = {}
    for example in examples:
        if not example.accepted:
            delays.setdefault(example.offer_id, []).append(_seconds(example, example.at))
    if not delays:
        return list(examples)
    everywhere = _waiting_time([delay for one in delays.values() for delay in one])
    waiting = {
        offer: _waiting_time(one) for offer, one in delays.items() if len(one) >= FEWEST_NEGATIVES
    }
    return [
        example
        for example in examples
        if _seconds(example, now) >= waiting.get(example.offer_id, everywhere)
    ]


def _seconds(example: Example, until: datetime) -> float:
    return (until - example.request.at).total_seconds()


def _waiting_time(delays: Sequence[float]) -> float:
    return float(np.quantile(delays, KNOWN_SHARE))

"""What single values of a catalogue mean: numbers, flags, ids, and how messages show them."""

from __future__ import annotations

import math
import re
from collections.abc import Collection

import yaml

from nbo.decision.near_names import once, suggestion

ID_PATTERN = "[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}"
ID = re.compile(rf"{ID_PATTERN}\Z")
ID_FORM = "letters, digits and _ . : -, at most 64"
LANGUAGE_PATTERN = "[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*"
LANGUAGE = re.compile(rf"{LANGUAGE_PATTERN}\Z")
FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
LIMIT = 1e12
"""No amount, share or percentage of a catalogue is larger; more is a slip of the keyboard."""

_SHOWN = 12
"""Names listed in a message; the rest is counted."""


def is_null(node: yaml.Node) -> bool:
    """Whether a field is there without a value."""
    return bool(node.tag == "tag:yaml.org,2002:null")


def as_number(node: yaml.Node) -> float | None:
    """Read the finite number a scalar holds; None when it holds something else."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    try:
        value = float(node.value)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def as_measure(node: yaml.Node) -> float | None:
    """Read a number as `as_number` does; true counts as 1, false as 0."""
    if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:bool":
        return float(FLAGS[node.value.lower()])
    return as_number(node)


def excerpt(node: yaml.Node) -> str:
    """Quote what stands at a node, short, for messages."""
    if isinstance(node, yaml.ScalarNode):
        return repr(node.value if len(node.value) <= 40 else node.value[:37] + "...")
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"


def listed(names: Collection[str]) -> str:
    """List names for a message, the first few and how many more there are."""
    ordered = sorted(names)
    more = len(ordered) - _SHOWN
    shown = ", ".join(ordered[:_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown or "none"


def remedy(name: str, known: Collection[str]) -> str:
    """Say what may have been meant by an unknown name, else what there is."""
    return suggestion(name, known) or once("known", known, lambda: f"known are {listed(known)}")

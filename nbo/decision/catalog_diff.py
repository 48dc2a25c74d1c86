"""What differs between two catalogues, in the words of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from nbo.decision.arms import Arm
from nbo.decision.catalog import NO_INCENTIVE, Catalog, Offer
from nbo.decision.policies import Policies
from nbo.decision.rule_text import RuleText

LONGEST_TEXT = 60
_SECTIONS = {
    "offer": "offers",
    "incentive": "incentives",
    "group": "groups",
    "issue": "issues",
    "channel": "channels",
    "product": "products",
    "purpose": "purposes",
}
_LISTED = ("service_first", "suppression", "frequency", "context")


class Change(NamedTuple):
    """One thing of the catalogue that differs.

    Attributes:
        kind: ``"setting"``, ``"channel"``, ``"product"``, ``"purpose"``, ``"issue"``,
            ``"group"``, ``"incentive"``, ``"offer"``, ``"policy"`` or ``"experiment"``.
        key: Its id or name.
        change: ``"added"``, ``"removed"`` or ``"changed"``.
        fields: Per field that differs, e.g. ``"value: 120 → 150"``; empty for added and removed.
    """

    kind: str
    key: str
    change: str
    fields: tuple[str, ...] = ()


def diff(before: Catalog, after: Catalog) -> list[Change]:
    """List what `after` says otherwise than `before`, by kind, then id."""
    changes = [*_changes("setting", _settings(before), _settings(after))]
    for kind, section in _SECTIONS.items():
        changes += _changes(kind, getattr(before, section), getattr(after, section))
    changes += _changes("policy", _policies(before.policies), _policies(after.policies))
    changes += _changes("experiment", _experiments(before), _experiments(after))
    return sorted(changes, key=lambda change: (change.kind, change.key))


def _changes(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key in sorted({*before, *after} - {NO_INCENTIVE.incentive_id}):
        if key not in before:
            yield Change(kind, key, "added")
        elif key not in after:
            yield Change(kind, key, "removed")
        elif found := tuple(_differences("", before[key], after[key])):
            yield Change(kind, key, "changed", found)


def _settings(catalog: Catalog) -> dict[str, Any]:
    plain = {f.name: getattr(catalog.policies, f.name) for f in fields(Policies)}
    for name in _LISTED:
        del plain[name]
    return {"currency": catalog.currency, "languages": catalog.languages, **plain}


def _policies(policies: Policies) -> dict[str, Any]:
    """Each policy by its name; a name used twice is told apart by its place."""
    found: dict[str, Any] = {}
    for section in _LISTED:
        for policy in getattr(policies, section):
            name = policy.rule.name if hasattr(policy, "rule") else policy.name
            key = f"{section}: {name}"
            place = 2
            while key in found:
                key, place = f"{section}: {name} ({place})", place + 1
            found[key] = policy
    return found


def _experiments(catalog: Catalog) -> dict[str, Any]:
    return {experiment.experiment_id: experiment for experiment in catalog.experiments}


def _differences(name: str, before: Any, after: Any) -> Iterator[str]:
    """Tell what differs below `name`, one line for each thing a person would change."""
    before, after = _comparable(before), _comparable(after)
    if before == after:
        return
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        before, after = before or {}, after or {}
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            inner = f"{name}.{key}" if name else str(key)
            yield from _differences(inner, before.get(key), after.get(key))
    elif isinstance(before, tuple) and isinstance(after, tuple):
        yield _label(name, _moved(before, after))
    else:
        yield _label(name, f"{_shown(before)} → {_shown(after)}")


def _label(name: str, told: str) -> str:
    return f"{name}: {told}" if name else told


def _moved(before: Sequence[Any], after: Sequence[Any]) -> str:
    """Tell what came to and left a list; all of both when only the order differs."""
    came = [_shown(one) for one in after if one not in before]
    left = [_shown(one) for one in before if one not in after]
    if not came and not left:
        return f"{_shown(before)} → {_shown(after)}"
    return ", ".join([*(f"+ {one}" for one in came), *(f"- {one}" for one in left)])


def _comparable(value: Any) -> Any:
    """A value as mappings and tuples of plain values; without places in files."""
    if isinstance(value, RuleText):
        return value.when.strip()
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in fields(value) if _told(value, f.name)}
    if isinstance(value, frozenset | set):
        return tuple(sorted(value))
    if isinstance(value, list | tuple):
        return _keyed(value, RuleText, lambda rule: rule.name) or (
            _keyed(value, Arm, lambda arm: arm.arm_id) or tuple(value)
        )
    return value


def _keyed(values: Iterable[Any], kind: type, key: Callable[[Any], str]) -> dict[str, Any] | None:
    """Things with a name of their own by that name; None if they have none, or not one each."""
    values = list(values)
    found = {key(value): value for value in values if isinstance(value, kind)}
    return found if values and len(found) == len(values) else None


def _told(thing: Any, field: str) -> bool:
    """Whether a person wrote the field: an undeclared prior is observed."""
    return field != "prior" or not isinstance(thing, Offer) or thing.prior_declared


def _shown(value: Any) -> str:  # noqa: PLR0911  # one per kind
    value = _comparable(value)
    if value is None or value in ("", (), {}):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | int):
        return f"{value:.10g}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, timedelta):
        return _length(value)
    if isinstance(value, tuple):
        return ", ".join(map(_shown, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_shown(inner)}" for key, inner in value.items())
    text = str(value)
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _length(length: timedelta) -> str:
    for unit, name in ((timedelta(days=1), "d"), (timedelta(hours=1), "h")):
        if length % unit == timedelta(0):
            return f"{length // unit}{name}"
    return f"{length.total_seconds():g}s"

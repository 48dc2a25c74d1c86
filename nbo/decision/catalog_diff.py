"""What differs between two catalogues, in the words of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

from nbo.decision.arms import Arm
from nbo.decision.catalog import Catalog, Offer
from nbo.decision.catalog_diff_wording import moved, turned
from nbo.decision.policies import Policies
from nbo.decision.rule_text import RuleText

_SECTIONS = {
    "offer": "offers",
    "incentive": "incentives",
    "group": "groups",
    "issue": "issues",
    "channel": "channels",
    "product": "products",
    "purpose": "purposes",
}
_IN_ORDER = {
    "service_first": "policy",
    "suppression": "policy",
    "frequency": "policy",
    "context": "policy",
    "experiments": "experiment",
}


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
    """List what `after` says otherwise than `before`, by kind, then id.

    Catalogues that could decide differently never give an empty list: the order of rules,
    policies, arms and experiments counts, where they stand in which file does not. A prior that
    was observed rather than written is not compared.
    """
    changes = [*_changes("setting", _settings(before), _settings(after))]
    for kind, section in _SECTIONS.items():
        changes += _changes(kind, getattr(before, section), getattr(after, section))
    for section, kind in _IN_ORDER.items():
        was, now = _listed(section, before), _listed(section, after)
        prefix = f"{section}: " if kind == "policy" else ""
        changes += _changes(kind, _prefixed(prefix, was), _prefixed(prefix, now))
        if order := _order(was, now):
            changes.append(Change("setting", section, "changed", (order,)))
    return sorted(changes, key=lambda change: (change.kind, change.key))


def _changes(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key in sorted({*before, *after}):
        if key not in before:
            yield Change(kind, key, "added")
        elif key not in after:
            yield Change(kind, key, "removed")
        elif found := tuple(_differences("", before[key], after[key])):
            yield Change(kind, key, "changed", found)


def _settings(catalog: Catalog) -> dict[str, Any]:
    plain = {f.name: getattr(catalog.policies, f.name) for f in fields(Policies)}
    for name in _IN_ORDER.keys() & plain:
        del plain[name]
    return {"currency": catalog.currency, "languages": catalog.languages, **plain}


def _listed(section: str, catalog: Catalog) -> _Named:
    """Policies of one kind by their names, or experiments by their ids."""
    if section == "experiments":
        return _by_name(catalog.experiments, lambda one: one.experiment_id)
    return _by_name(getattr(catalog.policies, section), _name_of_policy)


def _name_of_policy(policy: Any) -> str:
    name: str = policy.rule.name if hasattr(policy, "rule") else policy.name
    return name


def _prefixed(prefix: str, things: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}{name}": thing for name, thing in things.items()}


def _differences(name: str, before: Any, after: Any) -> Iterator[str]:
    """Tell what differs below `name`, one line for each thing a person would change."""
    before, after = _comparable(before), _comparable(after)
    if before == after and not _order(before, after):
        return
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        before, after = before or {}, after or {}
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            inner = f"{name}.{key}" if name else str(key)
            yield from _differences(inner, before.get(key), after.get(key))
        if order := _order(before, after):
            yield _label(name, order)
    elif isinstance(before, tuple) and isinstance(after, tuple):
        yield _label(name, moved(before, after))
    else:
        yield _label(name, turned(before, after))


def _label(name: str, told: str) -> str:
    return f"{name}: {told}" if name else told


class _Named(dict[str, Any]):
    """Things that stood in a list, by their names: their order counts, though `==` ignores it."""


def _by_name(values: Iterable[Any], name_of: Callable[[Any], str]) -> _Named:
    """Things of a list by their names; a name used again is told apart by its place."""
    found = _Named()
    for value in values:
        key = name = name_of(value)
        place = 2
        while key in found:
            key, place = f"{name} ({place})", place + 1
        found[key] = value
    return found


def _order(before: Any, after: Any) -> str:
    """Tell that things which are on both lists change places; empty if they do not."""
    if not isinstance(before, _Named) or not isinstance(after, _Named):
        return ""
    was, now = [one for one in before if one in after], [one for one in after if one in before]
    return f"order {turned(tuple(was), tuple(now))}" if was != now else ""


def _comparable(value: Any) -> Any:
    """A value as mappings and tuples of plain values; without places in files."""
    if isinstance(value, RuleText):
        return value.when.strip()
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in fields(value) if _told(value, f.name)}
    if isinstance(value, frozenset | set):
        return tuple(sorted(value))
    if isinstance(value, list | tuple):
        for kind, name_of in _NAMES.items():
            if value and all(isinstance(one, kind) for one in value):
                return _by_name(value, name_of)
        return tuple(value)
    return value


_NAMES: Mapping[type, Callable[[Any], str]] = {
    RuleText: lambda rule: rule.name,
    Arm: lambda arm: arm.arm_id,
}


def _told(thing: Any, field: str) -> bool:
    """Whether a person wrote the field: an undeclared prior is observed."""
    return field != "prior" or not isinstance(thing, Offer) or thing.prior_declared

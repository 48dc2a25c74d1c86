"""Reading experiments: who is divided how, and what each arm changes."""

from __future__ import annotations

from itertools import pairwise

from nbo.decision.arms import Arm, Experiment
from nbo.decision.catalog_known import Known, Places
from nbo.decision.catalog_nodes import Section
from nbo.decision.catalog_policies import read_selection
from nbo.decision.catalog_rules import read_fact
from nbo.decision.catalog_scalars import as_number, excerpt
from nbo.decision.facts import FactType

_SMALLEST_SHARE = 1e-6
_NO_ARM = "must list at least one arm"
_EVERYBODY = (0.0, 1.0)


def read_experiments(root: Section, known: Known, places: Places) -> tuple[Experiment, ...]:
    """Read the list ``experiments`` of the whole catalogue."""
    found: dict[str, Experiment] = {}
    for own in root.sections("experiments", "experiment", id_field="id"):
        experiment = _read_experiment(own, known)
        if experiment.experiment_id in found:
            own.problem("id", f"{experiment.experiment_id!r} is used twice")
        else:
            found[experiment.experiment_id] = experiment
            places.put("experiment", experiment.experiment_id, own)
    experiments = tuple(found.values())
    _check_salts(experiments, places)
    _check_layers(experiments, places)
    return experiments


def _read_experiment(section: Section, known: Known) -> Experiment:
    arms: dict[str, Arm] = {}
    total = 0.0
    already = len(section.notes.problems)
    for own in section.sections("arms", f"{section.name}: arm", "id", _NO_ARM):
        arm = _read_arm(own)
        if arm.arm_id in arms:
            own.problem("id", f"{arm.arm_id!r} is used twice")
        arms[arm.arm_id] = arm
        total += arm.share
    if arms and abs(total - 1.0) > 1e-9 and len(section.notes.problems) == already:
        section.problem("arms", f"shares add up to {total:g}, must be 1")
    experiment = Experiment(
        experiment_id=section.key("id"),
        salt=section.text("salt"),
        arms=tuple(arms.values()),
        layer=section.key("layer", ""),
        buckets=_read_buckets(section),
        unit=read_fact(section, "unit", FactType.TEXT, known.rules),
    )
    section.done()
    return experiment


def _read_arm(section: Section) -> Arm:
    arm = Arm(
        arm_id=section.key("id"),
        share=section.number("share", low=_SMALLEST_SHARE, high=1.0),
        holdout=section.flag("holdout", default=False),
        random=section.flag("random", default=False),
        propensity=section.flag("propensity", default=True),
        value=section.flag("value", default=True),
        levers=section.flag("levers", default=True),
        context=section.flag("context", default=True),
        incentives=section.flag("incentives", default=True),
        model=section.text("model", ""),
        selection=(
            read_selection(section.section("selection")) if section.has("selection") else None
        ),
        variant=section.text("variant", ""),
    )
    section.done()
    return arm


def _read_buckets(section: Section) -> tuple[float, float]:
    """A stretch of [0, 1): two numbers, the first smaller."""
    nodes = section.stretch("buckets")
    if not nodes:
        return _EVERYBODY
    ends = [as_number(node) for node in nodes]
    if len(ends) != 2 or None in ends:
        shown = ", ".join(excerpt(node) for node in nodes)
        section.problem("buckets", f"must be two numbers like [0, 0.5], was [{shown}]")
        return _EVERYBODY
    start, end = (value or 0.0 for value in ends)
    if not 0.0 <= start < end <= 1.0:
        section.problem("buckets", f"must rise within 0 and 1, was [{start:g}, {end:g}]")
        return _EVERYBODY
    return start, end


def _check_salts(experiments: tuple[Experiment, ...], places: Places) -> None:
    """Each experiment has a salt of its own: equal salts put the same people together in both."""
    first: dict[str, str] = {}
    for experiment in experiments:
        other = first.setdefault(experiment.salt, experiment.experiment_id)
        if experiment.salt and other != experiment.experiment_id:
            sections = places.sections["experiment"]
            where = _where(sections[other], sections[experiment.experiment_id])
            places.problem(
                "experiment",
                experiment.experiment_id,
                "salt",
                f"{experiment.salt!r} is that of {other!r} {where}, so that both would divide the "
                "same people alike and neither could be told from the other; use another text",
            )


def _where(section: Section, seen_from: Section) -> str:
    """Where a section begins, with its file when that is another."""
    mark = section.node.start_mark if section.node else None
    own = seen_from.node.start_mark if seen_from.node else None
    if mark is None or own is None:
        return ""
    file = f"in {mark.name}, " if mark.name != own.name else ""
    return f"({file}line {mark.line + 1})"


def _check_layers(experiments: tuple[Experiment, ...], places: Places) -> None:
    """Experiments of one layer divide its buckets without overlap, by the same unit."""
    layers: dict[str, list[Experiment]] = {}
    for experiment in experiments:
        if experiment.layer:
            layers.setdefault(experiment.layer, []).append(experiment)
    for layer, several in layers.items():
        ordered = sorted(several, key=lambda experiment: experiment.buckets)
        for before, after in pairwise(ordered):
            if after.buckets[0] < before.buckets[1]:
                places.problem(
                    "experiment",
                    after.experiment_id,
                    "buckets",
                    f"[{after.buckets[0]:g}, {after.buckets[1]:g}] overlaps those of "
                    f"{before.experiment_id!r}, [{before.buckets[0]:g}, {before.buckets[1]:g}], "
                    f"in the layer {layer!r}",
                )
            if after.unit != before.unit:
                places.problem(
                    "experiment",
                    after.experiment_id,
                    "unit",
                    f"{after.unit or 'the customer'}, while {before.experiment_id!r} in the same "
                    f"layer divides by {before.unit or 'the customer'}: only experiments with the "
                    "same unit exclude each other; use another layer or the same unit",
                )

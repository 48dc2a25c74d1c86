"""The catalogue that scenarios are told to: the workspace's, without its element of chance.

A sentence must hold every time it is told. So the offers are ranked (`greedy`), and experiments
keep only a stretch of their units that nobody is in; all the rest is as marketing wrote it. Edits
are made on the YAML itself, so that every other value stays as it was written.
"""

from __future__ import annotations

from collections.abc import Sequence

import yaml

File = tuple[str, str]
"""Name and text of one file of a catalogue."""

_GREEDY = "policies: {selection: {policy: greedy}}"
_NOBODY = 1e-9
"""Share of the units of an experiment in which no customer of a scenario falls."""


def without_chance(files: Sequence[File]) -> list[File]:
    """The catalogue with a greedy choice and experiments that nobody takes part in."""
    trees = [(name, _tree(text)) for name, text in files]
    experiments = [found for _, tree in trees if (found := _get(tree, "experiments")) is not None]
    for number, experiment in enumerate(e for found in experiments for e in found.value):
        # One stretch each: those of one layer must not overlap.
        stretch = f"buckets: [{number * _NOBODY:.9f}, {(number + 1) * _NOBODY:.9f}]"
        _set(experiment, *_tree(stretch).value[0])
    return _written(trees, _tree(_GREEDY))


def changed(files: Sequence[File], change: yaml.Node) -> list[File]:
    """The catalogue with other sections.

    Args:
        change: Sections of a catalogue. What has an `id` in the catalogue gets the fields given
            here instead of its own, what has not is added; of mappings, the keys given here are
            replaced; everything else is replaced whole.
    """
    return _written([(name, _tree(text)) for name, text in files], change)


def _tree(text: str) -> yaml.Node:
    # Not as catalogues are read: their quick parsing leaves numbers as text, and these are written
    # again. The text was read as a catalogue before, so it is small and plain enough.
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return yaml.MappingNode("tag:yaml.org,2002:map", []) if node is None else node


def _written(trees: Sequence[tuple[str, yaml.Node]], change: yaml.Node) -> list[File]:
    for key, value in change.value:
        _put_section([tree for _, tree in trees], key, value)
    return [
        (name, yaml.serialize(tree, allow_unicode=True, width=1_000_000)) for name, tree in trees
    ]


def _put_section(trees: Sequence[yaml.Node], key: yaml.Node, value: yaml.Node) -> None:
    """Put a section where the catalogue has it, else into its first file."""
    homes = [found for tree in trees if (found := _get(tree, key.value)) is not None]
    if not homes:
        trees[0].value.append((key, value))
    elif isinstance(value, yaml.SequenceNode):
        for item in value.value:
            _put_item(homes, item)
    else:
        home = next((h for h in homes if isinstance(value, yaml.MappingNode)), None)
        if home is None:
            _replace(trees, key.value, value)
        else:
            for name, part in value.value:
                owner = next((h for h in homes if _get(h, name.value) is not None), home)
                _set(owner, name, part)


def _put_item(homes: Sequence[yaml.Node], item: yaml.Node) -> None:
    """Replace fields of the thing with the same id, or add the thing."""
    wanted = _id(item)
    for home in homes:
        for known in home.value:
            if wanted is not None and _id(known) == wanted:
                for name, part in item.value:
                    _set(known, name, part)
                return
    homes[0].value.append(item)


def _set(mapping: yaml.Node, key: yaml.Node, value: yaml.Node) -> None:
    for position, (known, _) in enumerate(mapping.value):
        if known.value == key.value:
            mapping.value[position] = (known, value)
            return
    mapping.value.append((key, value))


def _replace(trees: Sequence[yaml.Node], name: str, value: yaml.Node) -> None:
    for tree in trees:
        tree.value = [(k, value if k.value == name else v) for k, v in tree.value]


def _get(mapping: yaml.Node, name: str) -> yaml.Node | None:
    if not isinstance(mapping, yaml.MappingNode):
        return None
    return next((value for key, value in mapping.value if key.value == name), None)


def _id(item: yaml.Node) -> str | None:
    found = _get(item, "id")
    return found.value if isinstance(found, yaml.ScalarNode) else None

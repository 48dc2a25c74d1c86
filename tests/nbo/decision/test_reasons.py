"""Reasons: what happened, what favours, what fits, how likely; few and in this order."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from nbo.decision.compiled import CompiledCatalog
from nbo.decision.facts import Fact
from nbo.decision.reason_wording import WORDINGS, ReasonWording
from nbo.decision.reasons import MOST, reasons_for

Change = Callable[..., CompiledCatalog]
RED_1 = 2  # offers stand in the order of their ids


def reasons(
    compiled: CompiledCatalog,
    p: float = 0.3,
    context: float = 1.5,
    language: str = "en",
    **facts: Fact,
) -> list[str]:
    dotted = {name.replace("__", "."): value for name, value in facts.items()}
    activation = compiled.language.activate(dotted)
    return list(reasons_for(RED_1, p, context, compiled, activation, language))


def test_the_event_comes_first_if_anything_looks_at_it(compiled: CompiledCatalog) -> None:
    assert reasons(compiled, event__type="address.changed") == [
        "Just happened: address.changed",
        "Favoured now: moving",
        "Fits: no red yet",
        "Accepted about as often as usual: 30%",
    ]
    assert reasons(compiled, event__type="other")[0] == "Fits: no red yet"


def test_an_offer_that_waits_for_the_event_tells_it(changed: Change) -> None:
    waiting = changed(("    value: 100", "    triggers: ['bill.*']\n    value: 100"))
    assert reasons(waiting, event__type="bill.sent")[0] == "Just happened: bill.sent"


def test_what_must_be_said_says_so_first(changed: Change) -> None:
    mandatory = changed(("    value: 100", "    mandatory: true\n    value: 100"))
    said = reasons(mandatory, event__type="address.changed")
    assert said[:2] == ["Must be said", "Just happened: address.changed"]
    assert not any("%" in sentence for sentence in said), "whatever the customer thinks of it"
    assert reasons(mandatory, language="de")[0] == "Muss gesagt werden"


def test_context_that_does_not_count_is_not_claimed(compiled: CompiledCatalog) -> None:
    said = reasons(compiled, context=1.0, event__type="address.changed")
    assert not any("Favoured" in sentence for sentence in said)


@pytest.mark.parametrize(
    ("p", "said"),
    [
        (0.45, "Likely to accept: 45%, 30% is usual for this offer"),
        (0.31, "Accepted about as often as usual: 31%"),
        (0.10, "Less likely than most: 10%, 30% is usual for this offer"),
    ],
)
def test_propensity_is_put_beside_the_usual(compiled: CompiledCatalog, p: float, said: str) -> None:
    assert reasons(compiled, p=p)[-1] == said


def test_reasons_are_in_the_asked_language(compiled: CompiledCatalog) -> None:
    german = [
        "Gerade geschehen: address.changed",
        "Jetzt bevorzugt: moving",
        "Passt: no red yet",
        "Zusage wahrscheinlich: 45 %, üblich sind bei diesem Angebot 30 %",
    ]
    moved = {"event__type": "address.changed"}
    assert reasons(compiled, 0.45, language="de", **moved) == german
    assert reasons(compiled, 0.45, language="de-AT", **moved) == german
    assert reasons(compiled, language="fr", **moved) == reasons(compiled, **moved)


@pytest.mark.parametrize("wording", WORDINGS.values(), ids=WORDINGS)
def test_every_language_says_everything(wording: ReasonWording) -> None:
    for sentence, english in zip(wording, WORDINGS["en"], strict=True):
        assert set(re.findall(r"{.*?}", sentence)) == set(re.findall(r"{.*?}", english))


def test_names_in_the_catalogue_are_no_templates(changed: Callable[..., CompiledCatalog]) -> None:
    odd = changed(("name: no red yet", 'name: "{rule} {0} %s"'))
    assert "Fits: {rule} {0} %s" in reasons(odd)


def test_an_agent_reads_few_sentences(changed: Callable[..., CompiledCatalog]) -> None:
    many = ", ".join(f'{{name: r{n}, when: "true"}}' for n in range(20))
    wordy = changed(('[{name: no red yet, when: "!customer.has_red"}]', f"[{many}]"))
    said = reasons(wordy)
    assert len(said) == MOST
    assert said[-1].startswith("Accepted")

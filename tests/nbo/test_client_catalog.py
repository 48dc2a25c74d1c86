"""What a publisher is told of a catalogue that was refused."""

from __future__ import annotations

import grpc
import pytest

from nbo.client_catalog import CatalogCalls
from nbo.errors import Problem, UnavailableError, WorkspaceError
from nbo.v1 import catalog_pb2

IN_HAND = Problem("catalog.yaml", 3, 1, "wrong")
ALL = [IN_HAND, Problem("catalog.yaml", 9, 1, "wrong, too")]


class Calls(CatalogCalls):
    """Answers as it is told: publishing with an error, validating with an answer or an error."""

    def __init__(self, refusal, validation):
        super().__init__(grpc.insecure_channel("127.0.0.1:1"))
        self._answers = [refusal, validation]
        self.asked = 0

    def _call(self, method, request, at_least=0.0):
        answer = self._answers[self.asked]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


def publish(calls):
    with pytest.raises(WorkspaceError) as caught:
        calls.publish_catalog([("catalog.yaml", "x")], author="Ada")
    return list(caught.value.problems)


def test_the_mistakes_in_hand_are_told_when_the_rest_cannot_be_asked_for():
    away = UnavailableError("server", "away")
    assert publish(Calls(WorkspaceError([IN_HAND], whole=False), away)) == [IN_HAND]


def test_the_rest_is_asked_for_only_where_there_is_a_rest():
    rest = catalog_pb2.ValidateCatalogResponse(
        problems=[
            catalog_pb2.CatalogProblem(file=p.file, line=p.line, column=p.column, message=p.message)
            for p in ALL
        ]
    )
    partly = Calls(WorkspaceError([IN_HAND], whole=False), rest)
    assert publish(partly) == ALL
    wholly = Calls(WorkspaceError([IN_HAND]), rest)
    assert publish(wholly) == [IN_HAND]
    assert wholly.asked == 1

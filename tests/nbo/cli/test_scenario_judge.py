"""What a scenario says of an answer that took a step down."""

from __future__ import annotations

import pytest

from nbo.cli.scenarios.judge import judge
from nbo.cli.scenarios.play import _Teller
from nbo.cli.scenarios.stage import Stage
from nbo.cli.scenarios.story import Expectation
from nbo.v1 import catalog_pb2, offers_pb2

HISTORY, PRIOR = "history unknown", "prior propensity"


@pytest.mark.parametrize(
    ("steps", "expected", "told"),
    [
        ([], (), []),
        ([PRIOR], (), []),
        ([PRIOR, HISTORY], (), ["the answer is degraded, which nobody expected: history unknown"]),
        ([PRIOR, HISTORY], (HISTORY,), []),
        (
            [PRIOR],
            (HISTORY,),
            ["the answer is not degraded by 'history unknown'; its steps: prior propensity"],
        ),
    ],
)
def test_a_step_down_is_a_difference_unless_it_is_expected(steps, expected, told):
    reply = offers_pb2.GetOffersResponse(degraded=steps)
    assert list(judge(Expectation(nothing=True, degraded=expected), reply)) == told


class Counting:
    """A client of an engine that switches at the third look and knows the usage at the fourth."""

    def __init__(self):
        self.usages = self.catalogs = 0

    def usage(self):
        self.usages += 1
        return catalog_pb2.GetUsageResponse(known=self.usages > 3)

    def catalog(self):
        self.catalogs += 1
        publication = catalog_pb2.Publication(version="new" if self.catalogs > 2 else "old")
        return catalog_pb2.GetCatalogResponse(publication=publication)

    def publish_catalog(self, files, *, author, comment):
        publication = catalog_pb2.Publication(version="new")
        return catalog_pb2.PublishCatalogResponse(publication=publication, changed=True)


def test_questions_wait_until_usage_is_known(tmp_path):
    stage = Stage(tmp_path, [])
    stage.client = Counting()
    stage.await_usage()
    assert (stage.client.catalogs, stage.client.usages) == (0, 4)
    stage.client = Counting()
    stage.await_usage("new")
    assert (stage.client.catalogs, stage.client.usages) == (6, 4)


def test_the_catalogue_is_back_and_counted_before_the_next_scenario(tmp_path):
    stage = Stage(tmp_path, [])
    stage.client, stage.catalog = Counting(), [("catalog.yaml", "x")]
    teller = _Teller(stage)
    teller._published = "changed"
    teller.clear()
    assert (stage.client.catalogs, stage.client.usages) == (6, 4)

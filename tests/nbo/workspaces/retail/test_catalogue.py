from datetime import UTC, datetime

import pytest

from features.compilation import read_definitions
from nbo.decision.catalog_text import load_catalog


@pytest.fixture(scope="module")
def compiled(retail):
    schema = read_definitions(retail / "feature_repo").schema.fact_schema()
    return load_catalog((retail / "catalog.yaml").read_text(), "catalog.yaml", schema)


def test_catalogue_is_what_the_data_says(retail):
    from journey.catalogue import catalogue_text

    assert (retail / "catalog.yaml").read_text() == catalogue_text()


def test_every_campaign_is_an_offer_of_its_type_within_its_dates(compiled):
    offers = compiled.catalog.offers
    assert len(offers) == 27
    eight = offers["campaign-8"]
    assert eight.group_id == "type-a"
    assert eight.starts == datetime(2017, 5, 8, tzinfo=UTC)
    assert eight.ends == datetime(2017, 6, 26, tzinfo=UTC), "the last day, 25 June, is included"
    assert dict(eight.attributes) == {"coupons": 209, "products": 17178, "days": 48}
    assert "209 coupons" in eight.script["en"]
    assert "25 June 2017" in eight.script["en"]


def test_only_the_campaign_that_arrived_applies(compiled):
    rules = {offer_id: offer.applicability for offer_id, offer in compiled.catalog.offers.items()}
    assert [rule.when for rule in rules["campaign-13"]] == ["event.campaign == 'campaign-13'"]
    assert len({rule.when for own in rules.values() for rule in own}) == 27


def test_a_new_campaign_is_not_drawn_to_its_prior(compiled):
    assert compiled.catalog.policies.smoothing_evidence == 0

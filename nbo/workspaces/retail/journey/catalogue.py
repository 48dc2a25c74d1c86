"""The catalogue: every campaign of the record as an offer.

`catalog.yaml` beside `nbo.toml` is what this writes; after a change here, run in the workspace

    python -m journey.catalogue > catalog.yaml
"""

from __future__ import annotations

import sys
from datetime import timedelta

from journey.campaigns import campaigns

_HEAD = """\
# The coupon campaigns of Complete Journey as offers, written by journey/catalogue.py.
# A campaign may be offered from its start to its end, to households it was addressed to: the
# event `campaign.received` names it. Every campaign is worth the same, so that only propensity
# ranks; 5 USD stands for the margin of one more basket and is an assumption, not from the record.
currency: USD
languages: [en]

channels:
  mail: {fallback: none}

policies:
  smoothing_evidence: 0 # a new campaign is scored by the model alone, not by its declared prior
  per_group: 1
  selection: {policy: greedy}

groups:
  - {id: type-a, issue: grow} # the big ones: coupons of many kinds, picked per household
  - {id: type-b, issue: grow}
  - {id: type-c, issue: grow}

offers:
"""

_OFFER = """\
  - id: {campaign}
    group: {group}
    name: {{en: Coupon campaign {campaign_id}}}
    script: {{en: "{coupons} coupons for {products} products, until {last:%-d %B %Y}."}}
    starts: {starts:%Y-%m-%d}
    ends: {ends:%Y-%m-%d}
    channels: [mail]
    value: 5.0
    prior: 0.1
    applicability:
      - {{name: addressed to this household, when: event.campaign == '{campaign}'}}
    attributes: {{coupons: {coupons}, products: {products}, days: {days}}}
"""


def catalogue_text() -> str:
    """The whole catalogue as YAML, campaigns in order of start."""
    rows = campaigns().iter_rows(named=True)
    return _HEAD + "".join(
        _OFFER.format(**row, last=row["ends"] - timedelta(days=1)) for row in rows
    )


if __name__ == "__main__":
    sys.stdout.write(catalogue_text())

"""Every fact that allows or forbids a contact counts as consent."""

from __future__ import annotations

from nbo.decision.catalog_text import load_catalog
from nbo.decision.facts import FactSchema, FactType
from serving.consent_facts import consent_facts

FLAGS = ("may_call", "wants_mail", "no_mail", "silent", "happy")
CATALOG = """
currency: EUR
languages: [en]
channels: {voice: {consent: customer.may_call, fallback: none}, web: {fallback: none}}
policies: {do_not_contact: customer.silent}
purposes:
  - {id: marketing, opt_in: {web: customer.wants_mail}, opt_out: {web: customer.no_mail}}
groups: [{id: g}]
offers:
  - {id: a, group: g, name: {en: A}, channels: [voice], value: 1, prior: 0.5,
     eligibility: [{name: happy, when: customer.happy}]}
"""


def test_do_not_contact_channels_and_purposes_name_them():
    schema = FactSchema({f"customer.{flag}": FactType.FLAG for flag in FLAGS})
    found = consent_facts(load_catalog(CATALOG, "catalog.yaml", schema).catalog)
    assert found == {f"customer.{flag}" for flag in FLAGS[:-1]}

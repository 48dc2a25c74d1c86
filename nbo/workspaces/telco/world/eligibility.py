"""Who may buy what, on arrays: the catalogue's eligibility rules once more, for the simulation.

The rules themselves are CEL in `catalog.yaml`; a test holds both to the same answers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from world.population import Profile, Rows
from world.terms import Terms


def eligible(profile: Profile, data_gb: NDArray, terms: Terms) -> NDArray[np.bool_]:
    """(n, offers, incentives) which treatments the rules allow on a call.

    Args:
        data_gb: (n,) data used last month, NaN where nothing was recorded.
    """
    mobile, internet = profile["has_mobile"], profile["internet"]
    online, half_year = internet != "none", profile["tenure_months"] >= 6
    may: Mapping[str, NDArray[np.bool_]] = {
        "mobile-5gb": ~mobile,
        "mobile-unlimited": mobile & (profile["mobile_plan"] != "unlimited") & (data_gb >= 2),
        "family-sim": mobile
        & (profile["partner"] | profile["dependents"])
        & ~profile["has_family_sim"],
        "internet-100": ~online,
        "fibre-500": (internet == "dsl") & profile["fibre_available"],
        "fibre-1g": (internet == "fibre") & ~profile["has_gigabit"],
        "landline-flat": ~profile["has_fixed_line"],
        "calls-abroad": (profile["has_fixed_line"] | mobile) & ~profile["has_abroad_pack"],
        "tv-home": online & ~profile["has_tv"],
        "cinema": online & ~profile["has_cinema"],
        "net-security": online & ~profile["has_security"],
        "device-cover": mobile & ~profile["has_device_cover"],
        "wifi-mesh": online & ~profile["has_wifi_mesh"],
        "loyalty-24": (profile["contract"] != "two_years") & half_year,
    }
    offers = np.column_stack([may[offer] for offer in terms.offers])
    allowed = offers[:, :, None] & terms.allowed[None]
    allowed[:, :, terms.incentives.index("phone-bonus")] &= half_year[:, None]
    reachable = profile["consent_voice"] & ~profile["do_not_contact"]
    return allowed & reachable[:, None, None]


# What a purchase changes in the profile.
_BOUGHT: Mapping[str, Mapping[str, object]] = {
    "mobile-5gb": {"has_mobile": True, "mobile_plan": "small"},
    "mobile-unlimited": {"mobile_plan": "unlimited", "contract": "two_years"},
    "family-sim": {"has_family_sim": True},
    "internet-100": {"internet": "dsl"},
    "fibre-500": {"internet": "fibre"},
    "fibre-1g": {"has_gigabit": True},
    "landline-flat": {"has_fixed_line": True},
    "calls-abroad": {"has_abroad_pack": True},
    "tv-home": {"has_tv": True},
    "cinema": {"has_cinema": True},
    "net-security": {"has_security": True},
    "device-cover": {"has_device_cover": True},
    "wifi-mesh": {"has_wifi_mesh": True},
    "loyalty-24": {"contract": "two_years"},
}


def buy(profile: Profile, rows: Rows, offers: NDArray[np.intp], terms: Terms) -> None:
    """Change the profile in place: row i now holds what `offers[i]` sells, and pays for it."""
    for column, offer in enumerate(terms.offers):
        buyers = rows[offers == column]
        for name, value in _BOUGHT[offer].items():
            profile[name][buyers] = value
        profile["monthly_charges"][buyers] += terms.monthly[column]

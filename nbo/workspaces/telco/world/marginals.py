"""What the simulated customer base looks like, as shares.

Conditional shares of the "Telco Customer Churn" sample of IBM (7,043 customers of a fictional
telecom), rounded to three digits. Drawing along these tables gives back the sample's marginals:
contract, internet, phone, streaming, add-ons, payment, tenure and the monthly charge.
Keys that the sample does not have (mobile plan, gigabit, ...) are our own and stand at the end.
"""

from __future__ import annotations

from collections.abc import Mapping

Shares = Mapping[str, float]

CONTRACT: Shares = {"monthly": 0.550, "one_year": 0.209, "two_years": 0.241}
TENURE_DECILES: Mapping[str, tuple[float, ...]] = {
    "monthly": (1, 1, 2, 4, 8, 12, 17, 24, 33, 46, 72),
    "one_year": (0, 14, 23, 30, 37, 44, 50, 55, 61, 67, 72),
    "two_years": (0, 26, 44, 52, 60, 64, 68, 70, 72, 72, 72),
}
INTERNET: Mapping[str, Shares] = {
    "monthly": {"dsl": 0.316, "fibre": 0.549, "none": 0.135},
    "one_year": {"dsl": 0.387, "fibre": 0.366, "none": 0.247},
    "two_years": {"dsl": 0.371, "fibre": 0.253, "none": 0.376},
}
LINES: Mapping[str, Shares] = {
    "dsl": {"no": 0.282, "one": 0.433, "several": 0.285},
    "fibre": {"no": 0.0, "one": 0.374, "several": 0.626},
    "none": {"no": 0.0, "one": 0.776, "several": 0.224},
}
PAYMENT: Mapping[str, Shares] = {
    "dsl": {"bank": 0.234, "card": 0.245, "e_check": 0.268, "mail": 0.253},
    "fibre": {"bank": 0.209, "card": 0.193, "e_check": 0.515, "mail": 0.083},
    "none": {"bank": 0.218, "card": 0.217, "e_check": 0.080, "mail": 0.485},
}
PARTNER: Shares = {"monthly": 0.356, "one_year": 0.563, "two_years": 0.703}
SENIOR: Shares = {"dsl": 0.107, "fibre": 0.268, "none": 0.034}
PAPERLESS: Shares = {"dsl": 0.549, "fibre": 0.774, "none": 0.292}
TV: Shares = {"dsl": 0.395, "fibre": 0.565, "none": 0.0}
SECURITY: Shares = {"dsl": 0.487, "fibre": 0.271, "none": 0.0}
BACKUP: Shares = {"dsl": 0.449, "fibre": 0.434, "none": 0.0}
DEVICE_COVER: Shares = {"dsl": 0.440, "fibre": 0.438, "none": 0.0}
SUPPORT: Shares = {"dsl": 0.487, "fibre": 0.280, "none": 0.0}
DEPENDENTS_WITH_PARTNER, DEPENDENTS_ALONE = 0.514, 0.099
CINEMA_WITH_TV, CINEMA_WITHOUT_TV = 0.717, 0.282

# The sample's bill is nearly the sum of these, EUR a month.
PRICES: Shares = {
    "phone": 20.0,
    "several_lines": 5.0,
    "dsl": 25.0,
    "fibre": 50.0,
    "add_on": 5.0,
    "streaming": 10.0,
}

# The sample has "phone service" and "multiple lines": here one line is a mobile or a fixed one,
# several are both.
ONE_LINE_IS_MOBILE = 0.65
MOBILE_PLAN: Shares = {"small": 0.5, "medium": 0.3, "unlimited": 0.2}
FIBRE_IN_THE_STREET = 0.65
GIGABIT_ON_FIBRE = 0.2
FAMILY_SIM = 0.25
ABROAD_PACK = 0.1
WIFI_MESH = 0.12
CONSENT_VOICE, CONSENT_WEB, DO_NOT_CONTACT = 0.95, 0.85, 0.02

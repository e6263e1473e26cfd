"""Public holidays of a country, from the `holidays` package."""

from datetime import date

import pandas as pd

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.tables import HOLIDAYS

# Countries as ERPNext calls them, where the package's name is another.
_OTHER_NAMES = {
    "Bolivia, Plurinational State of": "BO", "Brunei Darussalam": "BN", "Cape Verde": "CV",
    "Cocos (Keeling) Islands": "CC", "Congo, The Democratic Republic of the": "CD", "Curaçao": "CW",
    "Czech Republic": "CZ", "Falkland Islands (Malvinas)": "FK", "Holy See (Vatican City State)": "VA",
    "Korea, Democratic Peoples Republic of": "KP", "Korea, Republic of": "KR",
    "Lao Peoples Democratic Republic": "LA", "Macao": "MO", "Macedonia": "MK",
    "Micronesia, Federated States of": "FM", "Moldova, Republic of": "MD", "Palestinian Territory, Occupied": "PS",
    "Pitcairn": "PN", "Russian Federation": "RU", "Réunion": "RE", "Saint Barthélemy": "BL",
    "Saint Martin (French part)": "MF", "Sint Maarten (Dutch part)": "SX", "Swaziland": "SZ", "Syria": "SY",
    "Venezuela, Bolivarian Republic of": "VE", "Virgin Islands, British": "VG", "Virgin Islands, U.S.": "VI",
    "Åland Islands": "AX",
}  # fmt: skip


def holidays_of(country: str, subdivision: str, first: date, last: date) -> tuple[pd.DataFrame, list[Fault]]:
    """Table HOLIDAYS of a country from `first` to `last`, by their local names; days taken instead are left out.

    country: a name as ERPNext writes it or an ISO code; "": no holidays. subdivision: a state or province as the
    package names it (BY, CA …), "": those of the whole country.
    Fault Demand Event: a country or subdivision that the package does not know; there are no holidays then.
    """
    if not country:
        return HOLIDAYS.empty(), []
    from holidays import country_holidays  # slow to import, and many companies name no country

    code = _code(country)
    if code is None:
        template = _(
            "The holidays of {country} are not known. Name the country by its two-letter code in Forecast Settings, "
            "switch its holidays off, or give the company a Holiday List."
        )
        return HOLIDAYS.empty(), [Fault("Demand Event", template, {"country": country})]
    try:
        found = country_holidays(
            code, subdiv=subdivision or None, years=range(first.year, last.year + 1), observed=False
        )
    except NotImplementedError:  # how the package says that it does not know one
        template = _(
            "{subdivision} is not a part of {country} whose holidays are known; no public holidays are used. Correct "
            "it in Forecast Settings."
        )
        return HOLIDAYS.empty(), [Fault("Demand Event", template, {"country": country, "subdivision": subdivision})]
    # Two on one day come as one text; a few hundred in all.
    rows = [
        (title.strip(), day)
        for day, titles in sorted(found.items())
        if first <= day <= last
        for title in titles.split(";")
    ]
    return HOLIDAYS.check(pd.DataFrame(rows, columns=["title", "day"]).drop_duplicates()), []


def _code(country: str) -> str | None:
    from holidays.registry import COUNTRIES

    known = {_letters(names[0]): names[1] for names in COUNTRIES.values()}
    codes = set(known.values())
    if country.strip().upper() in codes:
        return country.strip().upper()
    wanted = _OTHER_NAMES.get(country) or known.get(_letters(country))
    return wanted if wanted in codes else None


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalpha())

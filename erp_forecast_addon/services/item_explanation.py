"""What a forecast is made of, period by period: the item is forecast again from what its last run learned."""

from typing import Any

import numpy as np

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.planning.forecasting import explanation
from erp_forecast_addon.planning.forecasting.day_shares import day_shares
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.services.item_forecast import item_forecast
from erp_forecast_addon.site import reads
from erp_forecast_addon.site.port import Site

NO_HISTORY = _("{item} has no demand in {warehouse}, so there is no forecast to explain.")
_DECIMALS = 6


def explain_item(site: Site, item_code: str, company: str, warehouse: str) -> dict[str, Any]:
    """The parts of one pair's forecast as it comes out of the ledger now; nothing is written.

    starts: first days of the periods (ISO); period; mean: per period; parts: name -> list per period, those that are
    zero throughout left out, which add up to mean; labels: name -> what a user is told it is; reason: the model's;
    total: parts of the horizon's total and their "total"; sentence: on the total. Units in stock UOM.
    Raises Refused for a pair without history, BadInput for settings that cannot be planned with.
    """
    settings = reads.company_settings(site, company)
    found = item_forecast(site, settings, item_code, {warehouse}).forecasts
    if not found.n:
        raise Refused(site.translate(NO_HISTORY).format(item=item_code, warehouse=warehouse))
    parts = parts_of(found)
    in_horizon = day_shares(found.starts, found.period, found.as_of, settings.plan.horizon_days).sum(axis=1)
    total = explanation.totals(parts, in_horizon)[0]
    return {
        "as_of": found.as_of.isoformat(),
        "period": found.period,
        "starts": np.datetime_as_string(found.starts.astype("datetime64[D]")).tolist(),
        "mean": np.round(found.mean[0], _DECIMALS).tolist(),
        "parts": {name: np.round(part[0], _DECIMALS).tolist() for name, part in parts.items() if part[0].any()},
        "labels": labels(site),
        "reason": site.translate(found.reason_template[0]).format(**found.reason_values[0]),
        "total": total,
        "sentence": explanation.sentence(total, site.translate),
    }


def parts_of(forecasts: ForecastSet) -> dict[str, np.ndarray]:
    """Parts (n, h) of every series' forecast."""
    season = periods.SEASON_LENGTH[forecasts.period]
    return explanation.explain(forecasts.stages, forecasts.factors, season)


def labels(site: Site) -> dict[str, str]:
    """What a user is told each part is, in the order of the sum."""
    return {name: site.translate(label) for name, label in explanation.PARTS.items()}

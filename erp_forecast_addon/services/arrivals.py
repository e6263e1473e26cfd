"""When open orders of a company arrive, as far as its suppliers have shown."""

from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon import __version__
from erp_forecast_addon.planning.inventory import arrivals
from erp_forecast_addon.planning.inventory.lead_time_learning import Learned
from erp_forecast_addon.planning.settings import AS_DELIVERED
from erp_forecast_addon.services import learned_state
from erp_forecast_addon.site import reads
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

KIND = "arrivals"


def expected_arrivals(site: Site, company: str) -> pd.DataFrame:
    """Open lines with agreed_on, expected_on, latest_on and late_pct, see planning.inventory.arrivals; learned as of
    now."""
    return expected_by(site, company, reads.learned_lead_times(site, company), site.as_of())


def expected_by(site: Site, company: str, learned: Learned, as_of: date) -> pd.DataFrame:
    """The same from what a run has learned."""
    return arrivals.expected_arrivals(reads.open_lines(site, company), learned, as_of)


def counted(dated: pd.DataFrame, expected: pd.DataFrame, settings: CompanySettings) -> pd.DataFrame:
    """Table DATED with open orders on the day on which the settings let them count."""
    return arrivals.as_delivered(dated, expected) if settings.plan.arrival_dates == AS_DELIVERED else dated


def keep(site: Site, company: str, expected: pd.DataFrame) -> None:
    """Keep what a run expects, for what is planned between two runs: learning again takes every receipt. Commits."""
    known = expected.dropna(subset=["expected_on"])
    state = {
        "order_line": known["order_line"].tolist(),
        "expected_on": known["expected_on"].to_numpy().astype("datetime64[D]").astype(np.int64),
    }
    learned_state.save(site, company, KIND, state, version=__version__)


def last(site: Site, company: str) -> pd.DataFrame:
    """order_line, expected_on as the last run expected them; orders placed since then are in no row."""
    kept = learned_state.load(site, company, KIND, version=__version__)
    state = {"order_line": [], "expected_on": np.zeros(0, dtype=np.int64)} if kept is None else kept.state
    days = np.asarray(state["expected_on"]).astype("datetime64[D]").astype("datetime64[ns]")
    return pd.DataFrame({"order_line": pd.Series(state["order_line"], dtype=object), "expected_on": days})

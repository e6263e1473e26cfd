"""When open orders of a company arrive, as far as its suppliers have shown."""

import pandas as pd

from erp_forecast_addon.planning.inventory import arrivals
from erp_forecast_addon.site import reads
from erp_forecast_addon.site.port import Site


def expected_arrivals(site: Site, company: str) -> pd.DataFrame:
    """Open lines with expected_on, latest_on and late_pct, see planning.inventory.arrivals; learned as of now."""
    learned = reads.learned_lead_times(site, company)
    return arrivals.expected_arrivals(reads.open_lines(site, company), learned, site.as_of())

"""Text columns without pyarrow where there are few rows: the same text, kept otherwise."""

from contextlib import AbstractContextManager, nullcontext

import pandas as pd

from erp_forecast_addon.site import demand_queries
from erp_forecast_addon.site.port import Site

_FEW_PAIRS = 1_000


def light_text() -> AbstractContextManager[None]:
    """pyarrow's calls cost more than the few rows of one item are worth, two fifths of the whole. What another thread
    reads meanwhile is the same text, kept otherwise."""
    held: AbstractContextManager[None] = pd.option_context("mode.string_storage", "python")
    return held


def light_text_of_few(site: Site, company: str) -> AbstractContextManager[None]:
    """`light_text` for a company of few items, whose run would be a sixth longer; as it is for the others."""
    bins = site.fetch(demand_queries.bin_count(site.qb, company))["bins"]
    return light_text() if int(bins.iloc[0]) <= _FEW_PAIRS else nullcontext()

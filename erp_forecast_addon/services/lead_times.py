"""Learned lead times as records: one row per supplier, and per item of a supplier, updated by every run.

Nobody edits these rows; they are written and cleaned up as forecasts and policies are (publish.py).
"""

import json
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.inventory.lead_time_distribution import quantiles
from erp_forecast_addon.planning.inventory.lead_time_learning import Learned
from erp_forecast_addon.planning.inventory.supplier_lead_times import (
    SHOWN_LEVELS,
    never_received,
    supplier_lead_times,
)
from erp_forecast_addon.services import publish
from erp_forecast_addon.site import order_reads
from erp_forecast_addon.site.lead_times import as_text
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

DOCTYPE = "Supplier Lead Time"
_DIGITS = 3


def publish_lead_times(
    site: Site, run: str, settings: CompanySettings, learned: Learned, sourcing: pd.DataFrame, items: pd.DataFrame
) -> tuple[int, int]:
    """Write the Supplier Lead Time rows of a company; -> (written, deleted). Commits after every ROWS_AT_ONCE rows.

    sourcing: table SOURCING: suppliers who never delivered get a row that says where their lead time comes from.
    """
    today = site.now().date()
    table = supplier_lead_times(learned, today)
    rest = never_received(sourcing, learned.lead_times, settings.plan.default_lead_time_days)
    chunks = _rows(site, run, settings, learned, pd.concat([table, rest], ignore_index=True), items)
    return publish.write_rows(site, DOCTYPE, settings.company, run, chunks)


def _rows(
    site: Site, run: str, settings: CompanySettings, learned: Learned, table: pd.DataFrame, items: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    known = learned.lead_times
    row = np.where(
        known.has(table["supplier"].to_numpy(dtype=object), table["item_code"].to_numpy(dtype=object)),
        known.rows_of(table["supplier"].to_numpy(dtype=object), table["item_code"].to_numpy(dtype=object)),
        -1,
    )
    names = _supplier_names(site, sorted(set(table["supplier"])))
    item_names = items.set_index("item_code")["item_name"]
    days = quantiles(known.probability, SHOWN_LEVELS)
    for at in range(0, len(table), publish.ROWS_AT_ONCE):
        block, of_block = table.iloc[at : at + publish.ROWS_AT_ONCE], row[at : at + publish.ROWS_AT_ONCE]
        told = block.drop(columns=["explanation_template", "explanation_values"])
        numbers = told.select_dtypes("number").round(_DIGITS)
        yield told.assign(
            **{str(name): numbers[name] for name in numbers},
            company=settings.company,
            forecast_run=run,
            as_of=pd.Timestamp(site.now().date()),
            supplier_name=block["supplier"].map(names).fillna("").to_numpy(),
            item_name=block["item_code"].map(item_names).fillna("").to_numpy(),
            explanation=_sentences(block, site.translate),
            quantiles=_quantile_texts(days, of_block),
            distribution=as_text(known.probability, of_block),
        ).reset_index(drop=True)


def _supplier_names(site: Site, suppliers: list[str]) -> pd.Series:
    found = site.fetch(order_reads.supplier_names(site.qb, suppliers)) if suppliers else None
    if found is None:
        return pd.Series(dtype=object)
    return found.drop_duplicates("name").set_index("name")["supplier_name"]


def _sentences(block: pd.DataFrame, translate: Callable[[str], str]) -> list[str]:
    """A loop over rows: each sentence has its own values."""
    return [
        translate(template).format(**values)
        for template, values in zip(block["explanation_template"], block["explanation_values"], strict=True)
    ]


def _quantile_texts(days: np.ndarray, row: np.ndarray) -> list[str]:
    """A loop over rows: each is a small JSON text of its own; "" where nothing was learned."""
    labels = [f"{level:g}" for level in SHOWN_LEVELS]
    return [
        json.dumps(dict(zip(labels, days[at].tolist(), strict=True)), separators=(",", ":")) if at >= 0 else ""
        for at in row.tolist()
    ]

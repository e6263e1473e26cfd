"""What is known beside the ledger, read for a run; what a run learned about it, written back."""

from datetime import date, timedelta

import pandas as pd

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.signals import Finished, Signals
from erp_forecast_addon.services.publish import write_rows
from erp_forecast_addon.site import signal_queries, signal_reads
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

EVENT, UPLIFT, OVERRIDE = "Demand Event", "Demand Event Uplift", "Forecast Override"
DRIVER = "Driver Uplift"
NO_UPLIFTS = pd.DataFrame({
    "driver": pd.Series(dtype=object), "group": pd.Series(dtype=object), "uplift_pct": pd.Series(dtype=float),
    "occurrences": pd.Series(dtype=int),
})  # fmt: skip
# What a person can still look through; the groups that moved most come first.
MOST_UPLIFTS = 50
# A week or month that is running when the horizon begins or ends reaches over its edges.
_LONGEST_PERIOD_DAYS = 31


def read_signals(
    site: Site, settings: CompanySettings, items: pd.DataFrame, as_of: date
) -> tuple[Signals, list[Fault]]:
    """Everything that planning.signals wants of a company. items: table ITEMS.

    Faults Demand Event: a country whose holidays are not known.
    """
    since = as_of - timedelta(days=settings.plan.history_days + _LONGEST_PERIOD_DAYS)
    until = as_of + timedelta(days=settings.plan.horizon_days + _LONGEST_PERIOD_DAYS)
    holidays, faults = signal_reads.holidays(site, settings, since, until)
    signals = Signals(
        scopes=signal_reads.scopes(site, settings.company, items),
        events=signal_reads.events(site, since),
        holidays=holidays,
        prices=signal_reads.prices(site, settings.company, items, since),
        overrides=signal_reads.overrides(site, settings.company, as_of),
        replacements=signal_reads.replacements(site),
    )
    return signals, faults


def publish_uplifts(site: Site, company: str, as_of: date, table: pd.DataFrame) -> int:
    """Show on each Demand Event what its title did to demand, group by group; returns the number of rows.

    table: driver, group, uplift_pct, occurrences, as planning.forecasting.effects gives it. An event that the table
    does not know loses what an earlier run has shown; at most MOST_UPLIFTS groups an event, the largest first. Written
    in bulk: an open form notices, but nobody's change is lost.
    """
    titles = site.fetch(signal_queries.event_titles(site.qb, company))
    if titles.empty:
        return 0
    told = titles.assign(driver=_folded(titles["title"])).merge(
        table.assign(driver=_folded(table["driver"]), size=table["uplift_pct"].abs()), on="driver"
    )
    told = told[told["occurrences"] > 0].sort_values(["name", "size", "group"], ascending=[True, False, True])
    told = told[told.groupby("name").cumcount() < MOST_UPLIFTS]
    groups = _group_names(told["group"], company)
    names = titles["name"].tolist()
    site.delete_rows(UPLIFT, site.fetch(signal_queries.uplifts_of(site.qb, names))["name"].tolist())
    rows = pd.DataFrame({
        "parent": told["name"], "parenttype": EVENT, "parentfield": "uplifts",
        "idx": told.groupby("name").cumcount() + 1, "group_name": groups,
        "uplift_pct": told["uplift_pct"].round(1), "occurrences": told["occurrences"], "as_of": as_of,
    })  # fmt: skip
    if len(rows):
        site.insert_rows(UPLIFT, rows.reset_index(drop=True))
    site.touch_documents(EVENT, names)
    return len(rows)


def publish_driver_uplifts(site: Site, run: str, company: str, as_of: date, table: pd.DataFrame) -> int:
    """Driver Uplift: what every event, holiday, signal and price did, group by group; returns the number of rows. A
    holiday has no record of its own on which to show it. table: as in `publish_uplifts`; commits."""
    seen = table[table["occurrences"] > 0]
    rows = pd.DataFrame({
        "company": company, "driver": seen["driver"].astype(str).str.slice(0, 140),
        "group_name": _group_names(seen["group"], company), "uplift_pct": seen["uplift_pct"].round(1),
        "occurrences": seen["occurrences"].astype(int), "as_of": pd.Timestamp(as_of), "forecast_run": run,
    }).drop_duplicates(["driver", "group_name"], ignore_index=True)  # fmt: skip
    written, _gone = write_rows(site, DRIVER, company, run, iter([rows] if len(rows) else []))
    return written


def _group_names(groups: pd.Series, company: str) -> pd.Series:
    return groups.replace({"": company, "All": company}).str.replace(" | ", " · ", regex=False)


def _folded(titles: pd.Series) -> pd.Series:
    return titles.astype(str).str.strip().str.casefold()


def record_overrides(site: Site, company: str, as_of: date, finished: Finished | None) -> int:
    """Write what each override did to the forecast, and set those that are over to Expired; returns how many did
    something."""
    effects = finished.override_effects if finished is not None else pd.DataFrame(columns=["name"])
    for row in effects.to_dict("records"):  # overrides are made by people, one by one
        values = {name: round(float(row[name]), 3) for name in ("forecast_before", "forecast_after")}
        site.set_fields(OVERRIDE, row["name"], {**values, "applied_on": as_of})
    over = site.fetch(signal_queries.overrides_that_are_over(site.qb, company, site.now().date()))["name"].tolist()
    for name in over:
        site.set_fields(OVERRIDE, name, {"status": "Expired"})
    site.touch_documents(OVERRIDE, [*effects["name"].tolist(), *over])
    return len(effects)

"""What a company's run has learned of all its series, kept to forecast a few of them again."""

import hashlib
from dataclasses import dataclass
from datetime import date

import numpy as np

from erp_forecast_addon import __version__
from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.forecasting.catalog import candidates
from erp_forecast_addon.planning.forecasting.forecast import LEARNED_VERSION, Learned
from erp_forecast_addon.planning.inventory.occasional import Prior
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.services import learned_state
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

KIND = "forecast"
VERSION = f"{__version__}/{LEARNED_VERSION}"


@dataclass(frozen=True)
class Learning:
    """learned: of a panel of `width` periods up to as_of; occasions: what its items asked for now and then told of each
    other, None where no levels are made of it."""

    learned: Learned
    as_of: date
    width: int
    occasions: Prior | None = None

    def width_on(self, day: date, settings: CompanySettings) -> int:
        """How many periods the company's panel has on a later day."""
        period = settings.plan.period
        since = periods.last_complete(day, period) - periods.last_complete(self.as_of, period)
        return max(1, min(self.width + since, periods.count_in(settings.plan.history_days, period)))


def keep(site: Site, company: str, learned: Learned, panel: Panel, occasions: Prior | None = None) -> int:
    """Keep what was learned of a company's whole panel; returns its size in bytes. Commits."""
    state = {"learned": learned, "as_of": panel.last_day, "width": panel.t, "occasions": occasions}
    return learned_state.save(site, company, KIND, state, version=VERSION, data_hash=fingerprint(panel))


def last(site: Site, settings: CompanySettings) -> Learning | None:
    """What the company's last run learned; None if there is none that fits the settings and this version."""
    kept = learned_state.load(site, settings.company, KIND, version=VERSION)
    if kept is None or not kept.state["learned"].fits(settings.plan.period, candidates(settings.plan.period)):
        return None
    return Learning(**kept.state)


def fingerprint(panel: Panel) -> str:
    """A hash of the panel's demand and of where it is known."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(np.ascontiguousarray(panel.demand, dtype=np.float32))
    digest.update(np.packbits(panel.observed))
    digest.update("\x1f".join(panel.keys["item_code"] + "\x1e" + panel.keys["warehouse"]).encode())
    return digest.hexdigest()

"""Series whose record begins with a demand: that demand is why they are known, and says nothing of how often they sell.

A spare part asked for once, three weeks ago, has sold in a third of its weeks by its record; most such parts are silent
for months. So the first period is left out: of the m observed periods after it j had demand, and the share of periods
with demand has a Beta(α, β) distribution over all series that began so. The posterior mean is (j + α) / (m + α + β);
the record, which the models go by, says (j + 1) / (m + 1). Forecasts are multiplied with the ratio of the two.

Empirical Bayes: Efron & Morris 1973; the beta-binomial: Skellam 1948, J. Royal Statistical Society B 10, 257-261.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, gammaln

from erp_forecast_addon.planning.forecasting.demand_class import NEW_BELOW
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import Period

# Up to half a year after its begin a series is corrected in full, from then on less, after a year no more: by then the
# first demand is one of several, or the silence since then is long enough for recency.py. Of days nothing is taken off:
# what is asked for by the day is new because it is launched, and M5's new series sell what their record says.
FULL_UNTIL: dict[Period, int] = {"week": 26, "month": 6}
NONE_FROM: dict[Period, int] = {"week": 52, "month": 12}
# Half of what the series that began tell is believed once there are so many.
_HALF_WEIGHT = 10.0
# Mean shares of periods with demand, and α + β, that are tried.
_MEANS = np.geomspace(0.005, 0.9, 60)[:, None]
_TOTALS = np.geomspace(0.3, 100.0, 40)[None, :]


@dataclass(frozen=True)
class FirstSale:
    """alpha, beta: of the share of periods with demand after the first; certainty: 0 to 1, how far it is believed."""

    alpha: float = 1.0
    beta: float = 1.0
    certainty: float = 0.0

    def of(self, panel: Panel) -> np.ndarray:
        """What each series' forecast is multiplied with, 0 to 1; 1 for all that did not begin so. (n, 1) float32"""
        result = np.ones((panel.n, 1), dtype=np.float32)
        if not self.certainty:
            return result
        rows, sold, seen = _began(panel, panel.t)
        expected = (sold + self.alpha) / (seen + self.alpha + self.beta)
        factor = 1.0 + self.certainty * np.minimum(expected * (seen + 1) / (sold + 1) - 1.0, 0.0)
        full, none = FULL_UNTIL[panel.period], NONE_FROM[panel.period]
        fading = np.clip((none - (panel.t - panel.first[rows])) / (none - full), 0.0, 1.0)
        result[rows, 0] = factor**fading
        return result

    def before(self, panel: Panel, origins: tuple[int, ...]) -> np.ndarray:
        """The same for each series as it stood at each backtest origin. (k, n, 1) float32"""
        found = [self.of(panel.before(origin)) for origin in origins]
        return np.stack(found) if found else np.ones((0, panel.n, 1), dtype=np.float32)


def learn_first_sale(panel: Panel) -> FirstSale:
    """The α and β of the greatest likelihood, from the half year after the begin of each series of the last year."""
    if panel.period not in FULL_UNTIL:
        return FirstSale()
    _rows, sold, seen = _began(panel, FULL_UNTIL[panel.period])
    sold, seen = sold[seen > 0], seen[seen > 0]
    if not len(seen):
        return FirstSale()
    alpha, beta = _MEANS * _TOTALS, (1.0 - _MEANS) * _TOTALS
    # log B(α + j, β + m − j) is a sum over three counts, so that series are only tallied.
    likelihood = (
        _summed_gammaln(alpha, sold)
        + _summed_gammaln(beta, seen - sold)
        - _summed_gammaln(alpha + beta, seen)
        - len(seen) * betaln(alpha, beta)
    )
    at = np.unravel_index(int(np.argmax(likelihood)), likelihood.shape)
    return FirstSale(float(alpha[at]), float(beta[at]), len(seen) / (len(seen) + _HALF_WEIGHT))


def _summed_gammaln(start: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Σ log Γ(start + count) over the counts. start: (a, b); count: (m,) int; (a, b)"""
    tally = np.bincount(count)
    known = np.flatnonzero(tally)
    return np.asarray(gammaln(start[..., None] + known) @ tally[known].astype(float))


def _began(panel: Panel, periods: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Series that began with a demand within the last year: rows (m,), and of the observed periods after the first,
    up to so many of them, how many had demand and how many there are. (m,), (m,) int

    Whatever is first seen as the panel itself begins may be an old series.
    """
    since = max(NEW_BELOW[panel.period], panel.t - NONE_FROM[panel.period])
    rows = np.flatnonzero(panel.first >= since)
    rows = rows[panel.demand[rows, panel.first[rows]] > 0]
    age = np.arange(since, panel.t) - panel.first[rows, None]
    seen = (age > 0) & (age <= periods) & panel.in_stock[rows, since:]
    return rows, (seen & (panel.demand[rows, since:] > 0)).sum(axis=1), seen.sum(axis=1)

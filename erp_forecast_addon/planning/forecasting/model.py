"""What a forecasting model is."""

from typing import Protocol

import numpy as np


class Model(Protocol):
    """A method that forecasts every series of a panel by itself.

    name: as users see it. constant_bias: how far, as a share, the forecast of a constant series may lie below it
    (0 for all but the methods that deflate on purpose).
    """

    name: str
    constant_bias: float

    def forecast(
        self,
        demand: np.ndarray,
        mask: np.ndarray,
        horizon: int,
        season_length: int,
        prior: np.ndarray | None = None,
    ) -> np.ndarray:
        """Mean demand of the next `horizon` periods. (n, horizon), finite and never negative, of demand's type.

        demand: (n, t) float, oldest first; mask: (n, t) bool, False where demand is unknown (values there have no
        influence); prior: (n, season_length) seasonal indices of comparable series by phase (see seasonality.py),
        None: flat. A series without an observed period is forecast 0. The input is not changed.
        """
        ...

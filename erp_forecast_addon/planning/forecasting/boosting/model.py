"""A trained model: forecasts, what-if without a driver, and its stored form."""

import hashlib
import io
import pickle
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from importlib import metadata
from typing import Any, Literal

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.drivers import Driver
from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.forecasting.boosting.context import Context, Groups, group
from erp_forecast_addon.planning.forecasting.boosting.features import FeaturePlan, Rows, feature_matrix
from erp_forecast_addon.planning.forecasting.boosting.rhythm import RHYTHM
from erp_forecast_addon.planning.forecasting.boosting.threads import one_thread
from erp_forecast_addon.planning.forecasting.rows import ROWS_PER_BLOCK
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import Period

# Raised whenever the features or the meaning of the trees' answers change: a model of another version is not used.
VERSION = 4
# A model is trained anew after so many days, whatever happened.
MAX_AGE_DAYS = 7
# The trees' answer is held within these bounds: how often the expected demand a forecast may be.
_MAX_FACTOR = 20.0
_MAGIC = b"ERPFORECAST-BOOSTED"
Without = Literal["event", "signal", "price"]


@dataclass(frozen=True)
class Block:
    """The regressors of the steps first..last, whose answers are averaged; those of the last block also answer for all
    steps beyond."""

    first: int
    last: int
    regressors: tuple[Any, ...]

    def factor(self, values: np.ndarray) -> np.ndarray:
        """How often the expected demand each row is forecast to be. (rows,)"""
        with one_thread():
            answers = [np.minimum(regressor.predict(values), _MAX_FACTOR) for regressor in self.regressors]
        return np.asarray(np.mean(answers, axis=0))


@dataclass(frozen=True)
class BoostedModel:
    """One model for all series of a company, frozen when trained.

    version: of the features and the library that wrote the trees; data_hash: of all that it was trained on;
    trained_until: last day of it; horizon: the steps it learned; feature_names: columns of the matrix, in order.
    """

    version: str
    data_hash: str
    trained_until: date
    period: Period
    horizon: int
    plan: FeaturePlan
    feature_names: tuple[str, ...]
    blocks: tuple[Block, ...]

    def groups(self, panel: Panel) -> Groups:
        """What forecasts of single items need to know of the whole company's panel; make it once, keep it."""
        return group(panel, self.plan.drivers.frequent, self.plan.drivers.price)

    def forecast(
        self, panel: Panel, horizon: int | None = None, *, groups: Groups | None = None, workers: int = 2
    ) -> np.ndarray:
        """Mean demand of the next `horizon` periods (None: those it learned). (n, horizon) float32, never negative.

        panel: all series of the company, or some of them together with the `groups` of all. Steps beyond those learned
        are forecast like the last one learned; a series that never sold is forecast 0.
        workers has no influence on the result. Raises BadInput for a panel of another period.
        """
        if panel.period != self.period:
            raise BadInput(
                _("The model was trained on periods of a {trained}, the panel has periods of a {period}."),
                trained=self.period, period=panel.period,
            )  # fmt: skip
        steps = horizon or self.horizon
        result = np.zeros((panel.n, steps), dtype=np.float32)
        context = (groups or self.groups(panel)).context(panel)
        sold = np.asarray((panel.observed & (panel.demand > 0)).any(axis=1))

        def fill(at: int) -> None:
            block = slice(at, min(at + ROWS_PER_BLOCK, panel.n))
            part = panel if panel.n <= ROWS_PER_BLOCK else panel.select(np.arange(block.start, block.stop))
            result[block] = np.where(sold[block, None], self._block(part, context.rows(block), steps), 0)

        starts = range(0, panel.n, ROWS_PER_BLOCK)
        if workers <= 1 or len(starts) <= 1:
            for at in starts:
                fill(at)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(fill, starts))
        return result

    def without(
        self, panel: Panel, kind: Without, horizon: int | None = None, *, groups: Groups | None = None
    ) -> np.ndarray:
        """The forecast as it would be without a kind of driver ahead, see `neutral`. (n, horizon) float32"""
        return self.forecast(neutral(panel, kind), horizon, groups=groups, workers=1)

    def _block(self, panel: Panel, context: Context, steps: int) -> np.ndarray:
        result = np.empty((panel.n, steps))
        for block in self.blocks:  # over horizon blocks, which are few
            last = steps if block is self.blocks[-1] else min(block.last, steps)
            if last < block.first:
                break
            ahead = np.arange(block.first, last + 1)
            rows = Rows(
                series=np.repeat(np.arange(panel.n), len(ahead)),
                end=np.full(panel.n * len(ahead), panel.t),
                target=np.tile(panel.t - 1 + ahead, panel.n),
            )
            matrix, expected = feature_matrix(self.plan, panel, context, rows)
            values = self.arrange(matrix)
            answer = block.factor(values) * expected
            result[:, block.first - 1 : last] = answer.reshape(panel.n, len(ahead))
        return result

    def arrange(self, matrix: pd.DataFrame) -> np.ndarray:
        """The features in the order that the trees know; NaN for what cannot be told; steps up to those learned."""
        values = np.array(matrix.reindex(columns=list(self.feature_names)), dtype=np.float32)
        step = self.feature_names.index("step")
        values[:, step] = np.minimum(values[:, step], self.horizon)
        return values

    def save(self) -> bytes:
        """The model as bytes: a header with version and check sum, then the compressed pickle."""
        body = zlib.compress(pickle.dumps(self, protocol=5), 6)
        return b"\n".join((_MAGIC, self.version.encode(), hashlib.sha256(body).hexdigest().encode(), body))

    @staticmethod
    def load(stored: bytes) -> "BoostedModel":
        """The model that `save` wrote. Raises BadInput, with what to do, if it is damaged or of another version.

        A pickle runs code when it is read: only bytes that this site itself has stored may be given. The check sum
        shows damage, not forgery.
        """
        parts = stored.split(b"\n", 3)
        if len(parts) != 4 or parts[0] != _MAGIC:
            raise BadInput(_("What is stored is not a forecasting model; it will be trained anew."))
        if parts[1].decode(errors="replace") != version():
            raise BadInput(
                _("The stored forecasting model is of version {stored}, not {wanted}; it will be trained anew."),
                stored=parts[1].decode(errors="replace"), wanted=version(),
            )  # fmt: skip
        if hashlib.sha256(parts[3]).hexdigest().encode() != parts[2]:
            raise BadInput(_("The stored forecasting model is damaged; it will be trained anew."))
        model = pickle.load(io.BytesIO(zlib.decompress(parts[3])))
        assert isinstance(model, BoostedModel)
        return model


def version() -> str:
    """Of the features and of the library whose trees are stored: neither can read the other's."""
    library = metadata.version("scikit-learn")  # asked of the package: importing it costs half a second
    return f"{VERSION}/scikit-learn {library}"


def data_hash(panel: Panel) -> str:
    """Equal for panels of equal keys, periods, demand, masks and drivers."""
    digest = hashlib.sha256(panel.period.encode())
    for column in ("item_code", "warehouse"):
        digest.update("\x1e".join(panel.keys[column].astype(str)).encode())
    for part in (panel.starts.astype("datetime64[D]").astype(np.int64), panel.demand, panel.in_stock, panel.first):
        digest.update(np.ascontiguousarray(part).tobytes())
    for name in sorted(panel.drivers):
        driver = panel.drivers[name]
        digest.update(f"{name}\x1f{driver.kind}\x1f{driver.family}".encode())
        digest.update(np.ascontiguousarray(driver.values).tobytes())
        digest.update(b"" if driver.rows is None else np.ascontiguousarray(driver.rows).tobytes())
    return digest.hexdigest()


def needs_training(
    model: BoostedModel | None, panel: Panel, horizon: int, *, drifted: bool, today: date
) -> tuple[str, dict[str, object]] | None:
    """Why a model has to be trained (anew): a sentence's template and values; None: the stored one will do."""
    if model is None:
        return _("No model has been trained yet."), {}
    if model.version != version():
        return _("The model is of version {stored}; this is {wanted}."), {"stored": model.version, "wanted": version()}
    if model.period != panel.period:
        return _("The period is now a {period}; the model knows {trained}."), {
            "period": panel.period, "trained": model.period,
        }  # fmt: skip
    if model.horizon < horizon:
        return _("The horizon is now {horizon} periods; the model has learned {learned}."), {
            "horizon": horizon, "learned": model.horizon,
        }  # fmt: skip
    if model.trained_until >= panel.last_day and model.data_hash == data_hash(panel):
        return None
    if drifted:
        return _("Demand has moved away from what was forecast."), {}
    age = (today - model.trained_until).days
    if age >= MAX_AGE_DAYS:
        return _("The model has seen nothing of the last {days} days."), {"days": age}
    return None


def neutral(panel: Panel, kind: Without) -> Panel:
    """The panel with one kind of driver of no influence after its end: no event, no known signal, the usual price.

    The past stays as it was. The usual price is the mean of the last periods before the end.
    """
    drivers = {
        name: _neutral(driver, kind, panel.t, RHYTHM[panel.period].base) if driver.kind == kind else driver
        for name, driver in panel.drivers.items()
    }
    return replace(panel, drivers=drivers)


def _neutral(driver: Driver, kind: Without, t: int, window: int) -> Driver:
    values = np.array(driver.values, dtype=np.float32)
    if kind == "event":
        values[..., t:] = 0.0
    elif kind == "signal":
        values[..., t:] = np.nan
    else:
        recent = values[..., max(0, t - window) : t]
        known = recent > 0
        usual = np.where(known, recent, 0).sum(axis=-1, keepdims=True)
        usual = usual / np.maximum(known.sum(axis=-1, keepdims=True), 1)
        values[..., t:] = np.where(usual > 0, usual, values[..., t:])
    return replace(driver, values=values)

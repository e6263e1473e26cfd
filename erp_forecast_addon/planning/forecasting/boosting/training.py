"""Training: a sample of rows, their features, and regressors per block of the horizon."""

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.forecasting.boosting import sampling
from erp_forecast_addon.planning.forecasting.boosting.chance import without_chance
from erp_forecast_addon.planning.forecasting.boosting.context import Context, group
from erp_forecast_addon.planning.forecasting.boosting.features import FeaturePlan, Rows, feature_matrix, plan_features
from erp_forecast_addon.planning.forecasting.boosting.model import Block, BoostedModel, data_hash, version
from erp_forecast_addon.planning.forecasting.boosting.rhythm import RHYTHM
from erp_forecast_addon.planning.forecasting.boosting.threads import one_thread
from erp_forecast_addon.planning.forecasting.rows import ROWS_PER_BLOCK
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel

# Fewer rows than this per horizon block teach nothing that holds.
MIN_ROWS = 500
_ROWS_PER_KNOWN_PERIOD = 4
# A backtest's model has to rank methods only: it is the first of the members alone.
_BACKTEST_MEMBERS = 1


@dataclass(frozen=True)
class Recipe:
    """How much and how finely is learned; chosen by backtests, see docs/boosting.md.

    rows: of a member's sample, per block of the horizon, at most; half_life_years: age at which a period is drawn half
    as often, of one member after the other: as many regressors, each on a sample of its own, whose answers are
    averaged; calm: which of them, in turn, learn from days without what all series shared by chance (chance.py);
    trees, learning_rate, leaves, min_leaf (rows), l2: of each regressor.
    """

    rows: int = 300_000
    half_life_years: tuple[float, ...] = (0.5, 0.17, 2.0)
    calm: tuple[bool, ...] = (True, False, True)
    trees: int = 160
    learning_rate: float = 0.06
    leaves: int = 63
    min_leaf: int = 200
    l2: float = 5.0


def can_train(panel: Panel, horizon: int) -> bool:
    """Whether the history is long enough for a first origin, the horizon after it, and some rows to learn from."""
    rhythm = RHYTHM[panel.period]
    if panel.t < rhythm.min_past + min(horizon, rhythm.block_ends[0]):
        return False
    late = panel.observed[:, rhythm.min_past :]
    return bool(late.sum() >= MIN_ROWS and (panel.demand[:, rhythm.min_past :][late] > 0).any())


@dataclass(frozen=True)
class Training:
    """A model under way: unfinished is the model without its regressors; blocks: of each the first and last step and
    its members, which the threads of a pool fit one by one.
    """

    unfinished: BoostedModel
    blocks: tuple[tuple[int, int, tuple["Future[_Member]", ...]], ...]

    @property
    def members(self) -> "list[Future[_Member]]":
        return [member for _first, _last, members in self.blocks for member in members]

    def result(self) -> BoostedModel:
        """Waits for all members."""
        made = [(first, last, [member.result() for member in members]) for first, last, members in self.blocks]
        return replace(
            self.unfinished,
            feature_names=made[0][2][0].feature_names,
            blocks=tuple(
                Block(first, last, tuple(each.regressor for each in members)) for first, last, members in made
            ),
        )


def begin(
    panel: Panel,
    horizon: int,
    pool: Executor,
    *,
    recipe: Recipe | None = None,
    seed: int = 0,
    undriven: bool = False,
) -> Training:
    """Start to learn to forecast 1..horizon periods ahead from all series of a cleaned panel.

    pool: whose threads fit a regressor each; others may use it too. The model is the same for any number of threads.
    undriven: the panel's demand is without what drivers did to groups, so what all series still share on a day is
    chance; else the trees learn the drivers' effects from it.
    Nothing after an origin is known to its rows but drivers. Periods without stock are neither learned nor counted.
    Raises BadInput when the history is too short (`can_train`).
    """
    if not can_train(panel, horizon):
        raise BadInput(
            _("{t} periods of {n} series are too little to train the boosting model on."), t=panel.t, n=panel.n
        )
    chosen = recipe or Recipe()
    plan = plan_features(panel)
    lesson = _Lesson(chosen, plan, panel, group(panel, plan.drivers.frequent, plan.drivers.price).context(panel))
    generator = np.random.default_rng(seed)
    blocks = []
    for first, last in horizon_blocks(panel, horizon):  # over horizon blocks, which are few
        members = []
        for number, half_life in enumerate(chosen.half_life_years):  # over members, which are few
            fading = half_life * RHYTHM[panel.period].year
            sample = sampling.draw(panel, (first, last), _row_count(panel, chosen), fading, generator)
            calm = undriven and chosen.calm[number % len(chosen.calm)]
            members.append(pool.submit(lesson.member, sample, calm, int(generator.integers(2**31))))
        blocks.append((first, last, tuple(members)))
    unfinished = BoostedModel(
        version=version(),
        data_hash=data_hash(panel),
        trained_until=panel.last_day,
        period=panel.period,
        horizon=horizon,
        plan=plan,
        feature_names=(),
        blocks=(),
    )
    return Training(unfinished, tuple(blocks))


def train(
    panel: Panel,
    horizon: int,
    *,
    recipe: Recipe | None = None,
    seed: int = 0,
    workers: int = 2,
    undriven: bool = False,
) -> BoostedModel:
    """`begin`, and wait for it. workers: threads, without influence on the result."""
    with ThreadPoolExecutor(max(1, workers)) as pool:
        return begin(panel, horizon, pool, recipe=recipe, seed=seed, undriven=undriven).result()


def begin_backtest(
    panel: Panel, origin: int, steps: int, pool: Executor, *, recipe: Recipe | None = None, undriven: bool = False
) -> Training | None:
    """Start a model on the first `origin` periods alone, whose forecast of the `steps` after them can be judged.

    recipe: None: the default with its first member alone. None is returned if the periods are too few to train on.
    """
    past = panel.before(origin)
    if not can_train(past, steps):
        return None
    chosen = recipe or replace(Recipe(), half_life_years=Recipe().half_life_years[:_BACKTEST_MEMBERS])
    return begin(past, steps, pool, recipe=chosen, undriven=undriven)


def backtest(
    panel: Panel, origin: int, steps: int, *, recipe: Recipe | None = None, workers: int = 2, undriven: bool = False
) -> np.ndarray | None:
    """What the model of `begin_backtest` forecasts, or None. (n, steps) float32

    Drivers of the `steps` are taken as known ahead, as for a real forecast.
    """
    with ThreadPoolExecutor(max(1, workers)) as pool:
        training = begin_backtest(panel, origin, steps, pool, recipe=recipe, undriven=undriven)
    return None if training is None else training.result().forecast(panel.before(origin), steps, workers=workers)


def horizon_blocks(panel: Panel, horizon: int) -> list[tuple[int, int]]:
    """First and last step of each block; blocks that the history is too short to learn are left to the one before."""
    rhythm = RHYTHM[panel.period]
    farthest = min(horizon, max(rhythm.block_ends[0], (panel.t - rhythm.min_past) // 2))
    ends = [end for end in rhythm.block_ends if end < farthest] + [farthest]
    return list(zip([1, *(end + 1 for end in ends[:-1])], ends, strict=True))


@dataclass(frozen=True)
class _Member:
    feature_names: tuple[str, ...]
    regressor: Any


@dataclass(frozen=True)
class _Lesson:
    """What all members of a model learn from."""

    recipe: Recipe
    plan: FeaturePlan
    panel: Panel
    context: Context

    def member(self, sample: sampling.Sample, calm: bool, seed: int) -> _Member:
        matrix, expected = matrix_of(self.plan, self.panel, self.context, sample.rows)
        actual = self.panel.demand[sample.rows.series, sample.rows.target]
        if calm:
            actual = without_chance(self.plan.drivers, self.panel, sample.rows, expected, actual, sample.weight)
        with one_thread():
            regressor = _fit(self.recipe, self.plan, matrix, expected, actual, sample.weight, seed)
        return _Member(tuple(matrix.columns), regressor)


def matrix_of(plan: FeaturePlan, panel: Panel, context: Context, rows: Rows) -> tuple[pd.DataFrame, np.ndarray]:
    """feature_matrix of rows that are sorted by series, a block of series at a time."""
    starts = np.arange(0, panel.n, ROWS_PER_BLOCK)
    edges = np.searchsorted(rows.series, np.append(starts, panel.n))
    matrices, expected = [], []
    for number, low in enumerate(starts.tolist()):  # over blocks: bounds the memory
        some = slice(edges[number], edges[number + 1])
        block = slice(low, min(low + ROWS_PER_BLOCK, panel.n))
        own = Rows(rows.series[some] - low, rows.end[some], rows.target[some])
        part = panel.select(np.arange(block.start, block.stop))
        matrix, level = feature_matrix(plan, part, context.rows(block), own)
        matrices.append(matrix)
        expected.append(level)
    return pd.concat(matrices, ignore_index=True), np.concatenate(expected)


def _fit(
    recipe: Recipe,
    plan: FeaturePlan,
    matrix: pd.DataFrame,
    expected: np.ndarray,
    actual: np.ndarray,
    weight: np.ndarray,
    seed: int,
) -> Any:
    """Poisson regression with the expected demand as exposure: of actual / expected, weighed with expected.

    That is the likelihood of actual ~ Poisson(expected · factor), whatever the unit of the series; each leaf answers
    with Σ actual / Σ expected of its rows, so sums over many series have no bias where the leaves fit.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor  # half a second, and only training needs it

    regressor = HistGradientBoostingRegressor(
        loss="poisson",
        learning_rate=recipe.learning_rate,
        max_iter=recipe.trees,
        max_leaf_nodes=recipe.leaves,
        min_samples_leaf=min(recipe.min_leaf, max(5, len(matrix) // 200)),
        l2_regularization=recipe.l2,
        early_stopping=False,
        categorical_features=[plan.is_categorical(name) for name in matrix.columns],
        random_state=seed,
    )
    exposure = weight * expected
    regressor.fit(
        matrix.to_numpy(), np.maximum(actual, 0) / expected, sample_weight=exposure / max(exposure.mean(), 1e-300)
    )
    return regressor


def _row_count(panel: Panel, recipe: Recipe) -> int:
    """Of few known periods each is drawn a few times at most, from different origins."""
    known = int(panel.observed[:, RHYTHM[panel.period].min_past :].sum())
    return min(recipe.rows, _ROWS_PER_KNOWN_PERIOD * known)

"""What a feature's windows are for days, weeks and months."""

from dataclasses import dataclass

from erp_forecast_addon.planning.settings import Period


@dataclass(frozen=True)
class Rhythm:
    """All lengths in periods.

    cycle: the short cycle (7 days; 1: none); year: a year in whole cycles; windows: of the rolling statistics, short
    to long; base: the window that others are compared with; phase_cycles: cycles that a phase's mean reaches back,
    index_cycles: the same for the seasonal index of groups, whose cycle changes slowly and is bent by few weeks;
    fade: how much a cycle's demand still counts one cycle later in the level; min_past: known periods before the first
    origin that is learned from; age_limit: from then on a series counts as old; block_ends: the last step of each
    horizon block, the last block takes all that is left.
    """

    cycle: int
    year: int
    windows: tuple[int, ...]
    base: int
    phase_cycles: int
    index_cycles: int
    fade: float
    min_past: int
    age_limit: int
    block_ends: tuple[int, ...]


RHYTHM: dict[Period, Rhythm] = {
    "day": Rhythm(7, 364, (1, 3, 7, 14, 28, 56, 112), 56, 8, 52, 0.88, 56, 182, (28, 91)),
    "week": Rhythm(1, 52, (1, 2, 4, 8, 13, 26, 52), 13, 8, 8, 0.88, 13, 26, (13, 26)),
    "month": Rhythm(1, 12, (1, 2, 3, 6, 12, 24), 6, 6, 6, 0.8, 6, 12, (6, 12)),
}

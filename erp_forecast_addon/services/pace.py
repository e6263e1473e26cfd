"""How often a job says how far it is."""

from dataclasses import dataclass, field
from time import perf_counter

from erp_forecast_addon.planning.messages import _

# doing: what a Progress was told.
AT_WORK = _("{step}: {doing}")
# A job that is over before anybody waits for it says nothing more than its steps: each word is a write.
QUIET_SECONDS = 2.0
SECONDS_BETWEEN = 1.0


@dataclass
class Pace:
    """Of one job. began: when it did; said: when it last said something. Both in seconds of perf_counter."""

    began: float = field(default_factory=perf_counter)
    said: float = field(default_factory=perf_counter)

    def due(self) -> bool:
        """Whether it is time for a word, which is then taken for said."""
        now = perf_counter()
        if now - self.began < QUIET_SECONDS or now - self.said < SECONDS_BETWEEN:
            return False
        self.said = now
        return True

    def spoke(self) -> None:
        """Something was said that was due anyway."""
        self.said = perf_counter()

    @property
    def seconds(self) -> float:
        """Since the job began."""
        return perf_counter() - self.began

"""How far a long computation is, said to whoever waits for it.

Whoever computes says it wherever that costs nothing; whoever is told decides how often it is shown. Nobody here looks
at a clock: shares of time come from a table that was measured once (work.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Done = Callable[[float], None]


class Progress(Protocol):
    """share: of the time that is over, in [0, 1], never less than before; step: what is being done, a template marked
    by messages._ that goes on after a colon, so it begins as the middle of a sentence does; values: of the template."""

    def __call__(self, share: float, step: str, /, **values: Any) -> None: ...


def silent(share: float, step: str, /, **values: Any) -> None:
    """Nobody waits."""


def unseen(share: float) -> None:
    """Nobody waits for so small a part."""


def between(done: Done, begin: float, end: float) -> Done:
    """For what lies between these shares of a whole, of which `done` is told."""
    return lambda share: done(begin + (end - begin) * share)


@dataclass(frozen=True)
class Stages:
    """Stages of a computation, one after the other. seconds: by stage, in their order; only their proportions count,
    and a stage that this computation leaves out takes 0."""

    progress: Progress
    seconds: Mapping[str, float]

    def say(self, stage: str, done: float = 0.0, /, **values: Any) -> None:
        """`done` of this stage, in [0, 1], is over; its name is what is shown."""
        self.progress(self._share(stage, done), stage, **values)

    def done(self, stage: str) -> Done:
        """For whoever knows only how much of its own work is done."""
        return lambda done: self.say(stage, done)

    def within(self, stage: str) -> Progress:
        """For a stage that has stages of its own, whose names are shown."""

        def told(share: float, step: str, /, **values: Any) -> None:
            self.progress(self._share(stage, share), step, **values)

        return told

    def _share(self, stage: str, done: float) -> float:
        names = list(self.seconds)
        before = sum(self.seconds[name] for name in names[: names.index(stage)])
        over = before + min(max(done, 0.0), 1.0) * self.seconds[stage]
        return float(min(1.0, over / sum(self.seconds.values())))

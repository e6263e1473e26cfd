"""Regressors work side by side, each on a thread of its own, instead of one after the other on all threads.

Trees are grown in thousands of small steps. OpenMP's threads wait for each other after every one, so on a server whose
cores others use too, the slowest decides each step: four times slower than on one thread (docs/boosting.md). Whole
regressors side by side keep as many cores busy, and wait for nobody.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """What the calling thread does with trees stays on it. Other threads, and other libraries, are not concerned."""
    with threadpool_limits(1, user_api="openmp"):
        yield

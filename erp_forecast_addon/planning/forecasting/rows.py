"""Blocks of rows: bounds the memory of a step over a panel and uses the cores."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from erp_forecast_addon.planning.progress import Done, unseen

# So many series at a time keep a step's intermediates within a core's cache.
ROWS_PER_BLOCK = 2048


def in_blocks(
    work: Callable[[slice], None], n: int, workers: int, rows_per_block: int = ROWS_PER_BLOCK, done: Done = unseen
) -> None:
    """Call `work` with slices that cover 0..n once. Threads, as numpy releases the interpreter while it computes.

    What `work` writes must depend on its rows alone; then the result does not depend on `workers`. done: told the share
    that is done after each block, in the caller's thread.
    """
    blocks = [slice(at, min(at + rows_per_block, n)) for at in range(0, n, rows_per_block)]
    if workers <= 1 or len(blocks) <= 1:
        for number, block in enumerate(blocks, 1):
            work(block)
            done(number / len(blocks))
        return
    with ThreadPoolExecutor(workers) as pool:
        for number, _nothing in enumerate(pool.map(work, blocks), 1):  # an error is raised here
            done(number / len(blocks))

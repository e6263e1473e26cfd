"""Blocks of rows: bounds the memory of a step over a panel and uses the cores."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

# So many series at a time keep a step's intermediates within a core's cache.
ROWS_PER_BLOCK = 2048


def in_blocks(work: Callable[[slice], None], n: int, workers: int, rows_per_block: int = ROWS_PER_BLOCK) -> None:
    """Call `work` with slices that cover 0..n once. Threads, as numpy releases the interpreter while it computes.

    What `work` writes must depend on its rows alone; then the result does not depend on `workers`.
    """
    blocks = [slice(at, min(at + rows_per_block, n)) for at in range(0, n, rows_per_block)]
    if workers <= 1 or len(blocks) <= 1:
        for block in blocks:
            work(block)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, blocks))  # a list, so that an error is raised here

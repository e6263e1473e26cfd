"""A frame's rows as the text of a multi-row INSERT, column by column.

A driver escapes value by value; a table of buckets repeats few texts in many rows, so each distinct one is escaped
once and numbers are printed in bulk: a tenth of the driver's time.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

# A statement stays below MariaDB's smallest usual max_allowed_packet (16 MB), and longer ones are no faster.
ROWS_PER_STATEMENT = 4000
BYTES_PER_STATEMENT = 4_000_000


def value_lists(rows: Sequence[Sequence[Any]], escape: Callable[[str], str]) -> Iterator[str]:
    """The rows (plain values: None, str, int, float) as `(…),(…)`, in statements of bounded length.

    escape: text -> quoted SQL literal.
    """
    for begin in range(0, len(rows), ROWS_PER_STATEMENT):  # a piece at a time: its text is several times its size
        part = rows[begin : begin + ROWS_PER_STATEMENT]
        columns = [_literals(column, escape) for column in zip(*part, strict=True)]
        yield from _bounded([f"({','.join(row)})" for row in zip(*columns, strict=True)])


def _bounded(texts: list[str]) -> Iterator[str]:
    # Twice the letters: a letter of another script takes more than a byte.
    ends = np.cumsum([2 * len(text) for text in texts])
    statement = (ends - 1) // BYTES_PER_STATEMENT
    for number in np.unique(statement):
        yield ",".join(texts[at] for at in np.flatnonzero(statement == number))


def _literals(values: Sequence[Any], escape: Callable[[str], str]) -> list[str]:
    known: dict[Any, str] = {}
    literals = []
    for value in values:
        if type(value) is str:
            text = known.get(value)
            if text is None:
                text = known[value] = escape(value)
            literals.append(text)
        else:
            literals.append("NULL" if value is None else repr(value))
    return literals

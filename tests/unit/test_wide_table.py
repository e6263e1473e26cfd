"""Wide tables of ids and periods, as the benchmark of intermittent demand reads them."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.intermittent import origins_of, with_neighbours
from benchmarks.wide_table import period_columns, read_wide_table


@pytest.mark.parametrize(
    ("names", "period"),
    [
        (["w_001", "w_002"], "week"),
        (["d_9", "d_10"], "day"),
        (["1997-01", "1997-02"], "month"),
        (["2024-03-18", "2024-03-25", "2024-04-01"], "week"),
        (["2024-03-18", "2024-03-19"], "day"),
        (["2024-03-01", "2024-04-01"], "month"),
    ],
)
def test_periods_are_recognised_by_name(names, period):
    found, columns, days = period_columns(["sku", *names, "price"])
    assert (found, columns) == (period, names)
    assert (np.diff(days).astype(int) > 0).all()


def test_first_loads_and_empty_periods_are_left_out_and_order_does_not_matter(tmp_path):
    table = pd.DataFrame({f"2020-{month:02d}": [1.0, 2, np.nan] for month in (3, 1, 2, 5, 4)})
    table["2020-02"], table["2020-05"] = np.nan, 900.0
    table.insert(0, "price", 9.0)
    table.insert(0, "sku", ["a", "b", "c"])
    table.to_csv(tmp_path / "t.csv", index=False)
    read = read_wide_table(tmp_path / "t.csv", None)
    assert read.period == "month"
    assert read.ids.tolist() == ["a", "b", "c"]
    assert read.left_out == ("2020-02", "2020-05")
    assert read.demand[:, 0].tolist() == [1, 2, 0]
    assert with_neighbours(read.demand, read.known)[0].tolist() == [1, 1, 1, 1, 1]


def test_a_gap_no_periods_and_no_file_are_refused(tmp_path):
    path = tmp_path / "t.csv"
    pd.DataFrame({"sku": ["a"], "2020-01": [1], "2020-03": [1]}).to_csv(path, index=False)
    with pytest.raises(SystemExit, match="without a gap"):
        read_wide_table(path, None)
    pd.DataFrame({"sku": ["a"]}).to_csv(path, index=False)
    with pytest.raises(SystemExit, match="no period columns"):
        read_wide_table(path, None)
    with pytest.raises(SystemExit, match="no file"):
        read_wide_table(tmp_path / "none.csv", None)


@pytest.mark.parametrize(("t", "horizon", "period"), [(150, 8, "week"), (56, 3, "month"), (84, 6, "month")])
def test_four_origins_inside_the_last_year(t, horizon, period):
    origins = origins_of(t, horizon, period)
    year = {"week": 52, "month": 12}[period]
    assert len(origins) == 4
    assert origins[-1] + horizon == t
    assert origins[0] >= t - year

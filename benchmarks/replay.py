"""Replay of policies over history: what stock levels would have cost, ours beside ERPNext's.

    python -m benchmarks.replay --data ../shared/data/m5 [--weeks 26] [--chart replay_m5.html] [--own-forecasts]
    python -m benchmarks.replay --data ../shared/data/spare_parts/man [--history-known]
    python -m benchmarks.replay --data ../shared/data/spare_parts/oil

Nobody in a replay knows a day before it has come. M5: the last `--weeks` weeks of all series, day by day; see
docs/replay.md for the rules. Settings are chosen on the weeks before those that are scored. man: the last 52 weeks;
oil: the last 24 months, against the firm's own reorder points.
"""

import argparse
import time
from pathlib import Path

from benchmarks import replay_m5, replay_oil, replay_spares


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--data", type=Path, default=Path("../shared/data/m5"))
    cli.add_argument("--weeks", type=int, default=26, help="M5: how many of the last weeks are scored")
    cli.add_argument("--chart", type=Path, help="HTML file with the curves (default: replay_NAME.html)")
    cli.add_argument("--rows", type=int, help="M5: only so many series, drawn with a seed, for a quick look")
    cli.add_argument(
        "--own-forecasts", action="store_true",
        help="M5: every target forecasts from what it sold itself (slow), instead of what the lowest target sold",
    )  # fmt: skip
    cli.add_argument(
        "--history-known", action="store_true",
        help="man: each of both parts begins with all demand before it known and with each policy's own full shelves",
    )  # fmt: skip
    args = cli.parse_args()
    begin = time.perf_counter()
    name = args.data.name.removesuffix(".parquet")
    chart = args.chart or Path(f"replay_{name}.html")
    if name == "m5":
        replay_m5.run(args.data, args.weeks, chart, rows=args.rows, own_forecasts=args.own_forecasts)
    elif name == "man":
        replay_spares.run_man(args.data, chart, history_known=args.history_known)
    elif name == "oil":
        replay_oil.run(args.data, chart)
    else:
        raise SystemExit(f"--data must be the folder m5, or spare_parts/man or spare_parts/oil, not {args.data}")
    print(f"\ncurves drawn in {chart}; {time.perf_counter() - begin:.0f} s in all")


if __name__ == "__main__":
    main()

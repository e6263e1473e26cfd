"""A process of its own that plans the shop, and may be told to die on the way: `planning_process.py FILE WHEN`.

WHEN: `-` (run to the end), `step:NAME` (killed as the step begins), `order:N` (killed while the Nth order is made).
It prints `ready`, waits for a line, runs, and prints how it ended.
"""

import os
import signal
import sys
from datetime import datetime

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.services.run import run_company
from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.site.port import NativeOrder


class MortalSite(EmbeddedSite):
    """Dies by SIGKILL where it was told to: no exception handler, no cleanup runs."""

    dies_at = "-"
    orders = 0

    def report_progress(self, run: str, percent: float, step: str) -> None:
        super().report_progress(run, percent, step)
        self._die_if(f"step:{step}")

    def insert_order(self, *args: object, **given: object) -> NativeOrder:
        made = super().insert_order(*args, **given)  # type: ignore[arg-type]
        self.orders += 1
        self._die_if(f"order:{self.orders}")
        return made

    def _die_if(self, reached: str) -> None:
        if reached == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)


def main(path: str, dies_at: str, now: str) -> None:
    site = MortalSite(path, now=datetime.fromisoformat(now), user=f"user {os.getpid()}")
    site.dies_at = dies_at
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        run = run_company(site, "Shop Ltd", triggered_by="Command")
    except Refused as error:
        print(f"refused {error}", flush=True)
    else:
        print(f"completed {run}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

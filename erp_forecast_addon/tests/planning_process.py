"""A process of its own that plans the shop on a live site: `python -m …planning_process BENCH SITE TRIGGER WHEN`.

WHEN: `-` (run to the end) or `order:N` (killed by SIGKILL while the Nth order is made). It prints `ready`, waits for a
line, runs, and prints how it ended.
"""

import os
import signal
import sys
from typing import Any

import frappe

from erp_forecast_addon.planning.errors import Refused


def main(bench: str, site_name: str, trigger: str, dies_at: str) -> None:
    os.chdir(f"{bench}/sites")
    frappe.init(site_name)
    frappe.connect()
    from erp_forecast_addon.services.run import run_company
    from erp_forecast_addon.site.frappe_site import FrappeSite
    from erp_forecast_addon.site.port import NativeOrder

    class MortalSite(FrappeSite):
        orders = 0

        def insert_order(self, *args: Any, **given: Any) -> NativeOrder:
            made = super().insert_order(*args, **given)
            self.orders += 1
            if dies_at == f"order:{self.orders}":
                os.kill(os.getpid(), signal.SIGKILL)
            return made

    print("ready", flush=True)
    sys.stdin.readline()
    try:
        run = run_company(MortalSite(), "Forecast Shop", triggered_by=trigger)
    except Refused as error:
        print(f"refused {error}", flush=True)
    else:
        print(f"completed {run}", flush=True)
    frappe.destroy()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A process of its own that does one thing after another on a live site and stops at the stages of each:
`python -m …acting_process BENCH SITE`.

It reads what to do as a line of JSON, `[USER, ACT, WORD, …]`, until its stdin is closed. It prints a stage's name and
waits for a line before it goes on, so that a test can put two processes into each other in any order; at the end of an
act it prints `done` or `refused KIND SENTENCE`. Each act has a connection of its own, as a request has. Acts:

- `approve RECORD`, `reject RECORD`: over the API, as a person. Stages: `seen` (his transaction has read both
  documents), `decided` (not committed yet).
- `decide RECORD`: approves by our service, as a deputy's decision and an automatic one do. The same stages.
- `edit ORDER ITEM QTY`: a buyer's form. Stages: `opened`, `saved` (not committed yet).
- `run COMPANY STAGE`: a planning run. Stages: `planned` (before anything is drafted), or `replace_order_lines`,
  `delete_order`, `insert_order`: about to do that for the first time.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import frappe


def stage(name: str) -> None:
    print(name, flush=True)
    sys.stdin.readline()


def approve(record: str) -> None:
    from erp_forecast_addon.api.v1 import orders

    _decide(record, orders.approve)


def reject(record: str) -> None:
    from erp_forecast_addon.api.v1 import orders

    _decide(record, lambda name: orders.reject(name, "Not now"))


def decide(record: str) -> None:
    from erp_forecast_addon.services import decisions
    from erp_forecast_addon.site.frappe_site import FrappeSite

    _decide(record, lambda name: decisions.approve(FrappeSite(), name))


def _decide(record: str, how: Callable[[str], Any]) -> None:
    order = frappe.db.get_value("Auto Purchase Order", record, "purchase_order")
    frappe.get_all("Purchase Order Item", filters={"parent": order}, fields=["qty"])
    frappe.db.get_value("Purchase Order", order, "total")
    stage("seen")
    how(record)
    stage("decided")
    frappe.db.commit()


def edit(order: str, item_code: str, qty: str) -> None:
    form = frappe.get_doc("Purchase Order", order).as_dict()
    frappe.db.commit()  # the request that opened the form has ended
    stage("opened")
    document = frappe.get_doc(form)
    for row in document.items:
        if row.item_code == item_code:
            row.qty = float(qty)
    document.save()
    stage("saved")
    frappe.db.commit()


def run(company: str, where: str) -> None:
    from erp_forecast_addon.services.run import run_company
    from erp_forecast_addon.site.frappe_site import FrappeSite

    class StoppingSite(FrappeSite):
        stopped = False

        def report_progress(self, run: str, percent: float, step: str) -> None:
            super().report_progress(run, percent, step)
            if where == "planned" and step == "Draft orders":
                frappe.db.commit()
                stage("planned")

        def _once(self, what: str) -> None:
            if what == where and not self.stopped:
                self.stopped = True
                stage(what)

        def insert_order(self, *args: Any, **given: Any) -> Any:
            self._once("insert_order")
            return super().insert_order(*args, **given)

        def replace_order_lines(self, *args: Any, **given: Any) -> Any:
            self._once("replace_order_lines")
            return super().replace_order_lines(*args, **given)

        def delete_order(self, name: str) -> None:
            self._once("delete_order")
            super().delete_order(name)

    run_company(StoppingSite(), company, triggered_by="Command")


ACTS: dict[str, Callable[..., None]] = {
    "approve": approve, "reject": reject, "decide": decide, "edit": edit, "run": run,
}  # fmt: skip


def main(bench: str, site_name: str) -> None:
    os.chdir(f"{bench}/sites")
    for line in sys.stdin:
        user, act, *words = json.loads(line)
        frappe.init(site_name)
        frappe.connect()
        frappe.set_user(user)
        frappe.local.lang = "en"
        try:
            ACTS[act](*words)
        except Exception as error:  # whatever it is, the test reads it
            frappe.db.rollback()
            said = f"refused {type(error).__name__} {error}".replace("\n", " ")
        else:
            said = "done"
        frappe.destroy()
        print(said, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A stock ledger on an embedded site that is written the way ERPNext writes its own, with the same traps."""

from datetime import date, datetime, timedelta
from itertools import count

import pandas as pd

from erp_forecast_addon.site.embedded import EmbeddedSite

COMPANY = "Demo"
NOW = datetime(2026, 6, 1, 12, 0)
WAREHOUSES = ("Shop - D", "Depot - D")


def demo_site(path: object, companies: tuple[str, ...] = (COMPANY,)) -> EmbeddedSite:
    """An embedded site of planned companies with two warehouses each and nothing else."""
    site = EmbeddedSite.create(path, now=NOW)
    for company in companies:
        site.insert_document("Company", {"name": company, "company_name": company, "default_currency": "EUR"})
    for company in companies:
        for house in WAREHOUSES:
            name = house if company == COMPANY else f"{house} {company}"
            site.insert_document("Warehouse", {"name": name, "warehouse_name": name, "company": company})
    rows = [{"company": company, "enabled": 1} for company in companies]
    site.update_document("Forecast Settings", "Forecast Settings", {"enabled": 1, "companies": rows})
    site.commit()
    return site


class StockLedger:
    """Posts, cancels, returns, renames, merges and deletes; `touch=False` leaves `modified` as the trap it is."""

    def __init__(self, site: EmbeddedSite, company: str = COMPANY, first_number: int = 1) -> None:
        self.site, self.company = site, company
        self._number = count(first_number)

    def post(
        self, item: str, house: str, day: date, qty: float, voucher_type: str = "Delivery Note",
        voucher: str | None = None, modified: datetime | None = None,
    ) -> str:  # fmt: skip
        """One ledger row; later rows of the pair get their stock rewritten, their `modified` does not move."""
        number = next(self._number)
        voucher = voucher or f"{voucher_type[:2].upper()}-{number}"
        moment = datetime.combine(day, datetime.min.time()) + timedelta(hours=9, seconds=number)
        before = self._stock(item, house, moment)
        self._shift(item, house, moment, qty)
        self.site.insert_rows(
            "Stock Ledger Entry",
            pd.DataFrame([{
                "item_code": item, "warehouse": house, "posting_date": day, "posting_datetime": moment,
                "actual_qty": qty, "qty_after_transaction": before + qty, "voucher_type": voucher_type,
                "voucher_no": voucher, "company": self.company, "is_cancelled": 0,
                "modified": modified or self.site.now(),
            }]),
        )  # fmt: skip
        self._follow_bin(item, house)
        self.site.commit()
        return voucher

    def sell(self, item: str, house: str, day: date, qty: float) -> str:
        voucher = self.post(item, house, day, -qty)
        self.site.insert_document("Delivery Note", {"name": voucher, "company": self.company, "posting_date": day})
        self.site.commit()
        return voucher

    def give_back(self, item: str, house: str, day: date, qty: float, against: str) -> str:
        voucher = self.post(item, house, day, qty, voucher=f"RET-{next(self._number)}")
        self.site.insert_document(
            "Delivery Note",
            {"name": voucher, "company": self.company, "posting_date": day, "is_return": 1, "return_against": against},
        )
        self.site.commit()
        return voucher

    def cancel(self, voucher: str) -> None:
        """Flag the rows and add reversed ones, flagged too."""
        rows = self._read(f"voucher_no = '{voucher}' AND is_cancelled = 0")
        self.site.write(
            'UPDATE "tabStock Ledger Entry" SET is_cancelled = 1, modified = ? WHERE voucher_no = ?',
            (str(self.site.now()), voucher),
        )
        for name, item, house, moment, qty in rows:
            self._shift(item, house, datetime.fromisoformat(moment), -qty)
            self.site.write(
                'INSERT INTO "tabStock Ledger Entry" (name, item_code, warehouse, posting_date, posting_datetime, '
                "creation, modified, actual_qty, qty_after_transaction, voucher_type, voucher_no, company, "
                "is_cancelled) "
                "SELECT name || '-x', item_code, warehouse, posting_date, posting_datetime, creation, modified, "
                '-actual_qty, 0, voucher_type, voucher_no, company, 1 FROM "tabStock Ledger Entry" WHERE name = ?',
                (name,),
            )
            self._follow_bin(item, house)
        self.site.commit()

    def reconcile(self, item: str, house: str, day: date, qty: float) -> str:
        """The stock is `qty` from here on; the row's own quantity is 0, as ERPNext may write it."""
        number = next(self._number)
        moment = datetime.combine(day, datetime.min.time()) + timedelta(hours=9, seconds=number)
        self._shift(item, house, moment, qty - self._stock(item, house, moment))
        voucher = f"REC-{number}"
        self.site.insert_rows(
            "Stock Ledger Entry",
            pd.DataFrame([{
                "item_code": item, "warehouse": house, "posting_date": day, "posting_datetime": moment,
                "actual_qty": 0.0, "qty_after_transaction": qty, "voucher_type": "Stock Reconciliation",
                "voucher_no": voucher, "company": self.company, "is_cancelled": 0,
            }]),
        )  # fmt: skip
        self._follow_bin(item, house)
        self.site.commit()
        return voucher

    def rename_item(self, old: str, new: str) -> None:
        """What rename and merge do to the ledger: UPDATE by SQL, `modified` untouched."""
        self.site.write('UPDATE "tabStock Ledger Entry" SET item_code = ? WHERE item_code = ?', (new, old))
        self.site.write('DELETE FROM "tabBin" WHERE item_code = ?', (old,))
        self.site.commit()

    def delete_rows_of(self, voucher: str) -> None:
        """Rows vanish without a trace, and so without a stock rewritten."""
        self.site.write('DELETE FROM "tabStock Ledger Entry" WHERE voucher_no = ?', (voucher,))
        self.site.commit()

    def _stock(self, item: str, house: str, until: datetime) -> float:
        found = self.site.read(
            'SELECT qty_after_transaction FROM "tabStock Ledger Entry" WHERE item_code = ? AND warehouse = ? AND '
            "is_cancelled = 0 AND posting_datetime <= ? ORDER BY posting_datetime DESC, creation DESC LIMIT 1",
            (item, house, until.isoformat(" ")),
        )
        return float(found[0][0]) if found else 0.0

    def _shift(self, item: str, house: str, after: datetime, qty: float) -> None:
        self.site.write(
            'UPDATE "tabStock Ledger Entry" SET qty_after_transaction = qty_after_transaction + ? WHERE item_code = ? '
            "AND warehouse = ? AND posting_datetime > ? AND is_cancelled = 0",
            (qty, item, house, after.isoformat(" ", "microseconds")),
        )

    def _follow_bin(self, item: str, house: str) -> None:
        self.site.write('DELETE FROM "tabBin" WHERE item_code = ? AND warehouse = ?', (item, house))
        stock = self._stock(item, house, datetime(2100, 1, 1))
        self.site.insert_rows("Bin", pd.DataFrame([{"item_code": item, "warehouse": house, "actual_qty": stock}]))

    def _read(self, where: str) -> list[tuple]:
        columns = "name, item_code, warehouse, posting_datetime, actual_qty"
        return self.site.read(f'SELECT {columns} FROM "tabStock Ledger Entry" WHERE {where}')

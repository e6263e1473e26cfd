"""Small export files of ERPNext, and spoiled ones."""

from pathlib import Path

ITEM = "item_code,item_name,stock_uom,lead_time_days,is_stock_item\nA,Apple,Nos,7,1\nB,Banana,Nos,,1\n"
LEDGER = (
    "item_code,warehouse,posting_date,posting_time,actual_qty,voucher_type,voucher_no,company\n"
    "A,Shop,2026-01-05,09:00:00,100,Stock Entry,STE-1,Acme\n"
    "A,Shop,2026-01-06,10:00:00,-4,Delivery Note,DN-1,Acme\n"
    "A,Shop,2026-01-07,10:00:00,-3,Stock Entry,STE-2,Acme\n"
    "A,Shop,2026-01-08,10:00:00,-20,Stock Entry,STE-3,Acme\n"
    "A,Store,2026-01-08,10:00:00,20,Stock Entry,STE-3,Acme\n"
    "A,Shop,2026-01-09,10:00:00,1,Delivery Note,DN-2,Acme\n"
)
BIN = "item_code,warehouse,actual_qty,valuation_rate\nA,Shop,74,2.5\nA,Store,20,2.5\n"
SUPPLIER = "ID,Supplier Name,Disabled\nFruit & Co,Fruit & Co,0\n"
# As the Data Import tool exports it: labels, child columns marked, a document's further rows without its fields.
ORDER = (
    "ID,Supplier,Date,Company,Status,ID (Items),Item Code (Items),Quantity (Items),Target Warehouse (Items),"
    "Required By (Items),Received Qty (Items)\n"
    "PO-1,Fruit & Co,2026-01-02,Acme,To Receive and Bill,poi-1,A,10,Shop,2026-01-12,4\n"
    ",,,,,poi-2,B,5,Shop,2026-01-13,0\n"
    "PO-2,Fruit & Co,2026-01-03,Acme,Closed,poi-3,A,9,Shop,2026-01-15,0\n"
)
# As Data Export writes it: its own header rows, names in quotes, dates in the site's form, the first column blank.
RECEIPT = (
    '""\n'
    'DocType:,Purchase Receipt,,,~,Purchase Receipt Item,items,\n'
    'Column Labels:,ID,Supplier,Date,,ID,Item Code,Accepted Quantity,Purchase Order\n'
    'Column Name:,name,supplier,posting_date,~,name,item_code,qty,purchase_order\n'
    'Mandatory:,Yes,Yes,Yes,,Yes,Yes,Yes,No\n'
    'Type:,Data,Link,Date,,Data,Link,Float,Link\n'
    'Info:,,Valid Supplier,dd-mm-yyyy,,,Valid Item,,Valid Purchase Order\n'
    'Start entering data below this line\n'
    ',"""PR-1""",Fruit & Co,09-01-2026,,"""pri-1""",A,4,PO-1\n'
)  # fmt: skip


def write_exports(folder: Path, **files: str) -> Path:
    """The good files, some replaced or added (name without suffix -> text); None-like "" leaves one out."""
    good = {
        "item": ITEM, "Stock Ledger Entry": LEDGER, "Bin": BIN, "supplier": SUPPLIER, "Purchase Order": ORDER,
        "purchase_receipt": RECEIPT,
    }  # fmt: skip
    folder.mkdir(exist_ok=True)
    for name, text in {**good, **files}.items():
        if text:
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder

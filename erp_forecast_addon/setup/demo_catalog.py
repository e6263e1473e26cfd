"""Who and what is in the demo company: a wholesaler of coffee-bar supplies. Plain values, one row per thing."""

from dataclasses import dataclass

COMPANY = "Fernhill Coffee Supplies (Forecast Demo)"
ABBR = "FCSD"
ITEM_GROUPS = ("Coffee & Tea (Forecast Demo)", "Disposables (Forecast Demo)", "Machines & Parts (Forecast Demo)")
SUPPLIER_GROUP = "Forecast Demo Suppliers"
CUSTOMER_GROUP = "Forecast Demo Customers"
CUSTOMERS = (
    "Bluebird Cafés (Forecast Demo)",
    "Corner House Bakery (Forecast Demo)",
    "Grand Hotel Meridian (Forecast Demo)",
    "Station Kiosks (Forecast Demo)",
)
MAIN_WAREHOUSE, SECOND_WAREHOUSE = f"Stores - {ABBR}", f"Finished Goods - {ABBR}"
STOCK_UOM, PACK_UOM = "Nos", "Box"
# Documents of the demo are counted apart, so that removing them leaves no gap in the numbers of others.
SERIES = "FDEMO-"

_COFFEE, _PAPER, _PARTS = ITEM_GROUPS


@dataclass(frozen=True)
class Supplier:
    """lead_time_days, lead_time_std_days: of what really happens; last_order_days_ago: when the buyer last ordered
    there (before that, every week); on_hold: nothing may be ordered there now."""

    name: str
    lead_time_days: int
    lead_time_std_days: float
    last_order_days_ago: int
    on_hold: bool = False


ROASTER = Supplier("Harbour Roasters (Forecast Demo)", 6, 1.0, 12)
DAIRY = Supplier("Lakeside Plant Drinks (Forecast Demo)", 3, 0.7, 14)
PAPER = Supplier("Nordic Paper Goods (Forecast Demo)", 14, 2.5, 18)
SYRUP = Supplier("Verde Syrups (Forecast Demo)", 10, 2.0, 11)
PARTS = Supplier("Officine Ricambi (Forecast Demo)", 35, 7.0, 12)
CERAMICS = Supplier("Old Mill Ceramics (Forecast Demo)", 21, 4.0, 30, on_hold=True)
SUPPLIERS = (ROASTER, DAIRY, PAPER, SYRUP, PARTS, CERAMICS)


@dataclass(frozen=True)
class Item:
    """How an item sells and is bought. A working day without season, trend or chance sells daily_qty on average.

    occurrence: the share of working days on which it sells at all; spread: variance of a day's demand over that of a
    Poisson one; weekday, season: strength of the weekly and the yearly wave (0: none), season_peak_day: day of the
    year; trend: demand at the end of the year over that at its beginning; born_days_ago, dead_days_ago: first and last
    day of demand; pack_qty: stock units per purchase box (1: bought in stock units); cost, price: per stock unit.
    on_the_way_days: so many days ago three weeks' demand was ordered that has not arrived yet (0: nothing).
    supplier None: nobody is named who could deliver it. neglected: the buyer forgot it while its supplier is slow.
    second_warehouse: the share that sells from the second warehouse. small: also in the demo of a live site.
    """

    code: str
    name: str
    group: str
    supplier: Supplier | None
    daily_qty: float
    cost: float
    price: float
    occurrence: float = 1.0
    spread: float = 1.5
    weekday: float = 0.0
    season: float = 0.0
    season_peak_day: int = 0
    trend: float = 1.0
    born_days_ago: int = 0
    dead_days_ago: int = 0
    pack_qty: int = 1
    min_order_qty: int = 0
    neglected: bool = False
    on_the_way_days: int = 0
    second_warehouse: float = 0.0
    small: bool = False


ITEMS = (
    # smooth sellers
    Item(
        "FDEMO-ESP-1KG",
        "Espresso Blend 1 kg",
        _COFFEE,
        ROASTER,
        46,
        9.80,
        16.50,
        weekday=0.25,
        min_order_qty=50,
        second_warehouse=0.3,
        small=True,
    ),
    Item("FDEMO-FIL-1KG", "Filter Blend 1 kg", _COFFEE, ROASTER, 28, 8.90, 14.90, min_order_qty=25),
    Item(
        "FDEMO-OAT-1L",
        "Oat Drink Barista 1 l",
        _COFFEE,
        DAIRY,
        120,
        1.15,
        2.10,
        pack_qty=12,
        weekday=0.3,
        trend=1.5,
        small=True,
    ),
    Item("FDEMO-CUP-08", "Paper Cup 8 oz", _PAPER, PAPER, 900, 0.042, 0.085, pack_qty=500, spread=20.0, small=True),
    Item(
        "FDEMO-CUP-12",
        "Paper Cup 12 oz",
        _PAPER,
        PAPER,
        700,
        0.051,
        0.10,
        pack_qty=500,
        spread=20.0,
        weekday=0.2,
        second_warehouse=0.25,
        on_the_way_days=8,
    ),
    Item("FDEMO-LID-08", "Lid 8 oz", _PAPER, PAPER, 760, 0.028, 0.06, pack_qty=1000, spread=20.0),
    Item("FDEMO-DEC-500", "Decaf 500 g", _COFFEE, ROASTER, 9, 5.60, 9.80),
    # seasonal
    Item("FDEMO-ICE-TEA", "Iced Tea Concentrate 1 l", _COFFEE, SYRUP, 14, 4.20, 8.40, season=0.85, season_peak_day=200),
    Item(
        "FDEMO-HOT-CHO",
        "Hot Chocolate 1 kg",
        _COFFEE,
        SYRUP,
        16,
        6.30,
        11.90,
        season=0.8,
        season_peak_day=10,
        small=True,
    ),
    Item(
        "FDEMO-SYR-PUM", "Pumpkin Spice Syrup 0.7 l", _COFFEE, SYRUP, 12, 4.60, 8.90, season=0.95, season_peak_day=310
    ),
    Item(
        "FDEMO-SYR-VAN",
        "Vanilla Syrup 0.7 l",
        _COFFEE,
        SYRUP,
        22,
        4.10,
        7.90,
        weekday=0.35,
        second_warehouse=0.35,
        small=True,
        on_the_way_days=15,
    ),
    # erratic
    Item("FDEMO-CHA-1L", "Chai Concentrate 1 l", _COFFEE, SYRUP, 18, 5.20, 9.70, spread=14.0),
    Item("FDEMO-NAP-500", "Napkins 500 Pieces", _PAPER, PAPER, 25, 2.30, 4.40, spread=18.0, pack_qty=12),
    Item("FDEMO-BEA-SIN", "Single Origin Ethiopia 1 kg", _COFFEE, ROASTER, 11, 14.50, 24.00, spread=9.0, trend=1.6),
    # intermittent
    Item(
        "FDEMO-GASKET",
        "Group Head Gasket",
        _PARTS,
        PARTS,
        1.1,
        3.40,
        9.50,
        occurrence=0.28,
        spread=1.0,
        on_the_way_days=24,
        small=True,
    ),
    Item(
        "FDEMO-BASKET",
        "Portafilter Basket 18 g",
        _PARTS,
        PARTS,
        0.6,
        7.90,
        18.00,
        occurrence=0.22,
        spread=1.0,
        on_the_way_days=20,
    ),
    Item(
        "FDEMO-STEAM",
        "Steam Wand",
        _PARTS,
        PARTS,
        0.3,
        38.00,
        79.00,
        occurrence=0.16,
        spread=1.0,
        small=True,
        neglected=True,
    ),
    Item("FDEMO-FILTER", "Water Filter Cartridge", _PARTS, PARTS, 1.6, 29.00, 54.00, occurrence=0.4, spread=1.2),
    # lumpy
    Item(
        "FDEMO-BURRS",
        "Grinder Burr Set 64 mm",
        _PARTS,
        PARTS,
        0.9,
        46.00,
        92.00,
        occurrence=0.12,
        spread=9.0,
        small=True,
    ),
    Item(
        "FDEMO-ESP-CUP",
        "Espresso Cup, Porcelain",
        _PARTS,
        CERAMICS,
        9,
        2.40,
        5.20,
        occurrence=0.18,
        spread=26.0,
        min_order_qty=48,
        small=True,
    ),
    # new, dying, nobody to order from, on hold
    Item("FDEMO-COLD-BR", "Cold Brew Bag", _COFFEE, ROASTER, 13, 3.10, 6.90, born_days_ago=45, small=True),
    Item("FDEMO-STIR-BA", "Bamboo Stirrer 1000 Pieces", _PAPER, PAPER, 7, 6.80, 12.50, born_days_ago=70),
    Item(
        "FDEMO-STRAW",
        "Plastic Straw 500 Pieces",
        _PAPER,
        PAPER,
        12,
        3.90,
        7.20,
        occurrence=0.6,
        trend=0.15,
        dead_days_ago=20,
        small=True,
    ),
    Item("FDEMO-KNOCK", "Knock Box", _PARTS, CERAMICS, 1.4, 11.00, 24.00, occurrence=0.5, trend=0.4),
    Item("FDEMO-CLEAN", "Cleaning Tablets 100 Pieces", _PARTS, None, 6, 8.20, 15.80, occurrence=0.45, small=True),
)

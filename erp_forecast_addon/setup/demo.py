"""The demo company: made on either site from the same data, and removed without a trace."""

from collections.abc import Callable
from dataclasses import dataclass

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.setup.demo_catalog import COMPANY
from erp_forecast_addon.setup.demo_data import DemoData, demo_data
from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.site.port import Site

EXISTS = _("{company} is there already. `demo remove` removes it, whole or half made.")
NOT_THERE = _("There is no demo company to remove: {company} does not exist.")

# done, of all, what is being done
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class DemoMade:
    company: str
    items: int
    suppliers: int
    sales_lines: int
    purchase_orders: int


def create_demo(site: Site, progress: Progress | None = None) -> DemoMade:
    """Make the demo company with a year up to the last complete day.

    Raises Refused where it is there already, or where a record of the same name is not the demo's; then nothing has
    been written.
    """
    show = progress or _silent
    if isinstance(site, EmbeddedSite):
        from erp_forecast_addon.setup import demo_embedded

        _refuse_second(site, demo_embedded.exists(site))
        data = demo_data(site.as_of())
        demo_embedded.write(site, data)
        show(1, 1, COMPANY)
    else:
        from erp_forecast_addon.setup import demo_live

        _refuse_second(site, demo_live.exists())
        data = demo_data(site.as_of(), small=True)
        demo_live.write(data, show)
    return _made(data)


def remove_demo(site: Site, progress: Progress | None = None) -> int:
    """Delete the demo company, everything made for it and everything planned from it; -> records deleted.

    Can be started again where it was cut off. Raises Refused where there is none.
    """
    show = progress or _silent
    if isinstance(site, EmbeddedSite):
        from erp_forecast_addon.setup import demo_embedded

        _refuse_missing(site, demo_embedded.exists(site))
        return demo_embedded.remove(site)
    from erp_forecast_addon.setup import demo_live

    _refuse_missing(site, demo_live.exists())
    return demo_live.remove(show)


def _made(data: DemoData) -> DemoMade:
    suppliers = data.items.loc[data.items["supplier"] != "", "supplier"]
    return DemoMade(
        COMPANY, len(data.items), int(suppliers.nunique()), len(data.sales), int(data.purchases["order"].nunique())
    )


def _refuse_second(site: Site, exists: bool) -> None:
    if exists:
        raise Refused(site.translate(EXISTS).format(company=COMPANY))


def _refuse_missing(site: Site, exists: bool) -> None:
    if not exists:
        raise Refused(site.translate(NOT_THERE).format(company=COMPANY))


def _silent(done: int, of_all: int, what: str) -> None:
    """Nobody is looking."""

"""The commands `forecast …`: in a bench as `bench --site SITE forecast …`, on an embedded site as `erp-forecast …`.

Every call of bench loads this module, so nothing heavy is imported at the top: no numpy, no pandas, no frappe. Each
command is written once, as a function of a Site; the two groups differ only in how they open it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from erp_forecast_addon.site.port import Site

# Exit codes. 1 is what click and Python give where something broke that nobody foresaw.
OK, BROKEN, BAD_INPUT = 0, 1, 2

DEFAULT_DB = "erp_forecast.sqlite"
_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class EmbeddedFile:
    """Where `erp-forecast` works: one SQLite file. `erp-forecast --db FILE` sets it."""

    path: Path


# ---- opening a site -------------------------------------------------------------------------------------------------
def on_site(command: _Command) -> Callable[..., None]:
    """Call the command with the Site (on a bench: with each of the sites named) as its first argument."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        target = click.get_current_context().obj
        if isinstance(target, EmbeddedFile):
            with _sentences_for_refusals(), _embedded(target) as site:
                command(site, *args, **options)
        else:
            _on_bench_sites(lambda site: command(site, *args, **options))

    return run


def makes_site(command: _Command) -> Callable[..., None]:
    """Like on_site, but an embedded file that does not exist yet is made; where the command fails it is gone again."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        target = click.get_current_context().obj
        if not isinstance(target, EmbeddedFile):
            _on_bench_sites(lambda site: command(site, *args, **options))
            return
        is_new = not target.path.exists()
        done = False
        try:
            with _sentences_for_refusals(), _embedded(target, create=is_new) as site:
                command(site, *args, **options)
                done = True
        finally:
            if is_new and not done:
                _delete_file(target.path)

    return run


@contextmanager
def _embedded(target: EmbeddedFile, create: bool = False) -> Iterator["Site"]:
    from erp_forecast_addon.site.embedded import EmbeddedSite

    class TerminalSite(_ShowsProgress, EmbeddedSite):
        """An embedded site whose runs show where they are."""

    site = TerminalSite.create(target.path) if create else TerminalSite(target.path)
    try:
        yield site
    finally:
        site.close()


def _on_bench_sites(work: Callable[["Site"], None]) -> None:
    """Bench's own option --site names the sites; its pass_context brings --profile and its sentences for bad names."""
    from frappe.commands import pass_context

    @pass_context
    def on_each(context: Any) -> None:
        import frappe

        if not context.sites:
            raise frappe.SiteNotSpecifiedError
        for name in context.sites:
            if len(context.sites) > 1:
                click.secho(name, bold=True)
            try:
                frappe.init(site=name)
                frappe.connect()
                frappe.set_user("Administrator")
                with _sentences_for_refusals():
                    work(_live())
            finally:
                frappe.destroy()

    on_each()


def _live() -> "Site":
    import frappe

    from erp_forecast_addon.site.frappe_site import FrappeSite

    if "erp_forecast_addon" not in frappe.get_installed_apps():
        _stop(f"erp_forecast_addon is not installed on {frappe.local.site}: bench --site {frappe.local.site} "
              "install-app erp_forecast_addon")  # fmt: skip

    class TerminalSite(_ShowsProgress, FrappeSite):
        """A live site whose runs show where they are."""

    return TerminalSite()


class _ShowsProgress:
    """Mixed into a Site: what a run reports goes to stderr too, so that stdout holds the result only."""

    _shown = ""

    def report_progress(self, run: str, percent: float, step: str) -> None:
        self._show(percent, step)
        super().report_progress(run, percent, step)  # type: ignore[misc]

    def show_progress(self, doctype: str, name: str, percent: float, step: str) -> None:
        self._show(percent, step)
        super().show_progress(doctype, name, percent, step)  # type: ignore[misc]

    def _show(self, percent: float, step: str) -> None:
        line = f"  {percent:3.0f}%  {step}"
        if line != self._shown:
            click.echo(line, err=True)
        self._shown = line


@contextmanager
def _sentences_for_refusals() -> Iterator[None]:
    """What the planner or ERPNext refuses: a sentence on stderr and exit code 2. A defect keeps its traceback."""
    from erp_forecast_addon.planning.errors import PlanningError

    try:
        yield
    except PlanningError as error:
        _stop(str(error))
    except Exception as error:
        if not _is_refusal_of_erpnext(error):
            raise
        _stop(_plain(str(error)) or type(error).__name__)


def _is_refusal_of_erpnext(error: Exception) -> bool:
    frappe = sys.modules.get("frappe")  # on an embedded site there is none
    return frappe is not None and isinstance(error, (frappe.ValidationError, frappe.PermissionError))


def _plain(message: str) -> str:
    """ERPNext's messages are HTML."""
    import html
    import re

    return html.unescape(re.sub(r"<[^>]+>", " ", message)).strip()


def _stop(sentence: str) -> None:
    click.secho(sentence, fg="red", err=True)
    sys.exit(BAD_INPUT)


def _delete_file(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


# ---- commands of both sites -----------------------------------------------------------------------------------------
@click.command()
@click.option("--company", "companies", multiple=True, help="Only this company; may be given more than once.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Plan as if this were the last complete day.")
@click.option("--quiet", is_flag=True, help="No summary, only the names of the runs.")
@on_site
def run(site: "Site", companies: tuple[str, ...], as_of: datetime | None, quiet: bool) -> None:
    """Plan now: take in ledger changes, forecast, set levels, draft orders; then show what came of it.

    Plans every company that is enabled in Forecast Settings unless --company names some. Refused, with who runs since
    when, while another run of the same company is under way.
    """
    from erp_forecast_addon.reporting.terminal import summary
    from erp_forecast_addon.services.report import collect, planned_companies
    from erp_forecast_addon.services.run import run_company

    for company in planned_companies(site, companies):
        click.echo(f"Planning {company}", err=True)
        name = run_company(site, company, triggered_by="Command", as_of=as_of.date() if as_of else None)
        click.echo(name if quiet else f"\n{summary(collect(site, company, most_pictures=0))}\n")


@click.command()
@click.option("--company", "companies", multiple=True, help="Only this company; may be given more than once.")
@on_site
def status(site: "Site", companies: tuple[str, ...]) -> None:
    """Show each company's last run, and who is running one now."""
    from erp_forecast_addon.reporting.terminal import status_lines
    from erp_forecast_addon.services.report import company_states

    for line in status_lines(company_states(site, companies)):
        click.echo(line)


@click.command()
@click.argument("item")
@click.option("--warehouse", "warehouses", multiple=True, help="Only this warehouse; may be given more than once.")
@click.option("--json", "as_json", is_flag=True, help="Everything that is known, as JSON.")
@on_site
def show(site: "Site", item: str, warehouses: tuple[str, ...], as_json: bool) -> None:
    """Show one ITEM: demand, forecast, stock levels with their explanation, open proposals, exceptions."""
    import json

    from erp_forecast_addon.reporting.terminal import item_lines
    from erp_forecast_addon.services.item_view import item_view
    from erp_forecast_addon.services.report import refuse_unknown_item

    refuse_unknown_item(site, item)
    view = item_view(site, item, warehouses or None)
    for line in [json.dumps(view, indent=1)] if as_json else item_lines(view):
        click.echo(line)


@click.command()
@click.option("--company", "companies", multiple=True, help="Only this company; may be given more than once.")
@on_site
def orders(site: "Site", companies: tuple[str, ...]) -> None:
    """List the drafted orders that wait for a decision, most money at risk first."""
    from erp_forecast_addon.reporting.terminal import order_lines
    from erp_forecast_addon.services.report import undecided_orders

    for line in order_lines(undecided_orders(site, companies)):
        click.echo(line)


@click.command()
@click.argument("order")
@click.option("--item", "item", help="Only the lines of this item.")
@on_site
def evidence(site: "Site", order: str, item: str | None) -> None:
    """Compute the lines of ORDER again from their frozen evidence, step by step, and say whether they are equal.

    ORDER is a proposed order or request, or the draft made of it. Ends with 1 where a line differs.
    """
    from erp_forecast_addon.reporting.evidence_lines import evidence_lines
    from erp_forecast_addon.services.order_evidence import order_cards

    record, cards = order_cards(site, order, item)
    for line in evidence_lines(record, cards):
        click.echo(line)
    if not all(card.equal for card in cards):
        sys.exit(BROKEN)


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@on_site
def approve(site: "Site", names: tuple[str, ...]) -> None:
    """Approve drafted orders by NAME: their Purchase Orders are submitted, or released, as the settings say."""
    from erp_forecast_addon.services import decisions

    for name in names:
        decisions.approve(site, name)
        site.commit()
        click.echo(f"{name} is approved.")


@click.command()
@click.argument("name")
@click.option("--reason", required=True, help="Why; stands in the record.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which it is not proposed again.")
@on_site
def reject(site: "Site", name: str, reason: str, until: datetime | None) -> None:
    """Reject the drafted order NAME: its draft is deleted, the record and the reason stay."""
    from erp_forecast_addon.services import decisions

    decisions.reject(site, name, reason, until.date() if until else None)
    site.commit()
    click.echo(f"{name} is rejected.")


@click.command()
@click.option("--full", is_flag=True, help="Make all demand buckets again from the whole ledger.")
@on_site
def refresh(site: "Site", full: bool) -> None:
    """Take ledger changes into the demand buckets without planning."""
    from erp_forecast_addon.services.refresh import refresh_demand

    result = refresh_demand(site, full=full)
    site.commit()
    click.echo(f"{result.pairs:,} pairs of item and warehouse brought up to date.")


@click.command()
@click.option("--company", help="The company; needed only where several are planned.")
@click.option("--html", "path", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
@click.option("--items", "most_items", type=click.IntRange(0, 500), default=24, show_default=True,
              help="How many items are charted: those with most money at risk, then the most valuable.")  # fmt: skip
@on_site
def report(site: "Site", company: str | None, path: Path, most_items: int) -> None:
    """Write the last run as one HTML page with charts, and print its path."""
    from erp_forecast_addon.services.report import one_company, write_html

    click.echo(write_html(site, one_company(site, company), path, most_items))


@click.command()
@click.option("--company", help="The company; needed only where several are planned.")
@click.option("--weeks", type=click.IntRange(4, 104), default=26, show_default=True, help="How many of the last weeks.")
@on_site
def replay(site: "Site", company: str | None, weeks: int) -> None:
    """Replay the last weeks by our policy and by ERPNext's own levels, beside what was really ordered.

    Nothing is written but the record of the replay: levels, drafts and forecasts stay as they are.
    """
    from erp_forecast_addon.reporting.terminal import replay_lines
    from erp_forecast_addon.services.replay import last_replay, replay_company
    from erp_forecast_addon.services.report import one_company

    wanted = one_company(site, company)
    replay_company(site, wanted, weeks=weeks)
    for line in replay_lines(last_replay(site, wanted) or {}):
        click.echo(line)


@click.command()
@click.option("--company", help="The company; needed only where several are planned.")
@click.option("--title", default="What if", show_default=True, help="What the record is called.")
@click.option("--demand", "demand_pct", type=float, default=0.0, help="Change of demand in percent, like 20 or -15.")
@click.option("--lead-time", "lead_time_days", type=int, default=0, help="Days that deliveries take longer.")
@click.option("--keep-open-orders", is_flag=True, help="What is on order arrives as promised, --lead-time or not.")
@click.option("--price", "price_pct", type=float, default=0.0, help="Change of purchase prices in percent.")
@click.option(
    "--selling-price", "selling_price_pct", type=float, default=0.0, help="Change of selling prices in percent."
)
@click.option("--elasticity", "price_elasticity", type=float, default=0.0,
              help="Of demand to selling prices where none was learned, like -1.5.")  # fmt: skip
@click.option("--elasticity-for-all", is_flag=True, help="That elasticity holds whatever was learned.")
@click.option("--service", "service_level_pct", type=float, default=0.0, help="Service target in percent.")
@click.option("--supplier-out", default="", help="A supplier that cannot deliver for --weeks weeks from now on.")
@click.option("--weeks", "supplier_out_weeks", type=int, default=0, help="For how long.")
@click.option("--wait", is_flag=True, help="Wait for that supplier, also where others sell the item.")
@click.option("--item-group", default="", help="Only items of this group and of those below it.")
@click.option("--brand", default="", help="Only items of this brand.")
@click.option("--warehouse", default="", help="Only in this warehouse and those below it.")
@click.option("--supplier", default="", help="Only items that are bought from this supplier.")
@click.option("--class", "abc_class", default="", help="Only items of this class: A, B or C.")
@click.option("--item", "items", multiple=True, help="Only this item; may be given more than once.")
@on_site
def scenario(
    site: "Site", company: str | None, items: tuple[str, ...], wait: bool, keep_open_orders: bool,
    elasticity_for_all: bool, **asked: Any,
) -> None:  # fmt: skip
    """Plan again with something changed, and show it beside the plan as it stands.

    Nothing is written but the record of the scenario: levels, drafts and forecasts stay as they are.
    """
    import json

    from erp_forecast_addon.reporting.scenario_lines import scenario_lines
    from erp_forecast_addon.services import scenarios
    from erp_forecast_addon.services.report import one_company

    asked |= {
        "company": one_company(site, company),
        "item_codes": "\n".join(items),
        "use_other_suppliers": int(not wait),
        "move_open_orders": int(not keep_open_orders),
        "use_learned_elasticity": int(not elasticity_for_all),
    }
    name = scenarios.run_scenario(site, scenarios.create(site, asked))
    record = site.get_document(scenarios.DOCTYPE, name) or {}
    for line in scenario_lines(record, json.loads(record["results_json"])):
        click.echo(line)


@click.group()
def changes() -> None:
    """New reorder levels and safety stocks that wait for a decision, or were written."""


@changes.command("list")
@click.option("--company", "companies", multiple=True, help="Only this company; may be given more than once.")
@on_site
def changes_list(site: "Site", companies: tuple[str, ...]) -> None:
    """List the change sets, the latest last."""
    from erp_forecast_addon.reporting.change_set_lines import set_lines
    from erp_forecast_addon.services.report import planned_companies
    from erp_forecast_addon.site import change_queries, reads

    wanted = planned_companies(site, companies) if companies else reads.companies(site)
    for line in set_lines(site.fetch(change_queries.sets_to_show(site.qb, wanted))):
        click.echo(line)


@changes.command("show")
@click.argument("name")
@click.option("--lines", "most", type=click.IntRange(0), default=20, show_default=True, help="How many changes.")
@on_site
def changes_show(site: "Site", name: str, most: int) -> None:
    """Show the change set NAME and its changes, the largest cash effect first."""
    from erp_forecast_addon.reporting.change_set_lines import detail_lines
    from erp_forecast_addon.services.change_sets import record_of
    from erp_forecast_addon.site import change_queries

    record = record_of(site, name)
    for line in detail_lines(record, site.fetch(change_queries.largest_lines(site.qb, name, most))):
        click.echo(line)


@changes.command("exclude")
@click.argument("lines", metavar="LINE...", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why; stands beside the change and holds for the next runs too.")
@on_site
def changes_exclude(site: "Site", lines: tuple[str, ...], reason: str) -> None:
    """Exclude changes of a proposed set: they are not written."""
    from erp_forecast_addon.services.change_sets import review

    name = review(site, lines, "exclude", reason)
    site.commit()
    click.echo(f"{len(lines):,} changes of {name} are excluded.")


@changes.command("approve")
@click.argument("name")
@on_site
def changes_approve(site: "Site", name: str) -> None:
    """Approve the change set NAME and write its values; called again it goes on where a killed one stopped."""
    from erp_forecast_addon.services import change_sets

    if change_sets.record_of(site, name)["status"] not in ("Approved", "Applying"):
        change_sets.approve(site, name)
    _work_on(site, name)


@changes.command("reject")
@click.argument("name")
@click.option("--reason", required=True, help="Why; stands in the record.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which no other is proposed.")
@on_site
def changes_reject(site: "Site", name: str, reason: str, until: datetime | None) -> None:
    """Reject the change set NAME: nothing is written."""
    from erp_forecast_addon.services import change_sets

    change_sets.reject(site, name, reason, until.date() if until else None)
    site.commit()
    click.echo(f"{name} is rejected.")


@changes.command("roll-back")
@click.argument("name")
@on_site
def changes_roll_back(site: "Site", name: str) -> None:
    """Give the values that the change set NAME wrote their former value, but those that changed since."""
    from erp_forecast_addon.services import change_sets

    change_sets.start_roll_back(site, name)
    _work_on(site, name)


def _work_on(site: "Site", name: str) -> None:
    from erp_forecast_addon.services.change_set_work import work

    done = work(site, name)
    left = f", {done.left:,} had changed meanwhile and were left" if done.left else ""
    click.echo(f"{name} is {done.status.lower()}: {done.done:,} values of {done.items:,} items{left}.")


@click.group()
def demo() -> None:
    """A company to try things on: items, suppliers, a year of sales, stock and open orders."""


@demo.command("create")
@makes_site
def demo_create(site: "Site") -> None:
    """Make the demo company, beside whatever the site holds. An embedded site's file is made where there is none."""
    from erp_forecast_addon.setup.demo import create_demo

    with _bar() as show:
        made = create_demo(site, show)
    click.echo(
        f"{made.company}: {made.items} items, {made.suppliers} suppliers, {made.sales_lines:,} lines of sales, "
        f"{made.purchase_orders:,} purchase orders."
    )


@demo.command("remove")
@on_site
def demo_remove(site: "Site") -> None:
    """Remove the demo company, all that was made for it and planned from it, and nothing else."""
    from erp_forecast_addon.setup.demo import remove_demo

    with _bar() as show:
        deleted = remove_demo(site, show)
    click.echo(f"The demo is gone: {deleted:,} records deleted.")


@contextmanager
def _bar() -> Iterator[Callable[[int, int, str], None]]:
    """A line of progress on stderr; only a terminal gets it rewritten in place."""
    last = -1

    def show(done: int, of_all: int, what: str) -> None:
        nonlocal last
        percent = 100 * done // max(of_all, 1)
        in_place = sys.stderr.isatty()
        if percent != last and (in_place or percent // 10 != last // 10):
            click.echo(f"\r{percent:3d}%  {what:<60.60}" if in_place else f"{percent:3d}%  {what}",
                       err=True, nl=not in_place)  # fmt: skip
            last = percent

    try:
        yield show
    finally:
        if last >= 0 and sys.stderr.isatty():
            click.echo(err=True)


# ---- commands of the embedded site only -----------------------------------------------------------------------------
@click.command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--company", default="", help="The company of rows that name none, where there is no Company file.")
@click.option("--currency", default="", help="That company's currency, like EUR.")
@click.option("--date-form", default="", help="How dates are written, like dd-mm-yyyy, where they are not ISO.")
@makes_site
def import_folder(site: "Site", folder: Path, company: str, currency: str, date_form: str) -> None:
    """Take in a FOLDER of CSV or Parquet exports, one file per DocType: Item, Bin, Stock Ledger Entry, Supplier, …

    A file that cannot be used is refused with file, line, column and reason, and the site is as before.
    """
    from erp_forecast_addon.site.importers import erpnext_export

    read = erpnext_export.import_folder(site, folder, company=company, currency=currency, date_form=date_form)
    for line in read.lines():
        click.echo(line)


@click.command("import-online-retail")
@click.argument("file", type=click.Path(path_type=Path))
@makes_site
def import_online_retail(site: "Site", file: Path) -> None:
    """Take in the Online Retail data set as real demand; stock, suppliers, lead times and cost are made up."""
    from erp_forecast_addon.site.importers import online_retail

    for line in online_retail.import_online_retail(site, file).lines():
        click.echo(line)


# ---- the two groups -------------------------------------------------------------------------------------------------
SHARED = (run, status, show, orders, evidence, approve, reject, refresh, report, replay, scenario, changes, demo)


@click.group("forecast")
def forecast() -> None:
    """Forecasts, stock levels and drafted purchase orders."""


@click.group("erp-forecast")
@click.option("--db", "path", type=click.Path(dir_okay=False, path_type=Path), default=DEFAULT_DB, show_default=True,
              envvar="ERP_FORECAST_DB", help="The embedded site: one SQLite file.")  # fmt: skip
@click.pass_context
def embedded(context: click.Context, path: Path) -> None:
    """Forecasts, stock levels and drafted purchase orders, on an embedded site: no ERPNext needed."""
    context.obj = EmbeddedFile(path)


for _command in SHARED:
    forecast.add_command(_command)
    embedded.add_command(_command)
embedded.add_command(import_folder)
embedded.add_command(import_online_retail)

commands = [forecast]


def embedded_main() -> None:
    """Entry point of the console script `erp-forecast`."""
    embedded(prog_name="erp-forecast")

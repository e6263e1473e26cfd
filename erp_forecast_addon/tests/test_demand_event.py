"""Demand Events: what is refused, what a run reads of them, and who may see and change which."""

from typing import Any

import frappe
import pandas as pd
from frappe.model.document import Document
from frappe.utils import add_days, getdate, today

from erp_forecast_addon.services.signals import publish_uplifts
from erp_forecast_addon.site import signal_reads
from erp_forecast_addon.site.frappe_site import FrappeSite
from erp_forecast_addon.tests import site_records as made


def event(title: str = "Summer Sale", **values: Any) -> Document:
    fields = {
        "doctype": "Demand Event",
        "title": title,
        "event_type": "Promotion",
        "from_date": today(),
        "company": "",
        **values,
    }
    return frappe.get_doc(fields).insert()


class TestDemandEvent(made.SiteTestCase):
    @classmethod
    def make_records(cls) -> None:
        cls.a, cls.b = made.company(), made.second_company()
        cls.house = made.warehouse("Forecast Events")
        cls.foreign = made.warehouse("Forecast Events Abroad", of=cls.b)

    def test_an_event_without_an_end_lasts_a_day(self) -> None:
        assert getdate(event().to_date) == getdate(today())

    def test_values_by_date_give_the_dates_and_stand_in_order(self) -> None:
        rows = [{"date": add_days(today(), ahead), "value": ahead} for ahead in (3, -2, 1)]
        found = event(from_date=None, series=rows).reload()
        assert [row.value for row in found.series] == [-2, 1, 3]
        assert [row.idx for row in found.series] == [1, 2, 3]
        span = (getdate(add_days(today(), -2)), getdate(add_days(today(), 3)))
        assert (getdate(found.from_date), getdate(found.to_date)) == span

    def test_what_cannot_be_is_refused_with_a_sentence(self) -> None:
        twice = [{"date": today(), "value": 1}, {"date": today(), "value": 2}]
        for values, said in (
            ({"from_date": None}, "when the event is"),
            ({"to_date": add_days(today(), -1)}, "ends before it begins"),
            ({"to_date": "2126-01-01"}, "check its dates"),
            ({"value": 0}, "intensity 0"),
            ({"series": twice}, "more than once"),
            ({"title": "   "}, "title"),
            ({"company": self.a, "warehouse": self.foreign}, self.b),
        ):
            with self.subTest(said), self.assertRaisesRegex(frappe.ValidationError, said):
                event(**values)

    def test_an_event_for_a_warehouse_is_one_of_its_company(self) -> None:
        assert event(warehouse=self.house).company == self.a

    def test_uplifts_are_shown_and_replaced(self) -> None:
        site = FrappeSite()
        one, other = event("Uplift Sale"), event("Uplift Fair")
        table = uplift_table(
            ("uplift sale", "Drinks", 31.26, 4), ("Uplift Sale", "Care", -80.0, 4), ("Easter", "", 9, 2)
        )
        assert publish_uplifts(site, self.a, getdate(today()), table) == 2
        rows = one.reload().uplifts
        assert [(row.group_name, row.uplift_pct, row.occurrences) for row in rows] == [
            ("Care", -80.0, 4),
            ("Drinks", 31.3, 4),
        ]
        assert [row.idx for row in rows] == [1, 2]
        assert other.reload().uplifts == []
        assert publish_uplifts(site, self.a, getdate(today()), table[1:2]) == 1
        assert [row.group_name for row in one.reload().uplifts] == ["Care"]
        one.value = 2
        one.save()  # a person's change keeps what was learned
        assert len(one.reload().uplifts) == 1


def uplift_table(*rows: tuple[str, str, float, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["driver", "group", "uplift_pct", "occurrences"])


class TestWhoSeesEvents(made.SiteTestCase):
    """A planner of company A with one warehouse, and one of company A as a whole."""

    @classmethod
    def make_records(cls) -> None:
        cls.a, cls.b = made.company(), made.second_company()
        cls.mine, cls.theirs = made.warehouse("Forecast Events"), made.warehouse("Forecast Events Too")
        cls.foreign = made.warehouse("Forecast Events Abroad", of=cls.b)
        cls.common = event("Common")
        cls.of_a, cls.of_b = event("Of A", company=cls.a), event("Of B", company=cls.b)
        cls.at_mine, cls.at_theirs = event("At Mine", warehouse=cls.mine), event("At Theirs", warehouse=cls.theirs)
        cls.abroad = event("Abroad", warehouse=cls.foreign)
        for each in (cls.common, cls.of_b, cls.at_theirs):
            each.append("series", {"date": today(), "value": 5})
            each.save()
        cls.limited = made.user("events_limited", made.PLANNER)
        made.limit(cls.limited, Company=cls.a, Warehouse=cls.mine)
        cls.of_company = made.user("events_company", made.PLANNER)
        made.limit(cls.of_company, Company=cls.a)

    def listed(self) -> set[str]:
        return set(frappe.get_list("Demand Event", pluck="name", limit=0, order_by="name"))

    def test_lists_and_single_records_agree(self) -> None:
        everything = {self.common, self.of_a, self.of_b, self.at_mine, self.at_theirs, self.abroad}
        for email, seen in (
            (self.limited, {self.common, self.of_a, self.at_mine}),
            (self.of_company, {self.common, self.of_a, self.at_mine, self.at_theirs}),
        ):
            with self.subTest(email), made.acting_as(email):
                listed = self.listed()
                for each in everything:
                    assert (each.name in listed) is (each in seen), each.title
                    assert bool(each.has_permission("read")) is (each in seen), each.title

    def test_only_events_of_ones_own_part_are_changed(self) -> None:
        for email, mine in (
            (self.limited, {self.at_mine}),
            (self.of_company, {self.of_a, self.at_mine, self.at_theirs}),
        ):
            with made.acting_as(email):
                for each in (self.common, self.of_a, self.of_b, self.at_mine, self.at_theirs, self.abroad):
                    with self.subTest(email=email, title=each.title):
                        assert bool(each.has_permission("write")) is (each in mine)
                        assert bool(each.has_permission("delete")) is (each in mine)

    def test_an_event_for_everyone_is_made_by_who_sees_everything(self) -> None:
        with made.acting_as(self.limited):
            for place in ({}, {"company": self.a}, {"warehouse": self.theirs}, {"company": self.b}):
                with self.subTest(place), self.assertRaises(frappe.PermissionError):
                    event("Mine Too", **{"warehouse": "", **place})
            assert event("Mine Alone", warehouse=self.mine).owner == self.limited
        with made.acting_as(made.user("events_unlimited", made.PLANNER)):
            assert not event("Everyone").company

    def test_a_common_event_cannot_be_taken_over(self) -> None:
        with made.acting_as(self.limited), self.assertRaises(frappe.PermissionError):
            taken = frappe.get_doc("Demand Event", self.common.name)
            taken.warehouse = self.mine
            taken.save()
        with made.acting_as(self.limited), self.assertRaises(frappe.PermissionError):
            widened = frappe.get_doc("Demand Event", self.at_mine.name)
            widened.company = widened.warehouse = ""
            widened.save()

    def test_rows_are_no_side_door(self) -> None:
        with made.acting_as(self.limited):
            parents = frappe.get_list(
                "Demand Event Value", pluck="parent", parent_doctype="Demand Event", limit=0, order_by="name"
            )
        assert self.common.name in parents
        assert not {self.of_b.name, self.at_theirs.name} & set(parents)

    def test_others_read_and_strangers_see_nothing(self) -> None:
        with made.acting_as(made.user("events_approver", made.APPROVER)):
            assert self.common.has_permission("read")
            assert not self.common.has_permission("write")
        with made.acting_as(made.user("events_clerk", "Sales User")), self.assertRaises(frappe.PermissionError):
            frappe.get_list("Demand Event", limit=1)

    def test_deleting_a_warehouse_is_not_blocked_by_an_event(self) -> None:
        frappe.delete_doc("Warehouse", self.theirs)
        rows = signal_reads.events(FrappeSite(), getdate(add_days(today(), -5)))
        assert self.at_theirs.name in set(rows["event"])

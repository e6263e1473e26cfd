(function () {
	const DAYS = 7;

	frappe.ui.form.on("Planning Snooze", {
		setup(frm) {
			frm.set_query("item_code", () => ({ filters: { is_stock_item: 1, disabled: 0, has_variants: 0 } }));
			frm.set_query("warehouse", ({ company }) => ({ filters: { is_group: 0, ...(company ? { company } : {}) } }));
		},
		onload(frm) {
			if (!frm.is_new()) return;
			if (!frm.doc.company) frm.set_value("company", frappe.defaults.get_user_default("Company"));
			if (!frm.doc.until) frm.set_value("until", frappe.datetime.add_days(frappe.datetime.get_today(), DAYS));
		},
		company: (frm) => frm.set_value("warehouse", null),
		refresh(frm) {
			const { doc } = frm;
			frm.set_intro("");
			if (frm.is_new()) return;
			const over = doc.until < frappe.datetime.get_today();
			const until = frappe.datetime.str_to_user(doc.until);
			const words = over ? __("It ended on {0}: the item is proposed again.", [until]) : __("Nothing is proposed until {0}.", [until]);
			frm.set_intro(words, over ? "gray" : "blue");
			frm.page.set_indicator(over ? __("Ended") : __("At Rest"), over ? "gray" : "purple");
		},
	});
})();

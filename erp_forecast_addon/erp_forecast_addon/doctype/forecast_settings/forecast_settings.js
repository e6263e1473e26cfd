{% include "erp_forecast_addon/public/js/planner.js" %}
{% include "erp_forecast_addon/public/js/run_now.js" %}

frappe.ui.form.on("Forecast Settings", {
	refresh(frm) {
		frm.set_intro("");
		frm.set_intro(
			(frm.doc.companies || []).length
				? __("Each company is planned every night at its hour. Open a row to set targets, costs and who orders.")
				: __("Add a row for each company that is to be planned. Nothing is forecast or ordered before.")
		);
		if (!frm.is_dirty() && erp_forecast_addon.may_plan()) {
			frm.add_custom_button(__("Run now"), () => erp_forecast_addon.ask_to_run());
		}
	},
});

frappe.ui.form.on("Forecast Company Settings", {
	who_orders(frm, doctype, name) {
		const row = locals[doctype][name];
		if (row.who_orders !== "Forecast Addon") return;
		frappe.show_alert({
			message: __("On saving, the reorder rows of {0}'s items are parked; they are given back when ERPNext orders again.", [
				row.company || __("this company"),
			]),
			indicator: "orange",
		});
	},
});

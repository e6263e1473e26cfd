{% include "erp_forecast_addon/public/js/planner.js" %}
{% include "erp_forecast_addon/public/js/run_now.js" %}

frappe.listview_settings["Forecast Run"] = {
	add_fields: ["status", "progress_pct", "current_step"],
	hide_name_column: true,
	get_indicator(doc) {
		const colour = erp_forecast_addon.RUN_COLOURS[doc.status] || "gray";
		return [__(doc.status), colour, `status,=,${doc.status}`];
	},
	onload(listview) {
		if (!erp_forecast_addon.may_plan()) return;
		listview.page.add_inner_button(__("Run now"), () => erp_forecast_addon.ask_to_run());
	},
};

{% include "erp_forecast_addon/public/js/planner.js" %}
{% include "erp_forecast_addon/public/js/replay.js" %}

frappe.listview_settings["Policy Replay"] = {
	add_fields: ["status", "progress_pct"],
	hide_name_column: true,
	get_indicator(doc) {
		const words = doc.status === "Running" ? `${__(doc.status)} ${Math.round(doc.progress_pct)}%` : __(doc.status);
		return [words, erp_forecast_addon.REPLAY_COLOURS[doc.status] || "gray", `status,=,${doc.status}`];
	},
	onload(listview) {
		if (!erp_forecast_addon.may_plan()) return;
		listview.page.add_inner_button(__("Replay the Past"), () => erp_forecast_addon.ask_to_replay());
	},
};

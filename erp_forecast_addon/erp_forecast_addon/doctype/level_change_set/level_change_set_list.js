{% include "erp_forecast_addon/public/js/level_changes.js" %}

frappe.listview_settings["Level Change Set"] = {
	add_fields: ["status", "currency", "progress_pct"],
	hide_name_column: true,
	get_indicator(doc) {
		const moving = ["Applying", "Rolling Back"].includes(doc.status);
		const words = moving ? `${__(doc.status)} ${Math.round(doc.progress_pct)}%` : __(doc.status);
		return [words, erp_forecast_addon.SET_COLOURS[doc.status] || "gray", `status,=,${doc.status}`];
	},
};

frappe.listview_settings["Planning Scenario"] = {
	add_fields: ["status", "progress_pct"],
	hide_name_column: true,
	get_indicator(doc) {
		const colours = { Draft: "gray", Queued: "orange", Running: "blue", Done: "green", Failed: "red" };
		const words = doc.status === "Running" ? `${__(doc.status)} ${Math.round(doc.progress_pct)}%` : __(doc.status);
		return [words, colours[doc.status] || "gray", `status,=,${doc.status}`];
	},
};

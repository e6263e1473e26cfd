frappe.listview_settings["Supplier Lead Time"] = {
	add_fields: ["open_overdue_lines", "on_time_pct", "due_orders"],
	hide_name_column: true,
	get_indicator(doc) {
		if (doc.open_overdue_lines > 0) return [__("Overdue"), "red", "open_overdue_lines,>,0"];
		if (doc.due_orders > 0 && doc.on_time_pct < 80) return [__("Often Late"), "orange", "on_time_pct,<,80"];
		return [__("On Time"), "green", "open_overdue_lines,=,0"];
	},
};

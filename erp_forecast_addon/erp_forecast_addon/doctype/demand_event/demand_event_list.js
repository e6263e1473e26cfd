frappe.listview_settings["Demand Event"] = {
	hide_name_column: true,
	add_fields: ["enabled", "from_date", "to_date"],
	get_indicator(doc) {
		const today = frappe.datetime.get_today();
		if (!doc.enabled) return [__("Not Used"), "gray", "enabled,=,0"];
		if (doc.from_date > today) return [__("Ahead"), "blue", `from_date,>,${today}`];
		if (doc.to_date >= today) return [__("Now"), "green", `from_date,<=,${today}|to_date,>=,${today}`];
		return [__("Over"), "darkgrey", `to_date,<,${today}`];
	},
};

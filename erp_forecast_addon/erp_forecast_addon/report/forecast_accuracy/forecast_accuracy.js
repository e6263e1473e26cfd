frappe.query_reports["Forecast Accuracy"] = {
	filters: [
		{
			fieldname: "company",
			label: __("Company"),
			fieldtype: "Link",
			options: "Company",
			default: frappe.defaults.get_user_default("Company"),
		},
		{
			fieldname: "warehouse",
			label: __("Warehouse"),
			fieldtype: "Link",
			options: "Warehouse",
			get_query: () => ({ filters: { is_group: 0, company: frappe.query_report.get_filter_value("company") } }),
		},
		{ fieldname: "item_code", label: __("Item"), fieldtype: "Link", options: "Item" },
		{ fieldname: "item_group", label: __("Item Group"), fieldtype: "Link", options: "Item Group" },
		{
			fieldname: "demand_class",
			label: __("Demand Class"),
			fieldtype: "Select",
			options: ["", "Smooth", "Erratic", "Intermittent", "Lumpy", "New", "No Demand"],
		},
	],
};

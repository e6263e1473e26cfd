frappe.query_reports["Stock Position against Policy"] = {
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
		{ fieldname: "abc_class", label: __("Class"), fieldtype: "Select", options: ["", "A", "B", "C"] },
		{
			fieldname: "state",
			label: __("State"),
			fieldtype: "Select",
			options: ["", "Short", "Low", "Due", "Enough", "Excess"],
		},
	],
	formatter(value, row, column, data, default_formatter) {
		const words = default_formatter(value, row, column, data);
		const bad = data && column.fieldname === "position_qty" && data.position_qty < data.reorder_point_qty;
		return bad ? `<span style="color: var(--red-600)">${words}</span>` : words;
	},
};

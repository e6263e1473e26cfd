frappe.query_reports["Expected Arrivals"] = {
	filters: [
		{
			fieldname: "company",
			label: __("Company"),
			fieldtype: "Link",
			options: "Company",
			default: frappe.defaults.get_user_default("Company"),
			reqd: 1,
		},
		{ fieldname: "supplier", label: __("Supplier"), fieldtype: "Link", options: "Supplier" },
		{ fieldname: "item_code", label: __("Item"), fieldtype: "Link", options: "Item" },
		{ fieldname: "late", label: __("Probably Late"), fieldtype: "Check" },
	],
	formatter(value, row, column, data, default_formatter) {
		const words = default_formatter(value, row, column, data);
		const late = data && column.fieldname === "late_pct" && data.late_pct >= 50;
		return late ? `<span style="color: var(--red-600)">${words}</span>` : words;
	},
};

frappe.query_reports["Supplier Lead Times"] = {
	filters: [
		{
			fieldname: "company",
			label: __("Company"),
			fieldtype: "Link",
			options: "Company",
			default: frappe.defaults.get_user_default("Company"),
		},
		{ fieldname: "supplier", label: __("Supplier"), fieldtype: "Link", options: "Supplier" },
		{ fieldname: "item_code", label: __("Item"), fieldtype: "Link", options: "Item" },
		{ fieldname: "by_item", label: __("By Item"), fieldtype: "Check" },
		{ fieldname: "overdue", label: __("With Overdue Lines"), fieldtype: "Check" },
	],
	formatter(value, row, column, data, default_formatter) {
		const words = default_formatter(value, row, column, data);
		const late =
			data &&
			((column.fieldname === "open_overdue_lines" && data.open_overdue_lines > 0) ||
				(column.fieldname === "on_time_pct" && data.on_time_pct !== null && data.on_time_pct < 80));
		return late ? `<span style="color: var(--red-600)">${words}</span>` : words;
	},
};

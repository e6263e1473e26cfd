frappe.listview_settings["Demand Forecast"] = {
	add_fields: ["stock_uom"],
	hide_name_column: true,
	formatters: {
		next_7_days_qty: (value, df, doc) => `${format_number(value, null, 1)} ${frappe.utils.escape_html(doc.stock_uom || "")}`,
		next_30_days_qty: (value, df, doc) => `${format_number(value, null, 1)} ${frappe.utils.escape_html(doc.stock_uom || "")}`,
	},
};

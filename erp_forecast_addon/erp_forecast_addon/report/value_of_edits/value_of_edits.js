frappe.query_reports["Value of Edits"] = {
	filters: [
		{
			fieldname: "company",
			label: __("Company"),
			fieldtype: "Link",
			options: "Company",
			default: frappe.defaults.get_user_default("Company"),
			reqd: 1,
		},
		{
			fieldname: "from_date",
			label: __("Changed From"),
			fieldtype: "Date",
			default: frappe.datetime.add_months(frappe.datetime.get_today(), -12),
		},
		{ fieldname: "to_date", label: __("Changed Until"), fieldtype: "Date" },
		{ fieldname: "changed_by", label: __("Changed By"), fieldtype: "Link", options: "User" },
		{
			fieldname: "kind",
			label: __("What"),
			fieldtype: "Select",
			options: ["", "Quantity", "Date", "Supplier", "Price", "Removed", "Added"],
		},
		{
			fieldname: "chart",
			label: __("Chart"),
			fieldtype: "Select",
			options: ["Changed By", "What", "Month"],
			default: "Changed By",
		},
		{ fieldname: "all", label: __("Those Not Priced Yet Too"), fieldtype: "Check" },
	],
	formatter(value, row, column, data, standard) {
		const shown = standard(value, row, column, data);
		const money = ["value", "sales_value", "holding_value", "price_value"].includes(column.fieldname);
		if (!money || !data || !data[column.fieldname]) return shown;
		return `<span class="${data[column.fieldname] < 0 ? "text-danger" : "text-success"}">${shown}</span>`;
	},
};

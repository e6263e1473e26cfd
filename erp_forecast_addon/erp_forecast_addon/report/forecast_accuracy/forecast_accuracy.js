frappe.query_reports["Forecast Accuracy"] = {
	filters: [
		{
			fieldname: "group_by",
			label: __("Group By"),
			fieldtype: "Select",
			options: ["Item", "Demand Class", "Warehouse", "Week"],
			default: "Item",
			reqd: 1,
		},
		{
			fieldname: "lag_weeks",
			label: __("Weeks Ahead"),
			fieldtype: "Select",
			options: ["1", "4", "8", "13"],
			default: "1",
			reqd: 1,
		},
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
		{
			fieldname: "item_code",
			label: __("Item"),
			fieldtype: "Link",
			options: "Item",
			depends_on: "eval:doc.group_by == 'Item'",
		},
		{
			fieldname: "item_group",
			label: __("Item Group"),
			fieldtype: "Link",
			options: "Item Group",
			depends_on: "eval:doc.group_by == 'Item'",
		},
		{
			fieldname: "last_weeks",
			label: __("Last Weeks"),
			fieldtype: "Int",
			default: 26,
			depends_on: "eval:doc.group_by != 'Item'",
		},
		{
			fieldname: "demand_class",
			label: __("Demand Class"),
			fieldtype: "Select",
			options: ["", "Smooth", "Erratic", "Intermittent", "Lumpy", "New", "No Demand"],
		},
	],
	formatter(value, row, column, data, default_formatter) {
		const shown = default_formatter(value, row, column, data);
		// What could not be measured stays empty; 0 would be a claim.
		if (!data || data[column.fieldname] === null || data[column.fieldname] === undefined) return "";
		if (column.fieldname !== "value_added_pct") return shown;
		const css = data.value_added_pct < 0 ? "text-danger" : "text-success";
		return `<span class="${css}">${shown}</span>`;
	},
};

frappe.query_reports["Policy Replay Comparison"] = {
	filters: [
		{
			fieldname: "company",
			label: __("Company"),
			fieldtype: "Link",
			options: "Company",
			default: frappe.defaults.get_user_default("Company"),
		},
		{
			fieldname: "replay",
			label: __("Policy Replay"),
			fieldtype: "Link",
			options: "Policy Replay",
			get_query: () => ({ filters: { status: "Completed" } }),
			description: __("Empty: the company's latest."),
		},
		{
			fieldname: "abc_class",
			label: __("ABC Class"),
			fieldtype: "Select",
			options: ["", "All", "A", "B", "C"],
		},
		{
			fieldname: "chart",
			label: __("Chart"),
			fieldtype: "Select",
			options: ["Stock Value", "Lost Sales", "Orders"],
			default: "Stock Value",
		},
	],
};

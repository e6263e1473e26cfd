frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["Proposed Amount by Supplier"] = {
	method: "erp_forecast_addon.erp_forecast_addon.dashboard_chart_source.proposed_amount_by_supplier.proposed_amount_by_supplier.get",
	filters: [
		{
			fieldname: "company",
			label: __("Company"),
			fieldtype: "Link",
			options: "Company",
			default: frappe.defaults.get_user_default("Company"),
		},
	],
};

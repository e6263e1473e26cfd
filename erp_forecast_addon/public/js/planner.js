// Who plans by hand, and for which company.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.may_plan = () =>
	["Forecast Planner", "System Manager"].some((role) => frappe.user.has_role(role));

// A field of a dialog; company: that of the form, if it is asked from one.
erp_forecast_addon.company_field = (company, more = {}) => ({
	fieldname: "company",
	fieldtype: "Link",
	options: "Company",
	label: __("Company"),
	reqd: 1,
	default: company || frappe.defaults.get_user_default("Company"),
	...more,
});

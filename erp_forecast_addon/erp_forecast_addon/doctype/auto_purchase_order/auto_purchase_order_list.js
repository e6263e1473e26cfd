{% include "erp_forecast_addon/public/js/order_state.js" %}

frappe.listview_settings["Auto Purchase Order"] = {
	add_fields: ["status", "order_by", "approve_by", "approval_level", "company_currency", "money_at_risk"],
	filters: [["status", "=", "Proposed"]],
	hide_name_column: true,
	get_indicator(doc) {
		return [__(doc.status), erp_forecast_addon.ORDER_COLOURS[doc.status] || "gray", `status,=,${doc.status}`];
	},
	formatters: {
		order_by(value, df, doc) {
			const late = value && doc.status === "Proposed" && value <= frappe.datetime.get_today();
			const words = value ? frappe.datetime.str_to_user(value) : "";
			return late ? `<span class="text-danger">${words}</span>` : words;
		},
	},
};

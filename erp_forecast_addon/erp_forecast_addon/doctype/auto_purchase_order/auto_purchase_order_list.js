{% include "erp_forecast_addon/public/js/order_state.js" %}

frappe.listview_settings["Auto Purchase Order"] = {
	add_fields: ["status", "order_by", "company_currency", "money_at_risk", "purchase_order"],
	filters: [["status", "=", "Proposed"]],
	has_indicator_for_draft: true,
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
	button: {
		show: (doc) => Boolean(doc.purchase_order),
		get_label: () => __("Purchase Order"),
		get_description: (doc) => __("Open {0}", [doc.purchase_order]),
		action: (doc) => frappe.set_route("Form", "Purchase Order", doc.purchase_order),
	},
};

{% include "erp_forecast_addon/public/js/forecast_styles.js" %}
{% include "erp_forecast_addon/public/js/svg_chart.js" %}
{% include "erp_forecast_addon/public/js/order_state.js" %}
{% include "erp_forecast_addon/public/js/order_evidence.js" %}
{% include "erp_forecast_addon/public/js/list_columns.js" %}

frappe.listview_settings["Auto Material Request"] = {
	add_fields: ["title", "from_warehouse", "warehouse", "status", "order_by", "company_currency", "money_at_risk"],
	filters: [["status", "=", "Proposed"]],
	hide_name_column: true,
	hide_name_filter: true,
	button: erp_forecast_addon.order_evidence.list_button("Auto Material Request"),
	onload(listview) {
		erp_forecast_addon.show_columns(listview, 6, __("From → To"));
		erp_forecast_addon.say_when_empty(listview, __("Nothing waits to be moved or made."));
	},
	get_indicator: (doc) => [__(doc.status), erp_forecast_addon.ORDER_COLOURS[doc.status] || "gray", `status,=,${doc.status}`],
	formatters: {
		title: (value, df, { from_warehouse, warehouse }) => (from_warehouse ? `${from_warehouse} → ${warehouse}` : value),
		request_type: (value) => (value === "Manufacture" ? __("Make") : __("Move")),
		order_by(value, df, doc) {
			const words = value ? frappe.datetime.str_to_user(value, false, true) : "";
			const late = value && doc.status === "Proposed" && value <= frappe.datetime.get_today();
			return late ? `<span class="text-danger">${words}</span>` : words;
		},
	},
};

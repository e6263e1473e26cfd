{% include "erp_forecast_addon/public/js/forecast_styles.js" %}
{% include "erp_forecast_addon/public/js/svg_chart.js" %}
{% include "erp_forecast_addon/public/js/order_state.js" %}
{% include "erp_forecast_addon/public/js/order_evidence.js" %}
{% include "erp_forecast_addon/public/js/list_columns.js" %}

(function () {
	const day = (value) => (value ? frappe.datetime.str_to_user(value, false, true) : "");
	const COLUMNS = 7; // title, tags, state, order by, amount, money at risk, approve by

	frappe.listview_settings["Auto Purchase Order"] = {
		add_fields: ["title", "supplier", "supplier_name", "status", "order_by", "approve_by", "approval_level", "company_currency", "money_at_risk", "waiting_cost"],
		filters: [["status", "=", "Proposed"]],
		hide_name_column: true,
		hide_name_filter: true,
		button: erp_forecast_addon.order_evidence.list_button("Auto Purchase Order"),
		onload(listview) {
			erp_forecast_addon.show_columns(listview, COLUMNS, __("Supplier"));
			erp_forecast_addon.say_when_empty(listview, __("Nothing waits for a decision."));
		},
		get_indicator(doc) {
			return [__(doc.status), erp_forecast_addon.ORDER_COLOURS[doc.status] || "gray", `status,=,${doc.status}`];
		},
		formatters: {
			title: (value, df, doc) => doc.supplier_name || doc.supplier || value, // the days stand in columns of their own
			order_by(value, df, doc) {
				const late = value && doc.status === "Proposed" && value <= frappe.datetime.get_today();
				return late ? `<span class="text-danger">${day(value)}</span>` : day(value);
			},
			// "Sat 14:00" within the week, else the day; the cost of being later in the tip.
			approve_by(value, df, doc) {
				if (!value || doc.status !== "Proposed") return "";
				const at = window.moment(value, "YYYY-MM-DD HH:mm:ss");
				const soon = at.diff(window.moment(frappe.datetime.system_datetime()), "days", true) < 6;
				const cost = __("or lose {0} expected", [format_currency(doc.waiting_cost, doc.company_currency, 0)]);
				return `<span title="${frappe.utils.escape_html(cost)}">${at.format(soon ? "ddd HH:mm" : "D MMM HH:mm")}</span>`;
			},
		},
	};
})();

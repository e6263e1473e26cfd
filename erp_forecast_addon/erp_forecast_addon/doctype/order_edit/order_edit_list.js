{% include "erp_forecast_addon/public/js/list_columns.js" %}

(function () {
	const COLOURS = { Standing: "blue", Superseded: "gray", Void: "gray", Priced: "green", "Counted With Another": "gray" };
	const COLUMNS = 8; // item, tags, state, what, before, after, by, value
	// Kept as text for every kind of change; a day is shown as days are.
	const shown = (value, doc) => (doc.kind === "Date" && value ? frappe.datetime.str_to_user(value) : frappe.utils.escape_html(value || "–"));

	frappe.listview_settings["Order Edit"] = {
		add_fields: ["kind", "status", "currency"],
		hide_name_column: true,
		hide_name_filter: true,
		onload: (listview) => erp_forecast_addon.show_columns(listview, COLUMNS),
		get_indicator: (doc) => [__(doc.status), COLOURS[doc.status] || "gray", `status,=,${doc.status}`],
		formatters: {
			kind: (value) => frappe.utils.escape_html(__(value)),
			from_text: (value, df, doc) => shown(value, doc),
			to_text: (value, df, doc) => shown(value, doc),
			changed_by: (value) => erp_forecast_addon.user_in_list(value),
			// What is not priced yet has no value, and not the value 0.
			value: (value, df, doc) =>
				doc.status === "Priced"
					? `<span class="${value < 0 ? "text-danger" : "text-success"}">${format_currency(value, doc.currency)}</span>`
					: "",
		},
	};
})();

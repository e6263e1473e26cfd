{% include "erp_forecast_addon/public/js/list_columns.js" %}

(function () {
	const COLUMNS = 7; // item, tags, state, warehouse, until, by, reason

	frappe.listview_settings["Planning Snooze"] = {
		add_fields: ["item_name", "until", "company"],
		hide_name_column: true,
		hide_name_filter: true,
		onload: (listview) => erp_forecast_addon.show_columns(listview, COLUMNS),
		get_indicator({ until }) {
			const today = frappe.datetime.get_today();
			return until < today ? [__("Ended"), "gray", `until,<,${today}`] : [__("At Rest"), "purple", `until,>=,${today}`];
		},
		formatters: {
			item_code: (value, df, doc) => (doc.item_name && doc.item_name !== value ? `${value}: ${doc.item_name}` : value),
			warehouse: (value) =>
				value ? frappe.utils.escape_html(value) : `<span class="text-muted">${__("All")}</span>`,
			snoozed_by: (value) => erp_forecast_addon.user_in_list(value),
		},
	};
})();

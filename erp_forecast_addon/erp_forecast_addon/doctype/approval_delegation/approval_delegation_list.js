{% include "erp_forecast_addon/public/js/list_columns.js" %}

(function () {
	const escape = frappe.utils.escape_html;
	const COLUMNS = 6; // who for whom, tags, state, from, until, up to

	frappe.listview_settings["Approval Delegation"] = {
		add_fields: ["from_user", "from_name", "to_user", "to_name", "from_date", "to_date", "currency", "company"],
		hide_name_column: true,
		hide_name_filter: true,
		onload: (listview) => erp_forecast_addon.show_columns(listview, COLUMNS, __("Approver → Deputy")),
		get_indicator({ from_date, to_date }) {
			const today = frappe.datetime.get_today();
			if (to_date < today) return [__("Ended"), "gray", `to_date,<,${today}`];
			if (from_date > today) return [__("Begins Later"), "blue", `from_date,>,${today}`];
			return [__("In Force"), "green", `from_date,<=,${today}|to_date,>=,${today}`];
		},
		formatters: {
			from_user: (value, df, doc) => `${escape(doc.from_name || value)} → ${escape(doc.to_name || doc.to_user)}`,
			approval_limit: (value, df, doc) =>
				value ? format_currency(value, doc.currency) : `<span class="text-muted">${__("as himself")}</span>`,
		},
	};
})();

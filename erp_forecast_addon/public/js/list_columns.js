// Lists that are worked through show what decides the order of work on a laptop too, where Frappe cuts them to four columns.

frappe.provide("erp_forecast_addon");

// subject: the heading of the first column, where it shows more than the field that it is named after.
erp_forecast_addon.show_columns = function (listview, wanted, subject) {
	const own = listview.list_view_settings || {};
	if (own.total_fields || own.fields) return; // somebody has set up this list himself
	listview.list_view_settings = { ...own, total_fields: wanted };
	listview.setup_columns();
	if (subject) listview.columns[0] = { ...listview.columns[0], df: { ...listview.columns[0].df, label: subject } };
	listview.render_header(true);
	frappe.dom.set_style(".ef-wide-list .list-row-col.list-subject { flex: 3; } .ef-wide-list .list-row-col.text-right { flex: 1.35; }", "erp-forecast-addon-list-style");
	listview.$frappe_list.addClass("ef-wide-list");
};

// What an empty list means while it shows what waits: "Clear filters" is no answer to whether something is left to do.
erp_forecast_addon.say_when_empty = function (listview, words) {
	const plain = listview.get_no_result_message.bind(listview);
	const waiting = JSON.stringify((listview.settings.filters || []).map((filter) => filter.slice(-3)));
	listview.get_no_result_message = () => {
		const filters = (listview.filter_area?.get() || []).map((filter) => filter.slice(1, 4));
		if (JSON.stringify(filters) !== waiting) return plain();
		const box = $(`<div>${plain()}</div>`);
		box.find("p").first().text(words);
		return box.html();
	};
};

// The full name of a user in a list's row; `nobody` where there is none.
erp_forecast_addon.user_in_list = (user, nobody = "") =>
	user ? frappe.utils.escape_html(frappe.user.full_name(user)) : `<span class="text-muted">${nobody}</span>`;

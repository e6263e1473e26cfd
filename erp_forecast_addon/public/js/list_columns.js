// Lists that are worked through show what decides the order of work on a laptop too, where Frappe cuts them to four columns.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.show_columns = function (listview, wanted) {
	const own = listview.list_view_settings || {};
	if (own.total_fields || own.fields) return; // somebody has set up this list himself
	listview.list_view_settings = { ...own, total_fields: wanted };
	listview.setup_columns();
	listview.render_header(true);
	frappe.dom.set_style(".ef-wide-list .list-row-col.list-subject { flex: 3; }", "erp-forecast-addon-list-style");
	listview.$frappe_list.addClass("ef-wide-list");
};

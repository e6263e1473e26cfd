{% include "erp_forecast_addon/public/js/forecast_styles.js" %}
{% include "erp_forecast_addon/public/js/svg_chart.js" %}
{% include "erp_forecast_addon/public/js/demand_periods.js" %}
{% include "erp_forecast_addon/public/js/forecast_overrides.js" %}
{% include "erp_forecast_addon/public/js/forecast_chart.js" %}
{% include "erp_forecast_addon/public/js/order_state.js" %}
{% include "erp_forecast_addon/public/js/forecast_explanation.js" %}
{% include "erp_forecast_addon/public/js/forecast_tab.js" %}

(function () {
	const TAB = "forecast_tab";
	const may_see = (frm) => !frm.is_new() && frm.doc.is_stock_item && frappe.model.can_read("Demand Forecast");
	const is_open = (frm) => frm.get_active_tab()?.df.fieldname === TAB;

	function show_when_open(frm) {
		if (!frm.fields_dict.forecast_html || !may_see(frm) || !is_open(frm)) return;
		if (frm.forecast_tab?.item_code === frm.doc.name && !frm.forecast_is_stale) return;
		frm.forecast_is_stale = false;
		frm.forecast_tab = new erp_forecast_addon.ForecastTab(frm.fields_dict.forecast_html.$wrapper, frm);
		frm.forecast_tab.load();
	}

	frappe.ui.form.on("Item", {
		refresh(frm) {
			if (!frm.fields_dict.forecast_html) return;
			frm.set_df_property(TAB, "hidden", may_see(frm) ? 0 : 1);
			frm.layout.refresh_tabs();
			frm.forecast_is_stale = true;
			show_when_open(frm);
		},
		on_tab_change: show_when_open,
	});
})();

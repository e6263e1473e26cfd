{% include "erp_forecast_addon/public/js/planner.js" %}
{% include "erp_forecast_addon/public/js/run_now.js" %}
{% include "erp_forecast_addon/public/js/job_progress.js" %}

(function () {
	const progress = erp_forecast_addon.job_progress();

	frappe.ui.form.on("Forecast Run", {
		setup: progress.setup,
		refresh(frm) {
			if (frm.is_new()) return;
			frm.disable_save();
			progress.refresh(frm);
			if (!progress.is_moving(frm.doc) && erp_forecast_addon.may_plan()) {
				frm.add_custom_button(__("Run now"), () => erp_forecast_addon.ask_to_run(frm.doc.company));
			}
			const see = (label, doctype, filters) =>
				frm.add_custom_button(label, () => frappe.set_route("List", doctype, filters), __("View"));
			see(__("Auto Purchase Orders"), "Auto Purchase Order", { forecast_run: frm.doc.name });
			see(__("Planning Exceptions"), "Planning Exception", { forecast_run: frm.doc.name });
			see(__("Level Change Sets"), "Level Change Set", { forecast_run: frm.doc.name });
			see(__("Demand Forecasts"), "Demand Forecast", { forecast_run: frm.doc.name });
		},
	});
})();

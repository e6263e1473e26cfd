{% include "erp_forecast_addon/public/js/run_now.js" %}

(function () {
	const MOVING = ["Queued", "Running"];
	const ASK_AGAIN_MS = 4000;

	function show_progress(frm, percent, step) {
		frm.dashboard.hide_progress();
		if (!MOVING.includes(frm.doc.status)) return;
		frm.dashboard.show_progress(__("Progress"), percent, step ? __(step) : __(frm.doc.status));
	}

	// Realtime brings progress; asking now and then brings it where realtime does not reach, and the end of a run.
	function follow(frm) {
		clearTimeout(frm.forecast_timer);
		if (!MOVING.includes(frm.doc.status)) return;
		const name = frm.doc.name;
		frm.forecast_timer = setTimeout(() => {
			const shown = cur_frm === frm && frm.doc.name === name && !document.hidden;
			if (shown) frm.reload_doc();
		}, ASK_AGAIN_MS);
	}

	frappe.ui.form.on("Forecast Run", {
		// Once a form, not once a document: every listener looks at the document that the form shows.
		setup(frm) {
			frappe.realtime.on("progress", (data) => {
				const own = data.doctype === "Forecast Run" && data.docname === frm.doc.name;
				if (own) show_progress(frm, data.percent, data.description || data.title);
			});
		},
		refresh(frm) {
			if (frm.is_new()) return;
			frm.disable_save();
			show_progress(frm, frm.doc.progress_pct || 0, frm.doc.current_step);
			follow(frm);
			if (!MOVING.includes(frm.doc.status) && erp_forecast_addon.may_run()) {
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

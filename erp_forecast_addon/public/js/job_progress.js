// A form that shows how far the job of its record is, and follows it to its end.

frappe.provide("erp_forecast_addon");

// is_moving(doc): a job waits or works; has_bar(doc): how far it is, is shown.
erp_forecast_addon.job_progress = function ({
	is_moving = (doc) => ["Queued", "Running"].includes(doc.status),
	has_bar = is_moving,
	ask_again_ms = 4000,
} = {}) {
	function show(frm, percent, step) {
		frm.dashboard.hide_progress();
		if (!has_bar(frm.doc)) return;
		frm.dashboard.show_progress(__("Progress"), percent, __(step || frm.doc.status));
	}

	// Realtime brings progress; asking now and then brings it where realtime does not reach, and the end.
	function follow(frm) {
		clearTimeout(frm.job_progress_timer);
		if (!is_moving(frm.doc)) return;
		const name = frm.doc.name;
		frm.job_progress_timer = setTimeout(() => {
			const shown = cur_frm === frm && frm.doc.name === name && !document.hidden;
			if (shown) frm.reload_doc();
		}, ask_again_ms);
	}

	return {
		is_moving,
		// Once a form, not once a document: every listener looks at the document that the form shows.
		setup(frm) {
			frappe.realtime.on("progress", (data) => {
				const own = data.doctype === frm.doctype && data.docname === frm.doc.name;
				if (own) show(frm, data.percent, data.description || data.title);
			});
		},
		refresh(frm) {
			show(frm, frm.doc.progress_pct || 0, frm.doc.current_step);
			follow(frm);
		},
	};
};

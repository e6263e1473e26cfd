// A buyer who changes the draft of one of our orders is asked why; the answer is kept with the change.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.order_edit_reason = (function () {
	// Sent along with the document; events/order_edits.py takes it from there.
	const REASON = "forecast_edit_reason";

	const is_ours = (frm) => !frm.is_new() && frm.doc.docstatus === 0 && frm.doc.auto_purchase_order;
	const key_of = (row) => `${row.item_code} · ${row.warehouse}`;
	const lines_of = (doc) =>
		Object.fromEntries(
			(doc.items || [])
				.filter((row) => row.item_code)
				.map((row) => [row.name, { key: key_of(row), qty: row.qty, uom: row.uom, day: row.schedule_date, rate: row.rate }])
		);

	// What stands in the database, for as long as nobody has changed it.
	function remember(frm) {
		if (is_ours(frm) && !frm.is_dirty()) frm.planned_draft = { supplier: frm.doc.supplier, lines: lines_of(frm.doc) };
	}

	function changes(frm) {
		const before = frm.planned_draft;
		if (!before) return [];
		const now = lines_of(frm.doc);
		const found = [];
		if (before.supplier !== frm.doc.supplier) found.push([__("Supplier"), before.supplier, frm.doc.supplier]);
		for (const [name, was] of Object.entries(before.lines)) {
			const is = now[name];
			if (!is || is.key !== was.key) found.push([was.key, `${was.qty} ${was.uom}`, __("taken out")]);
			else found.push(...changes_of_line(was, is));
		}
		for (const [name, is] of Object.entries(now)) {
			const was = before.lines[name];
			if (!was || was.key !== is.key) found.push([is.key, "–", `${is.qty} ${is.uom}`]);
		}
		return found;
	}

	function changes_of_line(was, is) {
		const found = [];
		const day = (text) => (text ? frappe.datetime.str_to_user(text) : "–");
		if (was.qty !== is.qty || was.uom !== is.uom) found.push([was.key, `${was.qty} ${was.uom}`, `${is.qty} ${is.uom}`]);
		if (was.day !== is.day) found.push([was.key, day(was.day), day(is.day)]);
		if (Math.abs((was.rate || 0) - (is.rate || 0)) > 1e-6) found.push([was.key, format_number(was.rate), format_number(is.rate)]);
		return found;
	}

	function table(found) {
		const escape = (words) => frappe.utils.escape_html(String(words ?? ""));
		const rows = found.map(([what, from, to]) => `<tr><td>${escape(what)}</td><td>${escape(from)}</td><td>${escape(to)}</td></tr>`);
		return `<table class="table table-bordered small"><thead><tr><th>${__("What")}</th><th>${__("Proposed")}</th>
			<th>${__("Changed To")}</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
	}

	// The save waits for the answer; closing the dialog leaves the draft unsaved.
	function ask(frm) {
		const found = is_ours(frm) && !frm.doc[REASON] ? changes(frm) : [];
		if (!found.length) return Promise.resolve();
		return new Promise((resolve) => {
			let answered = false;
			const go_on = (reason) => {
				answered = true;
				frm.doc[REASON] = reason;
				dialog.hide();
				resolve();
			};
			const dialog = new frappe.ui.Dialog({
				title: __("Why do you change this proposal?"),
				fields: [
					{ fieldname: "changes", fieldtype: "HTML", options: table(found) },
					{
						fieldname: "reason",
						fieldtype: "Small Text",
						label: __("Reason"),
						description: __("It is kept with each change; later the change is priced by what happened."),
					},
				],
				primary_action_label: __("Save"),
				primary_action: ({ reason }) => go_on(reason || ""),
			});
			dialog.onhide = () => {
				if (answered) return;
				frappe.validated = false;
				resolve();
			};
			dialog.show();
		});
	}

	const forget = (frm) => delete frm.doc[REASON];

	return { remember, ask, forget };
})();

{% include "erp_forecast_addon/public/js/exception_queue.js" %}

(function () {
	const queue = erp_forecast_addon.exception_queue;
	// Where a person goes to put it right.
	const PLACES = [
		["auto_purchase_order", "Auto Purchase Order", () => __("Open Proposal")],
		["purchase_order", "Purchase Order", () => __("Open Purchase Order")],
		["item_code", "Item", () => __("Open Item")],
		["supplier", "Supplier", () => __("Open Supplier")],
	];

	function intro(frm) {
		const doc = frm.doc;
		const late = queue.overdue(doc);
		const clock = late ? ` ${__("It was due {0}.", [frappe.datetime.str_to_user(doc.due_at)])}` : "";
		const colour = late ? "red" : doc.status === "Open" ? "orange" : "blue";
		frm.set_intro("");
		frm.set_intro(frappe.utils.escape_html(doc.message).replace(/\n/g, "<br>") + clock, colour);
	}

	function show_indicator(frm) {
		frm.page.set_indicator(
			queue.overdue(frm.doc) ? __("Overdue") : __(frm.doc.status),
			queue.overdue(frm.doc) ? "red" : queue.SEVERITY_COLOURS[frm.doc.severity] || "blue"
		);
	}

	frappe.ui.form.on("Planning Exception", {
		refresh(frm) {
			if (frm.is_new()) return;
			intro(frm);
			frm.page.set_title([__(frm.doc.exception_type), frm.doc.item_code || frm.doc.supplier].filter(Boolean).join(" · "));
			show_indicator(frm);
			frm.set_df_property("status", "read_only", 1); // the buttons ask for what a status needs
			frm.toggle_display("message", false); // the line above the form says it
			PLACES.filter(([field, doctype]) => frm.doc[field] && frappe.model.can_read(doctype)).forEach(
				([field, doctype, label]) =>
					frm.add_custom_button(label(), () => frappe.set_route("Form", doctype, frm.doc[field]))
			);
			if (!queue.may_write()) return;
			queue.ACTIONS.filter(([label, act, states]) => states.includes(frm.doc.status)).forEach(([label, act]) =>
				frm.add_custom_button(label(), () => act([frm.doc.name], () => frm.reload_doc()), __("Actions"))
			);
		},
	});
})();

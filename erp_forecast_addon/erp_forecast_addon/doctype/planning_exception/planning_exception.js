(function () {
	// Where a person goes to put it right.
	const PLACES = [
		["auto_purchase_order", "Auto Purchase Order", () => __("Open Proposal")],
		["item_code", "Item", () => __("Open Item")],
		["supplier", "Supplier", () => __("Open Supplier")],
	];

	const set_status = (frm, fields) =>
		frappe
			.call({
				method: "erp_forecast_addon.api.v1.exception.update",
				args: { names: [frm.doc.name], ...fields },
				freeze: true,
			})
			.then(() => frm.reload_doc());

	frappe.ui.form.on("Planning Exception", {
		refresh(frm) {
			if (frm.is_new()) return;
			frm.set_intro("");
			frm.set_intro(frappe.utils.escape_html(frm.doc.message), frm.doc.status === "Open" ? "orange" : "blue");
			PLACES.filter(([field, doctype]) => frm.doc[field] && frappe.model.can_read(doctype)).forEach(
				([field, doctype, label]) =>
					frm.add_custom_button(label(), () => frappe.set_route("Form", doctype, frm.doc[field]))
			);
			const over = ["Resolved", "Ignored"].includes(frm.doc.status);
			if (over || !frappe.model.can_write("Planning Exception")) return;
			frm.add_custom_button(__("Resolve"), () => set_status(frm, { status: "Resolved" }), __("Status"));
			frm.add_custom_button(__("Ignore"), () => set_status(frm, { status: "Ignored" }), __("Status"));
		},
	});
})();

// A Material Request that the planner drafted says so, and where every line is explained.

(function () {
	// Asks first, as the form puts its own sentence there once it is drawn.
	async function show_banner(frm) {
		const name = frm.doc.auto_material_request;
		const { message } = await frappe.db.get_value("Auto Material Request", name, "status");
		if (!message?.status || frm.doc.auto_material_request !== name) return;
		const link = frappe.utils.get_form_link("Auto Material Request", name, true, __("proposal"));
		const undecided = frm.doc.docstatus === 0 && message.status === "Proposed";
		const sentence = undecided
			? __("The planner drafted this request; its {0} explains every line. Submit it to agree, change it as you like, or delete it to refuse.", [link])
			: __("The planner drafted this request; its {0} explains every line.", [link]);
		frm.set_intro("");
		frm.set_intro(sentence, undecided ? "orange" : "blue");
	}

	frappe.ui.form.on("Material Request", {
		refresh(frm) {
			if (frm.is_new() || !frm.doc.auto_material_request || !frappe.model.can_read("Auto Material Request")) return;
			show_banner(frm);
		},
	});
})();

// A Material Request that the planner drafted says so, and where every line is explained.

(function () {
	function banner(frm) {
		const link = frappe.utils.get_form_link("Auto Material Request", frm.doc.auto_material_request, true, __("proposal"));
		const sentence =
			frm.doc.docstatus === 0
				? __("The planner drafted this request; its {0} explains every line. Submit it to agree, change it as you like, or delete it to refuse.", [link])
				: __("The planner drafted this request; its {0} explains every line.", [link]);
		frm.set_intro("");
		frm.set_intro(sentence, frm.doc.docstatus === 0 ? "orange" : "blue");
	}

	frappe.ui.form.on("Material Request", {
		refresh(frm) {
			if (frm.is_new() || !frm.doc.auto_material_request || !frappe.model.can_read("Auto Material Request")) return;
			banner(frm);
		},
	});
})();

{% include "erp_forecast_addon/public/js/level_changes.js" %}

frappe.ui.form.on("Level Change", {
	refresh(frm) {
		if (frm.is_new()) return;
		frm.disable_save();
		frm.set_intro("");
		if (frm.doc.note) {
			frm.set_intro(frappe.utils.escape_html(frm.doc.note), frm.doc.status === "Held" ? "orange" : "blue");
		}
		frm.add_custom_button(__("Change Set"), () =>
			frappe.set_route("Form", "Level Change Set", frm.doc.change_set)
		);
		const { level_changes } = erp_forecast_addon;
		if (!level_changes.may_review()) return;
		frappe.db.get_value("Level Change Set", frm.doc.change_set, "status").then(({ message }) => {
			if (!message || message.status !== "Proposed") return;
			const again = () => frm.reload_doc();
			frm.add_custom_button(__("Change Values"), () => level_changes.edit(frm.doc, again));
			if (frm.doc.status === "Proposed") {
				frm.add_custom_button(__("Exclude"), () => level_changes.exclude([frm.doc.name], again));
			}
			if (frm.doc.status !== "Proposed" || frm.doc.review === "Edited") {
				frm.add_custom_button(__("Include as Proposed"), () => level_changes.include([frm.doc.name], again));
			}
		});
	},
});

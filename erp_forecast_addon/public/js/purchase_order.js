{% include "erp_forecast_addon/public/js/order_state.js" %}

// A Purchase Order that the planner drafted says so, and where it is decided.
frappe.ui.form.on("Purchase Order", {
	refresh(frm) {
		if (frm.is_new() || !frm.doc.auto_purchase_order || !frappe.model.can_read("Auto Purchase Order")) return;
		erp_forecast_addon.show_proposal_banner(frm);
		frm.add_custom_button(
			__("Auto Purchase Order"),
			() => frappe.set_route("Form", "Auto Purchase Order", frm.doc.auto_purchase_order),
			__("View")
		);
	},
});

erp_forecast_addon.show_proposal_banner = async function (frm) {
	const name = frm.doc.auto_purchase_order;
	const { message } = await frappe.db.get_value("Auto Purchase Order", name, ["status", "decided_by", "rejection_reason"]);
	if (!message?.status || frm.doc.auto_purchase_order !== name) return;
	const link = frappe.utils.get_form_link("Auto Purchase Order", name, true, __("proposal"));
	const undecided = frm.doc.docstatus === 0 && message.status === "Proposed";
	const sentence = undecided
		? __("The planner drafted this order. It is decided on its {0}, where every line is explained: approve it there and this order follows.", [link])
		: __("The planner drafted this order; its {0} is {1}.", [link, __(message.status).toLowerCase()]);
	const colour = erp_forecast_addon.ORDER_COLOURS[message.status] || "blue";
	frm.set_intro("");
	frm.set_intro(sentence, colour);
};

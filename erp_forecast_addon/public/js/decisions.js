// Approving and rejecting on a form, with our Workflow or without it.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.APPROVER = "Forecast Approver";

// api: the module of api.v1 that decides; title(): of the dialog that asks for the reason.
erp_forecast_addon.decisions = function (api, title) {
	const decide = (frm, action, more = {}) =>
		frappe
			.call({
				method: `erp_forecast_addon.api.v1.${api}.${action}`,
				args: { name: frm.doc.name, ...more },
				freeze: true,
			})
			.then(() => frm.reload_doc());

	function ask_for_reason(frm) {
		const dialog = new frappe.ui.Dialog({
			title: title(),
			fields: [
				{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason for Rejection"), reqd: 1 },
				{
					fieldname: "until",
					fieldtype: "Date",
					label: __("Not Proposed Again Until"),
					description: __("Empty: for as many days as the company's Forecast Settings say."),
				},
			],
			primary_action_label: __("Reject"),
			primary_action({ reason, until }) {
				dialog.hide();
				decide(frm, "reject", { reason, until: until || null });
			},
		});
		dialog.show();
	}

	// The workflow froze the page and would save the state before anyone gave a reason. The promise that is never
	// fulfilled stops it; the dialog decides in its place, reason and state in one transaction.
	function reject_with_reason(frm) {
		frappe.dom.unfreeze();
		frm.selected_workflow_action = null;
		ask_for_reason(frm);
		return new Promise(() => {});
	}

	// A site that switched our Workflow off still decides here.
	function show_buttons_without_workflow(frm) {
		const has_workflow = Boolean((frm.meta.__workflow_docs || []).length);
		if (has_workflow || frm.doc.status !== "Proposed" || !frappe.user.has_role(erp_forecast_addon.APPROVER)) return;
		frm.add_custom_button(__("Approve"), () => decide(frm, "approve"), __("Actions"));
		frm.add_custom_button(__("Reject"), () => ask_for_reason(frm), __("Actions"));
	}

	return {
		refresh(frm) {
			show_buttons_without_workflow(frm);
			frm.toggle_display(["rejection_reason", "rejected_until"], frm.doc.status === "Rejected");
		},
		before_workflow_action(frm) {
			return frm.selected_workflow_action === "Reject" ? reject_with_reason(frm) : Promise.resolve();
		},
	};
};

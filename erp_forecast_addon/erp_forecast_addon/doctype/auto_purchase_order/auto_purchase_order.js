{% include "erp_forecast_addon/public/js/forecast_styles.js" %}
{% include "erp_forecast_addon/public/js/svg_chart.js" %}
{% include "erp_forecast_addon/public/js/order_state.js" %}
{% include "erp_forecast_addon/public/js/order_evidence.js" %}

(function () {
	const APPROVER = "Forecast Approver";

	function show_evidence(frm) {
		erp_forecast_addon.add_styles();
		const box = frm.fields_dict.evidence_html.$wrapper;
		box.html(erp_forecast_addon.order_evidence.cards(frm.doc, box.width() || 900));
	}

	function show_buttons(frm) {
		if (frm.doc.purchase_order) {
			frm.add_custom_button(__("Open Purchase Order"), () =>
				frappe.set_route("Form", "Purchase Order", frm.doc.purchase_order)
			);
		}
	}

	function state_sentence(frm) {
		const { doc } = frm;
		const by = doc.decided_by ? frappe.user.full_name(doc.decided_by) : "";
		const until = doc.rejected_until ? frappe.datetime.str_to_user(doc.rejected_until) : "";
		const sentences = {
			Proposed: proposed_sentence(doc),
			Approved: __("Approved by {0}.", [by]),
			Rejected: __("Rejected by {0}: {1}", [by, doc.rejection_reason || __("no reason given")]),
			Withdrawn: __("Withdrawn: the need has gone, so the draft was removed."),
			Cancelled: __("The Purchase Order was cancelled or deleted."),
			Closed: __("The Purchase Order is closed or complete."),
		};
		const sentence = sentences[doc.status] || "";
		return doc.status === "Rejected" && until ? `${sentence} ${__("Not proposed again until {0}.", [until])}` : sentence;
	}

	function proposed_sentence(doc) {
		const due = doc.order_by ? __("Order by {0}.", [frappe.datetime.str_to_user(doc.order_by)]) : "";
		const who = frappe.user.has_role(APPROVER)
			? __("Approve or reject it under Actions.")
			: __("It waits for a user with the role {0}.", [__(APPROVER)]);
		const edited = doc.edited_by_person ? __("A person has edited the draft; the planner leaves it as it is.") : "";
		return [due, who, edited].filter(Boolean).join(" ");
	}

	function show_state(frm) {
		frm.set_intro("");
		frm.set_intro(state_sentence(frm), erp_forecast_addon.ORDER_COLOURS[frm.doc.status]);
	}

	const decide = (frm, action, more = {}) =>
		frappe
			.call({
				method: `erp_forecast_addon.api.v1.orders.${action}`,
				args: { name: frm.doc.name, ...more },
				freeze: true,
			})
			.then(() => frm.reload_doc());

	function ask_for_reason(frm) {
		const dialog = new frappe.ui.Dialog({
			title: __("Reject this proposal"),
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
	function show_decisions_without_workflow(frm) {
		const has_workflow = Boolean((frm.meta.__workflow_docs || []).length);
		if (has_workflow || frm.doc.status !== "Proposed" || !frappe.user.has_role(APPROVER)) return;
		frm.add_custom_button(__("Approve"), () => decide(frm, "approve"), __("Actions"));
		frm.add_custom_button(__("Reject"), () => ask_for_reason(frm), __("Actions"));
	}

	frappe.ui.form.on("Auto Purchase Order", {
		refresh(frm) {
			if (frm.is_new()) return;
			show_evidence(frm);
			show_buttons(frm);
			show_decisions_without_workflow(frm);
			show_state(frm);
			frm.toggle_display(["rejection_reason", "rejected_until"], frm.doc.status === "Rejected");
		},
		before_workflow_action(frm) {
			return frm.selected_workflow_action === "Reject" ? reject_with_reason(frm) : Promise.resolve();
		},
	});
})();

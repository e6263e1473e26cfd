{% include "erp_forecast_addon/public/js/forecast_styles.js" %}
{% include "erp_forecast_addon/public/js/svg_chart.js" %}
{% include "erp_forecast_addon/public/js/decisions.js" %}
{% include "erp_forecast_addon/public/js/order_state.js" %}
{% include "erp_forecast_addon/public/js/order_evidence.js" %}

(function () {
	const { APPROVER } = erp_forecast_addon;
	const decisions = erp_forecast_addon.decisions("orders", () => __("Reject this proposal"));

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

	frappe.ui.form.on("Auto Purchase Order", {
		refresh(frm) {
			if (frm.is_new()) return;
			show_evidence(frm);
			show_buttons(frm);
			decisions.refresh(frm);
			show_state(frm);
		},
		before_workflow_action: decisions.before_workflow_action,
	});
})();

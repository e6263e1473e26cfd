{% include "erp_forecast_addon/public/js/forecast_styles.js" %}
{% include "erp_forecast_addon/public/js/svg_chart.js" %}
{% include "erp_forecast_addon/public/js/decisions.js" %}
{% include "erp_forecast_addon/public/js/order_state.js" %}
{% include "erp_forecast_addon/public/js/order_evidence.js" %}
{% include "erp_forecast_addon/public/js/order_approval.js" %}

(function () {
	const { order_approval } = erp_forecast_addon;
	const decisions = erp_forecast_addon.decisions("orders", () => __("Reject this proposal"), order_approval);

	const show_evidence = (frm) => erp_forecast_addon.order_evidence.show(frm.fields_dict.evidence_html.$wrapper, frm.doc);

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
			Proposed: order_approval.sentence(frm),
			Approved: order_approval.approved_sentence(doc, by),
			Rejected: __("Rejected by {0}: {1}", [by, doc.rejection_reason || __("no reason given")]),
			Withdrawn: __("Withdrawn: the need has gone, so the draft was removed."),
			Cancelled: __("The Purchase Order was cancelled or deleted."),
			Closed: __("The Purchase Order is closed or complete."),
		};
		const sentence = sentences[doc.status] || "";
		return doc.status === "Rejected" && until ? `${sentence} ${__("Not proposed again until {0}.", [until])}` : sentence;
	}

	function show_state(frm) {
		frm.set_intro("");
		frm.set_intro(state_sentence(frm), erp_forecast_addon.ORDER_COLOURS[frm.doc.status]);
	}

	function show_snooze(frm) {
		if (frm.doc.status !== "Proposed" || !frappe.model.can_create("Planning Snooze")) return;
		frm.add_custom_button(__("Put to Rest"), () => order_approval.ask_for_snooze(frm.doc, () => frm.reload_doc()));
	}

	// What only the server knows: whether this user may decide, for whom, and who is asked.
	async function show_who_decides(frm) {
		const { name } = frm.doc;
		frm.decision_state = null;
		if (frm.doc.status === "Proposed") {
			const { message } = await frappe.call("erp_forecast_addon.api.v1.orders.decision_state", { name });
			if (frm.doc.name !== name) return;
			frm.decision_state = message;
		}
		decisions.refresh(frm);
		show_state(frm);
	}

	frappe.ui.form.on("Auto Purchase Order", {
		refresh(frm) {
			if (frm.is_new()) return;
			show_evidence(frm);
			show_buttons(frm);
			show_snooze(frm);
			show_who_decides(frm);
			frm.toggle_display("rejection_class", frm.doc.status === "Rejected");
		},
		before_workflow_action: decisions.before_workflow_action,
	});
})();

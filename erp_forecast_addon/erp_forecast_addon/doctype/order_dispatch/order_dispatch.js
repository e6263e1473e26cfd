{% include "erp_forecast_addon/public/js/dispatch_state.js" %}

(function () {
	const SENTENCES = {
		Waiting: (doc) =>
			doc.attempts
				? __("The next attempt is made at {0}. The last one: {1}", [frappe.datetime.str_to_user(doc.next_attempt_at), said(doc)])
				: __("It waits to be sent."),
		Sending: () => __("It is being sent."),
		Sent: (doc) => (doc.settled_by ? said(doc) : __("The supplier has it since {0}.", [frappe.datetime.str_to_user(doc.sent_at)])),
		Unclear: (doc) => said(doc),
		Failed: (doc) => __("It did not get through, and is not tried again by itself: {0}", [said(doc)]),
		Cancelled: (doc) => said(doc),
	};

	const said = (doc) => frappe.utils.escape_html(doc.last_answer || "");

	const act = (frm, method) =>
		frappe
			.call({ method: `erp_forecast_addon.api.v1.dispatch.${method}`, args: { names: [frm.doc.name] }, freeze: true })
			.then(() => frm.reload_doc());

	frappe.ui.form.on("Order Dispatch", {
		refresh(frm) {
			frm.disable_save();
			const { status } = frm.doc;
			frm.set_intro("");
			frm.set_intro(SENTENCES[status](frm.doc), erp_forecast_addon.DISPATCH_COLOURS[status]);
			frm.page.set_indicator(__(status), erp_forecast_addon.DISPATCH_COLOURS[status]);
			if (!["Waiting", "Unclear", "Failed"].includes(status) || !frappe.model.can_write("Order Dispatch")) return;
			frm.add_custom_button(__("Send Again"), () =>
				erp_forecast_addon.ask_to_send_again([frm.doc], () => act(frm, "send_again"))
			);
			frm.add_custom_button(__("Supplier Has It"), () => act(frm, "confirm"), __("Settle"));
			frm.add_custom_button(__("Need Not Be Sent"), () => act(frm, "drop"), __("Settle"));
		},
	});
})();

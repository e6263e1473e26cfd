{% include "erp_forecast_addon/public/js/order_state.js" %}
{% include "erp_forecast_addon/public/js/dispatch_state.js" %}
{% include "erp_forecast_addon/public/js/order_edit_reason.js" %}

(function () {
	async function show_origin(frm) {
		if (!frm.doc.auto_purchase_order || !frappe.model.can_read("Auto Purchase Order")) return;
		frm.add_custom_button(
			__("Auto Purchase Order"),
			() => frappe.set_route("Form", "Auto Purchase Order", frm.doc.auto_purchase_order),
			__("View")
		);
		await erp_forecast_addon.show_proposal_banner(frm);
	}

	// A Purchase Order that the planner drafted says so, and where it is decided; one that was sent, whether it arrived.
	frappe.ui.form.on("Purchase Order", {
		refresh(frm) {
			if (frm.is_new()) return;
			erp_forecast_addon.order_edit_reason.remember(frm);
			// One after the other, as the first clears what stands there; the form itself does not wait for either.
			show_origin(frm).then(() => {
				if (frm.doc.docstatus > 0 && frappe.model.can_read("Order Dispatch")) erp_forecast_addon.show_dispatch(frm);
			});
		},
		before_save: (frm) => erp_forecast_addon.order_edit_reason.ask(frm),
		after_save: (frm) => erp_forecast_addon.order_edit_reason.forget(frm),
	});
})();

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

// The latest of what the supplier was told.
erp_forecast_addon.show_dispatch = async function (frm) {
	const { name } = frm.doc;
	const { message } = await frappe.call("erp_forecast_addon.api.v1.dispatch.of_order", { purchase_order: name });
	const [latest] = message || [];
	if (!latest || frm.doc.name !== name) return;
	const sentences = {
		Waiting: __("It waits to be sent to the supplier by {0}.", [__(latest.channel)]),
		Sending: __("It is being sent to the supplier by {0}.", [__(latest.channel)]),
		Sent: __("The supplier has it since {0}, by {1}.", [frappe.datetime.str_to_user(latest.sent_at), __(latest.channel)]),
		Unclear: __("It is not known whether the supplier knows: {0}", [frappe.utils.escape_html(latest.last_answer || "")]),
		Failed: __("It did not get through to the supplier: {0}", [frappe.utils.escape_html(latest.last_answer || "")]),
		Cancelled: frappe.utils.escape_html(latest.last_answer || ""),
	};
	const what = latest.event === "Cancellation" ? __("Cancellation") : __("Order, version {0}", [latest.version]);
	const link = frappe.utils.get_form_link("Order Dispatch", latest.name, true, what);
	// A form that is refreshed keeps what it said before.
	frm.layout.message.find(".order-dispatch-state").closest(".form-message").remove();
	const sentence = `<span class="order-dispatch-state">${link}: ${sentences[latest.status]}</span>`;
	frm.set_intro(sentence, erp_forecast_addon.DISPATCH_COLOURS[latest.status]);
};

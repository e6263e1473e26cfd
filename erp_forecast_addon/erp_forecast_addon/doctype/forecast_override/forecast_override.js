(function () {
	const call = (frm, method) =>
		frappe
			.call({ method: `erp_forecast_addon.api.v1.override.${method}`, args: { name: frm.doc.name }, freeze: true })
			.then(() => frm.reload_doc());

	const HINTS = {
		Percent: () => __("Raises (20) or lowers (-20) the forecast of every day."),
		Quantity: () => __("Stock UOM in the whole span, spread over its days like the forecast."),
		"Replace per Day": () => __("Stock UOM every day, whatever the forecast says."),
	};

	const show_hint = (frm) => frm.set_df_property("value", "description", HINTS[frm.doc.kind]?.() || "");

	async function add_buttons(frm) {
		if (frm.is_new() || frm.is_dirty() || frm.doc.status === "Expired") return;
		if (frm.doc.status === "Approved") {
			if (frappe.model.can_write("Forecast Override")) frm.add_custom_button(__("Make It a Draft Again"), () => call(frm, "withdraw"));
			return;
		}
		const may = await frappe.xcall("erp_forecast_addon.api.v1.override.may_approve", { name: frm.doc.name });
		if (may) frm.add_custom_button(__("Approve"), () => call(frm, "approve")).addClass("btn-primary");
		else frm.set_intro(__("It counts once a Forecast Approver has approved it."), "blue");
	}

	frappe.ui.form.on("Forecast Override", {
		setup(frm) {
			frm.set_query("item_code", () => ({ filters: { is_stock_item: 1 } }));
			frm.set_query("warehouse", () => ({ filters: { company: frm.doc.company, is_group: 0 } }));
		},
		refresh(frm) {
			frm.set_intro("");
			show_hint(frm);
			add_buttons(frm);
		},
		kind: show_hint,
	});
})();

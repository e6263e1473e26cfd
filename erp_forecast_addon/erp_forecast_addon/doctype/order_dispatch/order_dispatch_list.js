{% include "erp_forecast_addon/public/js/dispatch_state.js" %}
{% include "erp_forecast_addon/public/js/list_columns.js" %}

(function () {
	const act = (listview, method, done) =>
		frappe
			.call({
				method: `erp_forecast_addon.api.v1.dispatch.${method}`,
				args: { names: listview.get_checked_items(true) },
				freeze: true,
			})
			.then(({ message }) => {
				frappe.show_alert({ message: done([message]), indicator: "green" });
				listview.clear_checked_items();
				listview.refresh();
			});

	frappe.listview_settings["Order Dispatch"] = {
		add_fields: ["status", "last_answer", "event", "version", "channel", "supplier", "company"],
		hide_name_column: true,
		hide_name_filter: true,
		formatters: {
			purchase_order(value, _field, doc) {
				const what = doc.event === "Cancellation" ? __("Cancellation") : doc.version > 1 ? __("Version {0}", [doc.version]) : "";
				const answer = doc.status === "Sent" ? "" : doc.last_answer;
				return [value, what, answer].filter(Boolean).join(" · ");
			},
		},
		filters: [["status", "in", ["Failed", "Unclear"]]],
		get_indicator: (doc) => [
			__(doc.status),
			erp_forecast_addon.DISPATCH_COLOURS[doc.status] || "gray",
			`status,=,${doc.status}`,
		],
		onload(listview) {
			erp_forecast_addon.show_columns(listview, 5, __("Order and Last Answer")); // tags, state, supplier, attempts
			erp_forecast_addon.say_when_empty(listview, __("Every order got through to its supplier."));
			if (!frappe.model.can_write("Order Dispatch")) return;
			const add = (label, action) => listview.page.add_actions_menu_item(label, action, false);
			add(__("Send Again"), () =>
				erp_forecast_addon.ask_to_send_again(listview.get_checked_items(), () =>
					act(listview, "send_again", (count) => __("{0} are being sent again.", count))
				)
			);
			add(__("Supplier Has It"), () => act(listview, "confirm", (count) => __("{0} settled.", count)));
			add(__("Need Not Be Sent"), () => act(listview, "drop", (count) => __("{0} dropped.", count)));
		},
	};
})();

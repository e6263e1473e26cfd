(function () {
	const COLOURS = { Open: "red", "In Progress": "orange", Resolved: "green", Ignored: "gray" };

	const set_all = (listview, fields) =>
		frappe
			.call({
				method: "erp_forecast_addon.api.v1.exception.update",
				args: { names: listview.get_checked_items(true), ...fields },
				freeze: true,
			})
			.then(({ message }) => {
				frappe.show_alert({ message: __("{0} exceptions updated.", [message]), indicator: "green" });
				listview.clear_checked_items();
				listview.refresh();
			});

	function ask_until(listview) {
		const tomorrow = frappe.datetime.add_days(frappe.datetime.get_today(), 1);
		frappe.prompt(
			[{ fieldname: "until", fieldtype: "Date", label: __("Snooze Until"), reqd: 1, default: frappe.datetime.add_days(tomorrow, 6) }],
			({ until }) => set_all(listview, { status: "Ignored", snoozed_until: until }),
			__("Snooze exceptions"),
			__("Snooze")
		);
	}

	frappe.listview_settings["Planning Exception"] = {
		add_fields: ["status", "currency", "snoozed_until", "message", "due_on"],
		hide_name_column: true,
		formatters: {
			exception_type: (value, df, doc) => (doc.message ? `${__(value)}: ${doc.message}` : __(value)),
		},
		filters: [["status", "in", ["Open", "In Progress"]]],
		get_indicator(doc) {
			const words = doc.snoozed_until && doc.status === "Ignored" ? __("Snoozed") : __(doc.status);
			return [words, COLOURS[doc.status] || "gray", `status,=,${doc.status}`];
		},
		onload(listview) {
			if (!frappe.model.can_write("Planning Exception")) return;
			const act = (label, action) => listview.page.add_actions_menu_item(label, action, false);
			act(__("Resolve"), () => set_all(listview, { status: "Resolved" }));
			act(__("Work on It"), () => set_all(listview, { status: "In Progress" }));
			act(__("Ignore"), () => set_all(listview, { status: "Ignored" }));
			act(__("Snooze"), () => ask_until(listview));
		},
	};
})();

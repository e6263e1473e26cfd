// Starting a replay by hand, from the list or from a record.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.REPLAY_COLOURS = { Queued: "gray", Running: "blue", Completed: "green", Failed: "red" };

erp_forecast_addon.ask_to_replay = function (company) {
	frappe.prompt(
		[
			erp_forecast_addon.company_field(company),
			{
				fieldname: "weeks",
				fieldtype: "Int",
				label: __("Weeks"),
				reqd: 1,
				default: 26,
				description: __("How many of the last weeks. Nothing is written but the record of the replay."),
			},
		],
		async (values) => {
			const { message } = await frappe.call({
				method: "erp_forecast_addon.api.v1.replay.start_replay",
				args: values,
				freeze: true,
			});
			if (message) frappe.set_route("Form", "Policy Replay", message);
		},
		__("Replay the past"),
		__("Replay")
	);
};

// Starting a run by hand, from a list, a run or the settings.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.RUN_COLOURS = {
	Queued: "gray",
	Running: "blue",
	Completed: "green",
	Failed: "red",
	Interrupted: "orange",
};

erp_forecast_addon.start_run = async function (company) {
	const { message } = await frappe.call({
		method: "erp_forecast_addon.api.v1.run.start_run",
		args: { company },
		freeze: true,
		freeze_message: __("Starting …"),
	});
	if (typeof message === "string") {
		frappe.set_route("Form", "Forecast Run", message);
		return;
	}
	frappe.show_alert({ message: __("The run of {0} is queued.", [company]), indicator: "blue" });
	frappe.set_route("List", "Forecast Run", { company });
};

erp_forecast_addon.ask_to_run = function (company) {
	frappe.prompt(
		[
			erp_forecast_addon.company_field(company, {
				description: __("Forecasts, policies and proposals of this company are brought up to date."),
			}),
		],
		(values) => erp_forecast_addon.start_run(values.company),
		__("Run the planner"),
		__("Run now")
	);
};

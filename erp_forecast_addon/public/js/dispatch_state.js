frappe.provide("erp_forecast_addon");

erp_forecast_addon.DISPATCH_COLOURS = {
	Waiting: "orange",
	Sending: "blue",
	Sent: "green",
	Unclear: "yellow",
	Failed: "red",
	Cancelled: "gray",
};

// A webhook carries its key; an email that did arrive would stand in the supplier's mailbox twice.
erp_forecast_addon.ask_to_send_again = function (rows, send) {
	const unclear = rows.filter((row) => row.channel === "Email" && row.status === "Unclear").length;
	if (!unclear) return send();
	frappe.confirm(
		__("It is not known whether {0} of these emails arrived. Has the supplier been asked? They are sent a second time.", [unclear]),
		send
	);
};

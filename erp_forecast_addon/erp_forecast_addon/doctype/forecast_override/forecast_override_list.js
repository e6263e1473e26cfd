frappe.listview_settings["Forecast Override"] = {
	get_indicator(doc) {
		const colour = { Draft: "orange", Approved: "green", Expired: "gray" }[doc.status];
		return [__(doc.status), colour, `status,=,${doc.status}`];
	},
};

frappe.listview_settings["Forecast Override"] = {
	hide_name_column: true,
	get_indicator(doc) {
		const colour = { Draft: "orange", Approved: "green", Expired: "gray" }[doc.status];
		return [__(doc.status), colour, `status,=,${doc.status}`];
	},
};

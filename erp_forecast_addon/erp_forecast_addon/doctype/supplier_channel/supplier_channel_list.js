frappe.listview_settings["Supplier Channel"] = {
	hide_name_column: true,
	get_indicator: (doc) => [
		__(doc.channel),
		{ Webhook: "blue", Email: "green" }[doc.channel] || "gray",
		`channel,=,${doc.channel}`,
	],
};

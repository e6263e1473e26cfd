frappe.query_reports["Request Evidence"] = {
	filters: [
		{
			fieldname: "company",
			label: __("Company"),
			fieldtype: "Link",
			options: "Company",
			default: frappe.defaults.get_user_default("Company"),
			reqd: 1,
		},
		{ fieldname: "status", label: __("Status"), fieldtype: "Select", options: "\nProposed\nApproved\nRejected\nWithdrawn\nCancelled", default: "Proposed" },
		{ fieldname: "request_type", label: __("Type"), fieldtype: "Select", options: "\nMaterial Transfer\nManufacture" },
		{ fieldname: "item_code", label: __("Item"), fieldtype: "Link", options: "Item" },
		{ fieldname: "warehouse", label: __("Warehouse"), fieldtype: "Link", options: "Warehouse" },
		{ fieldname: "name", label: __("Proposal"), fieldtype: "Link", options: "Auto Material Request" },
		{ fieldname: "only_different", label: __("Only Lines That Differ"), fieldtype: "Check" },
	],
	formatter(value, row, column, data, default_formatter) {
		if (data && column.fieldname === "request") {
			return frappe.utils.get_form_link("Auto Material Request", value, true, frappe.utils.escape_html(data.title || value));
		}
		const words = default_formatter(value, row, column, data);
		if (!data || column.fieldname !== "equal") return words;
		return `<span style="color: var(${data.equal === __("Yes") ? "--green-600" : "--red-600"})">${words}</span>`;
	},
};

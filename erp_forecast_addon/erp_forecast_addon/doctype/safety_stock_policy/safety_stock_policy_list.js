frappe.listview_settings["Safety Stock Policy"] = {
	add_fields: ["position_qty", "reorder_point_qty", "shortage_on"],
	hide_name_column: true,
	get_indicator(doc) {
		if (doc.position_qty < 0) return [__("Short"), "red", "position_qty,<,0"];
		if (doc.position_qty < doc.reorder_point_qty) return [__("Below Reorder Point"), "orange", ""];
		return [__("Covered"), "green", ""];
	},
};

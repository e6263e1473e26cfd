frappe.listview_settings["Driver Uplift"] = {
	hide_name_column: true,
};

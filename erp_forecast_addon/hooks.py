"""A routing table: what Frappe calls, and where it lives."""

app_name = "erp_forecast_addon"
app_title = "ERP Forecast Addon"
app_publisher = "ERP Forecast Addon contributors"
app_description = "Demand forecasts, safety stock and purchase proposals inside ERPNext"
app_email = "maintainers@erp-forecast-addon.example"
app_license = "gpl-3.0"
required_apps = ["erpnext"]

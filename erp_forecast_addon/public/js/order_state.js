// How the state of an Auto Purchase Order looks, everywhere the same.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.ORDER_COLOURS = {
	Proposed: "orange",
	Approved: "green",
	Rejected: "red",
	Withdrawn: "gray",
	Cancelled: "gray",
	Closed: "blue",
};

erp_forecast_addon.order_pill = (status) =>
	`<span class="indicator-pill ${erp_forecast_addon.ORDER_COLOURS[status] || "gray"}">${__(status)}</span>`;

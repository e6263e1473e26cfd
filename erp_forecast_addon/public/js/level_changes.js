// How Level Change Sets and their changes look, and what a reviewer does with changes: the same on forms and lists.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.SET_COLOURS = {
	Proposed: "orange",
	Approved: "blue",
	Applying: "blue",
	Applied: "green",
	"Partly Applied": "yellow",
	"Rolling Back": "blue",
	"Rolled Back": "gray",
	Rejected: "red",
	Superseded: "gray",
};

erp_forecast_addon.CHANGE_COLOURS = {
	Proposed: "orange",
	Excluded: "gray",
	Held: "yellow",
	Applied: "green",
	Left: "red",
	"Rolled Back": "gray",
	Kept: "red",
};

erp_forecast_addon.level_changes = (function () {
	const REVIEWERS = ["Forecast Planner", "Forecast Approver", "System Manager"];

	const may_review = () => REVIEWERS.some((role) => frappe.user.has_role(role));

	const review = (names, action, more = {}) =>
		frappe.call({
			method: "erp_forecast_addon.api.v1.change_sets.review",
			args: { names, action, ...more },
			freeze: true,
		});

	function exclude(names, then) {
		frappe.prompt(
			[
				{
					fieldname: "reason",
					fieldtype: "Small Text",
					label: __("Reason"),
					reqd: 1,
					description: __("Stands beside the change and holds for the next runs too, until it is included again."),
				},
			],
			({ reason }) => review(names, "exclude", { reason }).then(then),
			names.length === 1 ? __("Exclude this change") : __("Exclude {0} changes", [names.length]),
			__("Exclude")
		);
	}

	const include = (names, then) => review(names, "include").then(then);

	// line: a Level Change; its quantity is asked for only where it has one.
	function edit(line, then) {
		const with_qty = line.kind === "Reorder Level";
		const fields = [
			{
				fieldname: "level",
				fieldtype: "Float",
				label: with_qty ? __("New Level") : __("New Safety Stock"),
				reqd: 1,
				default: line.new_level,
				description: __("Proposed: {0}. Now: {1}.", [line.proposed_level, line.old_level]),
			},
			{
				fieldname: "qty",
				fieldtype: "Float",
				label: __("New Quantity"),
				default: line.new_qty,
				hidden: with_qty ? 0 : 1,
				description: __("Proposed: {0}. Now: {1}.", [line.proposed_qty, line.old_qty]),
			},
			{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1 },
		];
		const title = line.warehouse ? `${line.item_code} · ${line.warehouse}` : line.item_code;
		frappe.prompt(fields, (values) => review([line.name], "edit", values).then(then), title, __("Change"));
	}

	return { may_review, exclude, include, edit };
})();

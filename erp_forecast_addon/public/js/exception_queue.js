// What a planner does with exceptions, one or many at once: the same questions on the list and on the form.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.exception_queue = (function () {
	const UPDATE = "erp_forecast_addon.api.v1.exception.update";
	const ASSIGN = "erp_forecast_addon.api.v1.exception.assign";
	const DOCTYPE = "Planning Exception";
	const AT_WORK = ["Open", "In Progress"];
	const SEVERITY_COLOURS = { Critical: "red", High: "orange", Medium: "yellow", Low: "gray" };
	const SNOOZE_DAYS = 7;

	const may_write = () => frappe.model.can_write(DOCTYPE);
	const overdue = (doc) =>
		Boolean(doc.due_at) && AT_WORK.includes(doc.status) && doc.due_at < frappe.datetime.system_datetime();

	const call = (method, args) => frappe.call({ method, args, freeze: true }).then(({ message }) => message);
	const set_status = (names, status, fields) => call(UPDATE, { names, status, ...fields });

	function ask_until(names, done) {
		frappe.prompt(
			[
				{
					fieldname: "snoozed_until",
					fieldtype: "Date",
					label: __("Snooze Until"),
					reqd: 1,
					default: frappe.datetime.add_days(frappe.datetime.get_today(), SNOOZE_DAYS),
					description: __("A case that still holds is open again on the morning of that day."),
				},
				{ fieldname: "note", fieldtype: "Small Text", label: __("Note") },
			],
			(values) => set_status(names, "Snoozed", values).then(done),
			__("Snooze"),
			__("Snooze")
		);
	}

	function ask_note(names, status, title, done) {
		frappe.prompt(
			[{ fieldname: "note", fieldtype: "Small Text", label: __("Why"), description: __("Stands in the record.") }],
			(values) => set_status(names, status, values).then(done),
			title,
			title
		);
	}

	function ask_user(names, done) {
		frappe.prompt(
			[{ fieldname: "user", fieldtype: "Link", options: "User", label: __("Owner"), reqd: 1, default: frappe.session.user }],
			({ user }) => call(ASSIGN, { names, user }).then(done),
			__("Change Owner"),
			__("Give")
		);
	}

	// label, what it does with the names, and the states in which it makes sense.
	const ACTIONS = [
		[() => __("Work on It"), (names, done) => set_status(names, "In Progress").then(done), ["Open"]],
		[() => __("Change Owner"), ask_user, AT_WORK],
		[() => __("Snooze"), ask_until, AT_WORK],
		[() => __("Resolve"), (names, done) => ask_note(names, "Resolved", __("Resolve"), done), [...AT_WORK, "Snoozed"]],
		[() => __("Ignore"), (names, done) => ask_note(names, "Ignored", __("Ignore"), done), [...AT_WORK, "Snoozed"]],
		[() => __("Open Again"), (names, done) => set_status(names, "Open").then(done), ["Snoozed", "Resolved", "Ignored"]],
	];

	return { ACTIONS, AT_WORK, SEVERITY_COLOURS, DOCTYPE, may_write, overdue };
})();

// Deciding on a proposed order: what its form says about it, what rejecting asks, and the dialog that puts a line to rest.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.order_approval = (function () {
	// The reasons of planning/purchasing/rests.py, and what the next run does with each.
	const REASONS = {
		"Not Needed": () => __("Nothing is proposed for these items until the day."),
		"Wrong Quantity": () => __("Until the day no quantity within a fifth of this one is proposed; another one is."),
		"Wrong Supplier": () => __("Until the day this supplier is not asked for these items; another one is."),
		"Too Expensive": () => __("Until the day these items are proposed only at a lower price per unit."),
		Other: () => __("Nothing is proposed for these items until the day."),
	};

	const escape = (words) => frappe.utils.escape_html(words || "");

	function weekday_and_time(moment) {
		const at = moment_of(moment);
		return __("{0} {1}", [at.format("dddd D MMM"), at.format("HH:mm")]);
	}

	const moment_of = (text) => window.moment(text, "YYYY-MM-DD HH:mm:ss");

	function deadline(doc) {
		if (!doc.approve_by) return doc.order_by ? __("Order by {0}.", [frappe.datetime.str_to_user(doc.order_by)]) : "";
		const cost = format_currency(doc.waiting_cost, doc.company_currency, 0);
		return `<b>${__("Approve by {0} or lose {1} expected.", [weekday_and_time(doc.approve_by), cost])}</b>`;
	}

	function first_approval(doc) {
		if (!doc.first_approved_by) return "";
		const by = frappe.user.full_name(doc.first_approved_by);
		return __("{0} has given the first of two approvals.", [by]);
	}

	function who(frm) {
		const state = frm.decision_state;
		if (!state) return "";
		if (state.native_workflow) {
			return __("The workflow {0} of this site decides on the Purchase Order; approve it there.", [escape(state.native_workflow)]);
		}
		if (state.as_deputy_of) return __("You decide for {0}: approve or reject it under Actions.", [escape(state.as_deputy_of)]);
		if (state.may_decide) return __("Approve or reject it under Actions.");
		if (state.waits_for.length) return __("It waits for {0}.", [escape(state.waits_for.join(", "))]);
		return __("Nobody may approve this amount: raise a limit in Forecast Settings.");
	}

	function sentence(frm) {
		const { doc } = frm;
		const edited = doc.edited_by_person ? __("A person has edited the draft; the planner leaves it as it is.") : "";
		const why = doc.approval_reason && doc.approval_level !== "One Approver" ? escape(doc.approval_reason) : "";
		return [deadline(doc), why, first_approval(doc), who(frm), edited].filter(Boolean).join(" ");
	}

	function approved_sentence(doc, by) {
		if (doc.approval_level === "Automatic") return __("It approved itself. {0}", [escape(doc.approval_reason)]);
		const behalf = doc.decided_for ? ` ${__("for {0}", [frappe.user.full_name(doc.decided_for)])}` : "";
		const first = doc.first_approved_by ? ` ${__("after {0}", [frappe.user.full_name(doc.first_approved_by)])}` : "";
		return __("Approved by {0}.", [`${by}${behalf}${first}`]);
	}

	// What the dialog that rejects asks besides the reason in words.
	const reason_fields = () => [
		{
			fieldname: "reason_class",
			fieldtype: "Select",
			label: __("Rejected Because"),
			options: Object.keys(REASONS).map((value) => ({ value, label: __(value) })),
			default: "Not Needed",
			reqd: 1,
			description: REASONS["Not Needed"](),
			onchange() {
				this.set_description(REASONS[this.get_value()]?.() || "");
			},
		},
	];

	// Our workflow offers its actions to approvers itself; a deputy decides without it, and so does everybody where it
	// is switched off.
	function may_decide(frm) {
		const state = frm.decision_state || {};
		const offered = (frm.meta.__workflow_docs || []).length && frappe.user.has_role(erp_forecast_addon.APPROVER);
		return state.may_decide && !state.native_workflow && !offered;
	}

	function ask_for_snooze(doc, then) {
		const lines = (doc.items || []).map((line) => ({ value: line.name, label: `${line.item_code} · ${line.warehouse}` }));
		const dialog = new frappe.ui.Dialog({
			title: __("Put a Line to Rest"),
			fields: [
				{ fieldname: "line", fieldtype: "Select", label: __("Line"), options: lines, default: lines[0]?.value, reqd: 1 },
				{
					fieldname: "everywhere",
					fieldtype: "Check",
					label: __("The item in every warehouse of {0}", [doc.company]),
				},
				{
					fieldname: "until",
					fieldtype: "Date",
					label: __("Until"),
					reqd: 1,
					default: frappe.datetime.add_days(frappe.datetime.get_today(), 7),
					description: __("The last day on which nothing is proposed. It ends by itself."),
				},
				{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason") },
			],
			primary_action_label: __("Put to Rest"),
			primary_action({ line, everywhere, until, reason }) {
				const row = doc.items.find((each) => each.name === line);
				dialog.hide();
				frappe.db
					.insert({
						doctype: "Planning Snooze",
						company: doc.company,
						item_code: row.item_code,
						warehouse: everywhere ? null : row.warehouse,
						until,
						reason,
					})
					.then(() => {
						const text = __("{0} is put to rest until {1}.", [row.item_code, frappe.datetime.str_to_user(until)]);
						frappe.show_alert({ message: text, indicator: "blue" });
						then();
					});
			},
		});
		dialog.show();
		return dialog;
	}

	return { sentence, approved_sentence, reason_fields, may_decide, ask_for_snooze };
})();

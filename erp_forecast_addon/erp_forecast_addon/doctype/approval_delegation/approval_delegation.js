(function () {
	const day = (text) => frappe.datetime.str_to_user(text);
	const approver = (doc) => doc.from_name || doc.from_user;
	const deputy = (doc) => doc.to_name || doc.to_user;

	// Colour and words of the state on this day.
	function state({ from_date, to_date }) {
		const today = frappe.datetime.get_today();
		if (to_date < today) return ["gray", __("Ended")];
		return from_date > today ? ["blue", __("Begins Later")] : ["green", __("In Force")];
	}

	function sentence({ doc }) {
		const values = [deputy(doc), approver(doc), day(doc.from_date), day(doc.to_date)];
		const whose = doc.approval_limit
			? __("{0} decides for {1} from {2} until {3}, up to {4}.", [...values, format_currency(doc.approval_limit, doc.currency)])
			: __("{0} decides for {1} from {2} until {3}, up to his limit.", values);
		return frappe.utils.escape_html(whose);
	}

	frappe.ui.form.on("Approval Delegation", {
		setup(frm) {
			const people = () => ({ filters: { enabled: 1, user_type: "System User" } });
			frm.set_query("from_user", people);
			frm.set_query("to_user", people);
		},
		refresh(frm) {
			// Nobody lends somebody else's right; a System Manager puts in order what people forgot.
			frm.set_df_property("from_user", "read_only", frappe.user.has_role("System Manager") ? 0 : 1);
			frm.set_intro("");
			if (frm.is_new()) return;
			const [colour, words] = state(frm.doc);
			frm.set_intro(sentence(frm), colour);
			frm.page.set_indicator(words, colour);
			frm.page.set_title(`${approver(frm.doc)} → ${deputy(frm.doc)}`);
		},
	});
})();

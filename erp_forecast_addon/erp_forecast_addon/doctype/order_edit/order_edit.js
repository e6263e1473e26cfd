(function () {
	const COLOURS = { Standing: "blue", Priced: "green" };
	const STATES = {
		Standing: () => __("It is priced once its goods have come, and are sold or not."),
		Superseded: () => __("It was changed again later."),
		Void: () => __("The order was never placed, so it neither saved nor cost anything."),
		"Counted With Another": () => __("Its value is part of that of another change of the same line."),
		Priced: ({ value, currency }) =>
			value < 0 ? __("It cost {0}.", [format_currency(-value, currency)]) : __("It saved {0}.", [format_currency(value, currency)]),
	};

	function what(doc) {
		const by = frappe.user.full_name(doc.changed_by);
		const day = (text) => (text ? frappe.datetime.str_to_user(text) : "–");
		const [before, after] = doc.kind === "Date" ? [day(doc.from_on), day(doc.to_on)] : [doc.from_text || "–", doc.to_text || "–"];
		return __("{0} changed it from {1} to {2} on {3}.", [by, before, after, frappe.datetime.str_to_user(doc.changed_at, false, true)]);
	}

	frappe.ui.form.on("Order Edit", {
		refresh(frm) {
			const { doc } = frm;
			if (frm.is_new()) return;
			const colour = COLOURS[doc.status] || "gray";
			const words = { Removed: __("The line was taken out."), Added: __("The line was added.") }[doc.kind] || what(doc);
			frm.set_intro("");
			frm.set_intro(`${frappe.utils.escape_html(words)} ${STATES[doc.status](doc)}`, colour);
			frm.page.set_indicator(__(doc.status), colour);
			frm.page.set_title(`${doc.item_code} · ${__(doc.kind)}`);
		},
	});
})();

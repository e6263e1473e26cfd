{% include "erp_forecast_addon/public/js/level_changes.js" %}

frappe.listview_settings["Level Change"] = {
	add_fields: [
		"status", "currency", "kind", "review", "change_set", "warehouse", "is_new_row", "old_level", "old_qty", "new_qty",
	],
	hide_name_column: true,
	get_indicator(doc) {
		const words = doc.review === "Edited" ? `${__(doc.status)} · ${__("Edited")}` : __(doc.status);
		return [words, erp_forecast_addon.CHANGE_COLOURS[doc.status] || "gray", `status,=,${doc.status}`];
	},
	formatters: {
		// A narrow window has room for few columns: where, and from what to what, stand together.
		item_code: (value, df, doc) =>
			`${value} · ${doc.kind === "Safety Stock" ? __("safety stock of the Item") : doc.warehouse || ""}`,
		new_level(value, df, doc) {
			const number = (qty) => format_number(qty, null, Number.isInteger(qty) ? 0 : 2);
			const words = (level, qty) => (doc.kind === "Safety Stock" ? number(level) : `${number(level)} / ${number(qty)}`);
			const before = doc.is_new_row ? __("no row") : words(doc.old_level, doc.old_qty);
			return `<span class="text-muted">${before} →</span> <b>${words(value, doc.new_qty)}</b>`;
		},
	},
	onload(listview) {
		const { level_changes } = erp_forecast_addon;
		if (!level_changes.may_review()) return;
		const done = () => {
			listview.clear_checked_items();
			listview.refresh();
		};
		const act = (label, action) =>
			listview.page.add_actions_menu_item(label, () => action(listview.get_checked_items(true), done), false);
		act(__("Exclude"), level_changes.exclude);
		act(__("Include"), level_changes.include);
	},
};

{% include "erp_forecast_addon/public/js/forecast_styles.js" %}
{% include "erp_forecast_addon/public/js/svg_chart.js" %}

(function () {
	const SIGNALS = ["Weather", "External Signal"];

	const escape = (words) => erp_forecast_addon.svg.escape(words);
	const percent = (value) => `${value > 0 ? "+" : ""}${format_number(value, null, 1)}%`;

	// One line per group: how many times it was seen and a bar to the left or right of zero.
	function uplift_row(row, largest) {
		const width = Math.round((50 * Math.abs(row.uplift_pct)) / largest);
		const side = row.uplift_pct < 0 ? `right:50%` : `left:50%`;
		const colour = row.uplift_pct < 0 ? "var(--red-500)" : "var(--blue-500)";
		return `<tr><td>${escape(row.group_name)}</td>
			<td style="width:40%"><div style="position:relative;height:14px;border-radius:3px;background:var(--control-bg)">
				<div style="position:absolute;top:0;height:14px;${side};width:${width}%;background:${colour};border-radius:3px"></div></div></td>
			<td class="ef-right">${percent(row.uplift_pct)}</td>
			<td class="ef-right">${__("{0} times", [row.occurrences])}</td></tr>`;
	}

	function show_uplift(frm) {
		const box = frm.fields_dict.uplift_html.$wrapper;
		const rows = frm.doc.uplifts || [];
		erp_forecast_addon.add_styles();
		if (!rows.length) {
			box.html(
				`<div class="ef"><p class="ef-muted">${__("Nothing learned yet: the next run shows what this event did to demand, once it lies in the history of an item in its scope.")}</p></div>`
			);
			return;
		}
		const largest = Math.max(1, ...rows.map((row) => Math.abs(row.uplift_pct)));
		const what = SIGNALS.includes(frm.doc.event_type) ? __("Demand, per unit of the value") : __("Demand on a day with the event");
		box.html(`<div class="ef"><p class="ef-muted">${__("Learned from the demand of whole groups, as of {0}. Groups with little data lean on the group above them.", [
			frappe.datetime.str_to_user(rows[0].as_of),
		])}</p><div class="ef-scroll"><table class="ef-table"><thead><tr><th>${__("Items")}</th><th>${what}</th>
			<th class="ef-right">${__("Uplift")}</th><th class="ef-right">${__("Seen")}</th></tr></thead>
			<tbody>${rows.map((row) => uplift_row(row, largest)).join("")}</tbody></table></div></div>`);
	}

	frappe.ui.form.on("Demand Event", {
		setup(frm) {
			frm.set_query("item_code", () => ({ filters: { is_stock_item: 1 } }));
			frm.set_query("warehouse", () => (frm.doc.company ? { filters: { company: frm.doc.company } } : {}));
		},
		refresh(frm) {
			const by_date = (frm.doc.series || []).length > 0;
			["from_date", "to_date"].forEach((field) => frm.set_df_property(field, "read_only", by_date ? 1 : 0));
			frm.set_df_property("uplifts", "hidden", 1);
			show_uplift(frm);
			frm.set_intro(
				frm.doc.enabled ? "" : __("This event is not used."),
				"orange"
			);
		},
	});
})();

// Forecast Overrides on the Item form: the dialog that makes one, the list below the chart, the mark in the chart.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.overrides = (function () {
	const KINDS = ["Percent", "Quantity", "Replace per Day"];
	const COLOURS = { Draft: "orange", Approved: "green", Expired: "gray" };

	const escape = (words) => erp_forecast_addon.svg.escape(words);
	const user_date = (date) => frappe.datetime.str_to_user(date);

	// Those of one warehouse of the view, and those of its company as a whole.
	function of_pair(view, pair) {
		return (view.overrides || []).filter(
			(row) => row.company === pair.company && (!row.warehouse || row.warehouse === pair.warehouse)
		);
	}

	function change_words(row, uom) {
		const value = format_number(row.value, null, Number.isInteger(row.value) ? 0 : 2);
		const units = escape(uom || "");
		if (row.kind === "Percent") return row.value > 0 ? `+${value}%` : `${value}%`;
		if (row.kind === "Quantity") return __("{0} {1} in all", [value, units]);
		return __("{0} {1} a day", [value, units]);
	}

	function effect_words(row) {
		if (row.value_added) {
			const points = format_number(Math.abs(row.value_added), null, 1);
			return row.value_added > 0
				? __("better by {0} points of WAPE", [points])
				: __("worse by {0} points of WAPE", [points]);
		}
		if (!row.forecast_before && !row.forecast_after) return "";
		const [before, after] = [row.forecast_before, row.forecast_after].map((qty) => format_number(qty, null, 1));
		return __("{0} → {1}", [before, after]);
	}

	function section(view, pair) {
		const rows = of_pair(view, pair);
		if (!rows.length) return "";
		const written = rows
			.map(
				(row) => `<tr>
					<td><a href="${frappe.utils.get_form_link("Forecast Override", row.name)}">${user_date(row.from_date)} – ${user_date(row.to_date)}</a>
						${row.warehouse ? "" : `<span class="ef-muted">${__("all warehouses")}</span>`}</td>
					<td class="ef-right">${change_words(row, pair.stock_uom)}</td>
					<td><span class="indicator-pill ${COLOURS[row.status] || "gray"}">${__(row.status)}</span></td>
					<td>${escape(row.reason || "")}</td>
					<td>${effect_words(row)}</td></tr>`
			)
			.join("");
		return `<h5>${__("Overrides")}</h5><div class="ef-scroll"><table class="ef-table ef-overrides"><thead><tr>
			<th>${__("Dates")}</th><th class="ef-right">${__("Change")}</th><th>${__("Status")}</th>
			<th>${__("Reason")}</th><th>${__("Effect")}</th></tr></thead><tbody>${written}</tbody></table></div>`;
	}

	// A bar above the periods that an approved override changes.
	function marks(on, shown, rows) {
		const { day_of } = erp_forecast_addon.periods;
		return (rows || [])
			.filter((row) => row.status === "Approved")
			.map((row) => {
				const [from, to] = [day_of(row.from_date), day_of(row.to_date)];
				const inside = shown.map((period, slot) => [period, slot]).filter(([period]) => period.end > from && period.start <= to);
				if (!inside.length) return "";
				// A week or month that it covers in part is marked in part.
				const place = (day, [period, slot]) => slot + Math.min(1, Math.max(0, (day - period.start) / (period.end - period.start)));
				const left = on.x(place(from, inside[0]));
				const right = on.x(place(to + 1, inside[inside.length - 1]));
				return erp_forecast_addon.svg.element("rect", { class: "ef-override", x: left, y: on.top, width: Math.max(1, right - left), height: 5 });
			})
			.join("");
	}

	// Asks for an override of one pair of the item and calls done() once it stands.
	function ask(item_code, pair, done) {
		const tomorrow = frappe.datetime.add_days(frappe.datetime.get_today(), 1);
		const hints = {
			Percent: __("Raises (20) or lowers (-20) the forecast of every day."),
			Quantity: __("The total of the whole span, spread over its days like the forecast."),
			"Replace per Day": __("This much every day, whatever the forecast says."),
		};
		const dialog = new frappe.ui.Dialog({
			title: __("Override the Forecast of {0}", [item_code]),
			fields: [
				{
					fieldname: "scope",
					fieldtype: "Select",
					label: __("For"),
					options: [
						{ value: "one", label: pair.warehouse },
						{ value: "all", label: __("All warehouses of {0} together", [pair.company]) },
					],
					default: "one",
					reqd: 1,
				},
				{ fieldname: "kind", fieldtype: "Select", label: __("Kind"), options: KINDS.map((kind) => ({ value: kind, label: __(kind) })), default: KINDS[0], reqd: 1, description: hints[KINDS[0]] },
				{ fieldname: "column_break", fieldtype: "Column Break" },
				{ fieldname: "from_date", fieldtype: "Date", label: __("From"), default: tomorrow, reqd: 1 },
				{ fieldname: "to_date", fieldtype: "Date", label: __("To"), default: frappe.datetime.add_days(tomorrow, 6), reqd: 1 },
				{ fieldname: "section_break", fieldtype: "Section Break" },
				{ fieldname: "value", fieldtype: "Float", label: __("Value"), reqd: 1 },
				{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1, description: __("What you know that the data does not.") },
			],
			primary_action_label: __("Save"),
			async primary_action(values) {
				const { scope, ...given } = values;
				const { message: made } = await frappe.call({
					method: "erp_forecast_addon.api.v1.override.create",
					args: { ...given, item_code, company: pair.company, warehouse: scope === "one" ? pair.warehouse : null },
					freeze: true,
				});
				dialog.hide();
				const approved = made.status === "Approved";
				frappe.show_alert({
					message: approved
						? __("Approved: it counts from the next forecast on.")
						: __("Saved as a draft: it counts once it is approved."),
					indicator: approved ? "green" : "orange",
				});
				done();
			},
		});
		dialog.fields_dict.kind.$input?.on("change", () => dialog.set_df_property("kind", "description", hints[dialog.get_value("kind")]));
		dialog.show();
		return dialog;
	}

	return { of_pair, section, marks, ask };
})();

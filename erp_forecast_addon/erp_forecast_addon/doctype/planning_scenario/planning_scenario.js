{% include "erp_forecast_addon/public/js/planner.js" %}
{% include "erp_forecast_addon/public/js/job_progress.js" %}

(function () {
	const progress = erp_forecast_addon.job_progress();
	const BASE_COLOUR = "#7c8793";
	const SCENARIO_COLOUR = "#0289f7";

	const escape = (text) => frappe.utils.escape_html(text === null || text === undefined ? "" : String(text));

	const money = (frm) => (value) => format_currency(value, frm.doc.currency, 0);
	const percent = (value) => `${format_number(value, null, 1)}%`;
	const quantity = (value) => format_number(value, null, 0);
	const day = (value) => (value ? frappe.datetime.str_to_user(value) : "–");
	const shown = (value, as_text) => (value === null || value === undefined ? "–" : as_text(value));

	function table(heads, rows, left) {
		const cell = (tag, value, at) => `<${tag} class="${at < left ? "" : "text-right"}">${value}</${tag}>`;
		const line = (tag, values) => `<tr>${values.map((value, at) => cell(tag, value, at)).join("")}</tr>`;
		return `<div class="table-responsive"><table class="table table-bordered small">
			<thead>${line("th", heads.map(escape))}</thead>
			<tbody>${rows.map((row) => line("td", row)).join("")}</tbody></table></div>`;
	}

	function figures(frm, totals) {
		const rows = [
			[__("Ordered"), "ordered_value", money(frm)],
			[__("Average Stock"), "stock_value", money(frm)],
			[__("Safety Stock"), "safety_stock_value", money(frm)],
			[__("Fill Rate"), "fill_rate_pct", percent],
			[__("Lost Sales"), "shortage_value", money(frm)],
			[__("Sales"), "sales_value", money(frm)],
			[__("Margin"), "margin_value", money(frm)],
			[__("Ordered Now"), "proposed_value", money(frm)],
			[__("Order Lines"), "order_lines", quantity],
			[__("Orders"), "orders", quantity],
		].map(([label, name, as_text]) => {
			// Results of an earlier version lack what was not worked out then.
			const [base, scenario] = totals[name] || [null, null];
			const known = base !== null && scenario !== null;
			const more = known && scenario - base > 0 ? "+" : "";
			return [
				escape(label),
				shown(base, as_text),
				shown(scenario, as_text),
				known ? `${more}${as_text(scenario - base)}` : "",
			];
		});
		return table(["", __("Base Plan"), __("Scenario"), __("Difference")], rows, 1);
	}

	function items(frm, results) {
		if (!results.pairs.length) return `<p class="text-muted">${__("All items are as in the base plan.")}</p>`;
		// Only where selling prices change is there an elasticity.
		const priced = results.pairs.some((row) => Number.isFinite(row.elasticity));
		const rows = results.pairs.map((row) => [
			`<a href="/app/item/${encodeURIComponent(row.item_code)}">${escape(row.item_code)}</a>`,
			escape(row.warehouse),
			escape(row.scenario_supplier || row.base_supplier),
			shown(row.base_ordered_value, money(frm)),
			shown(row.scenario_ordered_value, money(frm)),
			shown(row.base_fill_rate_pct, percent),
			shown(row.scenario_fill_rate_pct, percent),
			shown(row.base_shortage_value, money(frm)),
			shown(row.scenario_shortage_value, money(frm)),
			day(row.base_shortage_on),
			day(row.scenario_shortage_on),
			...(priced
				? [
						shown(row.elasticity, (value) => format_number(value, null, 2)),
						shown(row.base_margin_value, money(frm)),
						shown(row.scenario_margin_value, money(frm)),
				  ]
				: []),
		]);
		const both = (label) => [__("{0}, Base Plan", [label]), __("{0}, Scenario", [label])];
		const heads = [
			__("Item"), __("Warehouse"), __("Supplier"), ...both(__("Ordered")), ...both(__("Fill Rate")),
			...both(__("Lost Sales")), ...both(__("Runs Out")),
			...(priced ? [__("Elasticity"), ...both(__("Margin"))] : []),
		]; // prettier-ignore
		const left_out = results.left_out
			? `<p class="text-muted small">${__("{0} more items are less affected.", [results.left_out])}</p>`
			: "";
		return table(heads, rows, 3) + left_out;
	}

	function alternatives(frm, rows) {
		if (!rows.length) return `<p class="text-muted">${__("Nothing runs shorter than in the base plan.")}</p>`;
		return table(
			[
				__("Item"), __("Warehouse"), __("What"), __("Lost Sales"), __("Lost Sales Avoided"), __("Fill Rate"),
				__("Goods"), __("Ordered in All"),
			], // prettier-ignore
			rows.map((row) => [
				escape(row.item_code),
				escape(row.warehouse),
				`<b>${escape(__(row.kind))}</b>: ${escape(row.sentence)}`,
				shown(row.shortage_value, money(frm)),
				shown(row.saved_value, money(frm)),
				shown(row.fill_rate_gain_pct, (value) => signed(value, percent)),
				shown(row.order_value, money(frm)),
				shown(row.cash_value, (value) => signed(value, money(frm))),
			]),
			3
		);
	}

	const signed = (value, as_text) => `${value > 0 ? "+" : ""}${as_text(value)}`;

	function assumptions(sentences) {
		if (!(sentences || []).length) return "";
		const lines = sentences.map((sentence) => `<li>${escape(sentence)}</li>`).join("");
		return `<h5>${__("What Is Assumed")}</h5><ul class="scenario-assumptions small">${lines}</ul>`;
	}

	function show_overview(frm) {
		const wrapper = frm.get_field("overview_html").$wrapper.empty();
		if (frm.doc.status !== "Done" || !frm.doc.results_json) return;
		const results = JSON.parse(frm.doc.results_json);
		wrapper.html(`<div class="scenario-figures">${figures(frm, results.totals)}</div>
			<p class="text-muted small">${__(
				"{0} items in warehouses over {1} days. Both plans meet the same possible courses of demand; lost sales at selling prices, stock at today's valuation. Nothing was written to the ERP.",
				[frm.doc.pairs, frm.doc.horizon_days]
			)}</p>
			${assumptions(results.assumptions)}
			<div class="scenario-chart"></div>
			<h5>${__("What Could Be Done")}</h5><p class="text-muted small">${__(
				"Each by itself, over these days: what it costs and what it brings. Ordered in all includes later orders that it spares; a transfer's figures include the warehouse that gives."
			)}</p><div class="scenario-alternatives">${alternatives(frm, results.alternatives)}</div>
			<h5>${__("Most Affected Items")}</h5><div class="scenario-items">${items(frm, results)}</div>`);
		new frappe.Chart(wrapper.find(".scenario-chart")[0], {
			title: __("Ordered by Month"),
			type: "bar",
			height: 240,
			colors: [BASE_COLOUR, SCENARIO_COLOUR],
			data: {
				labels: results.months.map((row) => row.month),
				datasets: [
					{ name: __("Base Plan"), values: results.months.map((row) => row.base_ordered_value) },
					{ name: __("Scenario"), values: results.months.map((row) => row.scenario_ordered_value) },
				],
			},
			axisOptions: { shortenYAxisNumbers: 1 },
			tooltipOptions: { formatTooltipY: money(frm) },
		});
	}

	async function work_out(frm) {
		if (frm.is_dirty()) await frm.save();
		await frappe.call({
			method: "erp_forecast_addon.api.v1.scenario.run_scenario",
			args: { name: frm.doc.name },
			freeze: true,
		});
		frm.reload_doc();
	}

	frappe.ui.form.on("Planning Scenario", {
		setup(frm) {
			progress.setup(frm);
			frm.set_query("warehouse", () => ({ filters: { company: frm.doc.company } }));
		},
		onload(frm) {
			if (frm.is_new() && !frm.doc.company) frm.set_value("company", frappe.defaults.get_user_default("Company"));
		},
		refresh(frm) {
			show_overview(frm);
			if (frm.is_new()) return;
			progress.refresh(frm);
			if (!erp_forecast_addon.may_plan()) return;
			// A job whose worker was killed leaves the record as it is; one that lives refuses to be started twice.
			if (progress.is_moving(frm.doc)) frm.add_custom_button(__("Start Again"), () => work_out(frm));
			else frm.add_custom_button(__("Work Out"), () => work_out(frm)).addClass("btn-primary");
		},
	});
})();

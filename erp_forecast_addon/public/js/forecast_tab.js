// The Forecast tab of the Item form: chart, numbers, open proposals and exceptions of one item.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.ForecastTab = class ForecastTab {
	// box: jQuery element to fill; frm: the Item form.
	constructor(box, frm) {
		this.box = box;
		this.frm = frm;
		this.pair_at = 0;
		this.due_now = [];
		erp_forecast_addon.add_styles();
	}

	async load() {
		this.item_code = this.frm.doc.name;
		this.box.html(`<div class="ef"><div class="ef-empty">${__("Reading the forecast …")}</div></div>`);
		const view = await frappe.xcall("erp_forecast_addon.api.v1.item.view", { item_code: this.item_code });
		if (this.frm.doc.name !== this.item_code) return; // the form has moved on to another item
		this.show(view);
	}

	show(view) {
		this.view = view;
		this.pair_at = Math.min(this.pair_at, Math.max(0, view.pairs.length - 1));
		if (!view.pairs.length) return this.show_empty();
		const { units_for, first_unit } = erp_forecast_addon.periods;
		if (!units_for(this.pair).includes(this.unit)) this.unit = first_unit(this.pair);
		this.due_now = [];
		this.render();
		this.look();
	}

	// What the stock of this moment asks for; the form does not wait for it.
	async look() {
		const item_code = this.item_code;
		const due = await frappe.xcall("erp_forecast_addon.api.v1.item.due_now", { item_code });
		if (this.frm.doc.name !== item_code || !due.length) return;
		this.due_now = due;
		this.render();
	}

	get pair() {
		return this.view.pairs[this.pair_at];
	}

	show_empty() {
		const sentence = this.view.restricted
			? __("This item is forecast only for warehouses that you may not see.")
			: __("No forecast yet. This item has no demand in the stock ledger, or no run has planned it so far.");
		this.box.html(`<div class="ef"><div class="ef-empty"><p>${sentence}</p>${this.now_button()}</div></div>`);
		this.listen();
	}

	render() {
		const pair = this.pair;
		this.box.html(
			`<div class="ef">
				${this.bar_row()}
				${this.headline(pair)}
				<div class="ef-chart-box"></div>
				${this.numbers(pair)}
				${erp_forecast_addon.explanation.section(pair)}
				${this.model_section(pair)}
				${erp_forecast_addon.overrides.section(this.view, pair)}
				${this.proposals_section(pair)}
				${this.exceptions_section(pair)}
			</div>`
		);
		this.draw_chart();
		erp_forecast_addon.explanation.show(this.box, pair);
		this.listen();
	}

	bar_row() {
		const { escape } = erp_forecast_addon.svg;
		const options = this.view.pairs
			.map((pair, at) => `<option value="${at}" ${at === this.pair_at ? "selected" : ""}>${escape(pair.warehouse)}</option>`)
			.join("");
		const warehouse =
			this.view.pairs.length > 1
				? `<select class="form-control input-xs ef-warehouse" aria-label="${__("Warehouse")}">${options}</select>`
				: `<b>${escape(this.pair.warehouse)}</b>`;
		const names = { day: __("Day"), week: __("Week"), month: __("Month") };
		const units = erp_forecast_addon.periods
			.units_for(this.pair)
			.map((unit) => {
				const chosen = unit === this.unit ? "btn-primary" : "btn-default";
				return `<button type="button" class="btn btn-xs ${chosen} ef-unit" data-unit="${unit}">${names[unit]}</button>`;
			})
			.join("");
		return `<div class="ef-bar-row">${warehouse}<div class="btn-group">${units}</div>
			<span class="ef-space"></span>${this.override_button()}${this.now_button()}</div>`;
	}

	override_button() {
		if (!this.view.may_override || !this.pair.forecast) return "";
		return `<button type="button" class="btn btn-xs btn-default ef-override-now">${__("Override …")}</button>`;
	}

	now_button() {
		if (!this.view.may_forecast) return "";
		return `<button type="button" class="btn btn-xs btn-default ef-forecast-now">${__("Forecast this item now")}</button>`;
	}

	headline(pair) {
		if (!pair.forecast) {
			return `<p class="ef-muted">${__("No forecast yet for this warehouse; the bars are its demand so far.")}</p>`;
		}
		const { forecast } = pair;
		const totals = [
			[__("next 7 days"), forecast.next_7_days_qty],
			[__("next 30 days"), forecast.next_30_days_qty],
			[__("next 90 days"), forecast.next_90_days_qty],
		]
			.filter(([, qty]) => qty !== null)
			.map(([words, qty]) => `${words} <b>${this.qty(qty, pair)}</b>`)
			.join(" · ");
		const seen = __("Data up to {0}.", [frappe.datetime.str_to_user(forecast.as_of)]);
		return `<p>${__("Expected demand")}: ${totals}. <span class="ef-muted">${seen}</span></p>`;
	}

	draw_chart() {
		const box = this.box.find(".ef-chart-box");
		if (!this.pair.history && !this.pair.forecast) {
			box.html(`<div class="ef-empty">${__("Nothing has been sold or issued from this warehouse yet.")}</div>`);
			return;
		}
		box.html('<div class="ef-chart"></div>');
		const overrides = erp_forecast_addon.overrides.of_pair(this.view, this.pair);
		erp_forecast_addon.forecast_chart.draw(box.find(".ef-chart").get(0), this.pair, this.unit, overrides);
	}

	numbers(pair) {
		if (!pair.policy) {
			return pair.forecast ? `<p class="ef-muted">${__("No safety stock policy yet for this warehouse.")}</p>` : "";
		}
		const policy = pair.policy;
		const below = policy.position_qty < policy.reorder_point_qty;
		const spread = policy.lead_time_std_days
			? __("± {0} days, from {1}", [this.number(policy.lead_time_std_days), __(policy.lead_time_source)])
			: __("from {0}", [__(policy.lead_time_source)]);
		const cover =
			policy.days_of_cover === null
				? [__("Days of Cover"), "–", __("no demand expected")]
				: [__("Days of Cover"), this.number(policy.days_of_cover, 0), this.shortage_note(policy)];
		const cards = [
			[__("On Hand"), this.qty(policy.on_hand_qty, pair), "", policy.on_hand_qty < 0],
			[__("Net Position"), this.qty(policy.position_qty, pair), below ? __("below the reorder point") : __("with open supply and firm demand"), below],
			[__("Safety Stock"), this.qty(policy.safety_stock_qty, pair), this.money(policy.safety_stock_value, pair)],
			[__("Reorder Point"), this.qty(policy.reorder_point_qty, pair), ""],
			[__("Order-up-to Level"), this.qty(policy.order_up_to_qty, pair), ""],
			[__("Lead Time"), __("{0} days", [this.number(policy.lead_time_days)]), spread],
			[...cover, Boolean(policy.shortage_on)],
			[__("Service Level"), policy.service_level_pct ? `${this.number(policy.service_level_pct)}%` : "–", __("{0}, class {1}", [__(policy.method), policy.abc_class])],
			[__("Expected Fill Rate"), policy.expected_fill_rate_pct === null ? "–" : `${this.number(policy.expected_fill_rate_pct, 1)}%`, policy.clamp ? __("stopped by: {0}", [__(policy.clamp)]) : ""],
		];
		return `<h5>${__("Stock Policy")}</h5><div class="ef-numbers">${cards.map((card) => this.card(...card)).join("")}</div>
			<p class="ef-muted">${this.escape(policy.explanation || "")}</p>`;
	}

	shortage_note(policy) {
		return policy.shortage_on ? __("runs out on {0}", [frappe.datetime.str_to_user(policy.shortage_on)]) : "";
	}

	card(label, value, note, bad) {
		return `<div class="ef-number ${bad ? "ef-bad" : ""}"><div class="ef-label">${label}</div>
			<div class="ef-value">${value}</div><div class="ef-note">${note || "&nbsp;"}</div></div>`;
	}

	model_section(pair) {
		if (!pair.forecast) return "";
		const { forecast } = pair;
		const accuracy = [
			[__("WAPE"), forecast.wape_pct, "%"],
			[__("Bias"), forecast.bias_pct, "%"],
			[__("MASE"), forecast.mase, ""],
		]
			.filter(([, value]) => value !== null)
			.map(([label, value, unit]) => `${label} <b>${this.number(value)}${unit}</b>`);
		const measured = accuracy.length
			? __("In the backtest: {0}.", [accuracy.join(" · ")])
			: __("Too little history for a backtest, so no accuracy is known.");
		return `<h5>${__("Model")}: ${this.escape(__(forecast.model))}
			<span class="ef-muted">· ${this.escape(__(forecast.demand_class))}</span></h5>
			<p>${this.escape(forecast.reason || "")} <span class="ef-muted">${measured}</span></p>`;
	}

	proposals_section(pair) {
		const rows = this.view.proposals.filter((row) => row.warehouse === pair.warehouse);
		if (!this.view.shows_proposals) return "";
		if (!rows.length) {
			const due = this.due_now.filter((row) => row.warehouse === pair.warehouse);
			if (due.length) return `<h5>${__("To Be Ordered Now")}</h5>${due.map((row) => this.due_line(row)).join("")}`;
			return `<h5>${__("Open Proposals")}</h5><p class="ef-muted">${__("Nothing is proposed to be bought for this warehouse.")}</p>`;
		}
		const written = rows
			.map((row) => {
				const order = row.purchase_order ? this.link("Purchase Order", row.purchase_order) : "–";
				return `<tr>
					<td>${this.link("Auto Purchase Order", row.name, row.supplier_name || row.supplier)}</td>
					<td>${erp_forecast_addon.order_pill(row.status)}</td>
					<td class="ef-right">${this.number(row.qty)} ${this.escape(row.uom || "")}</td>
					<td class="ef-right">${format_currency(row.amount, row.currency)}</td>
					<td>${frappe.datetime.str_to_user(row.order_by) || ""}</td>
					<td>${frappe.datetime.str_to_user(row.schedule_date) || ""}</td>
					<td>${order}</td></tr>
					<tr><td colspan="7" class="ef-muted">${this.escape(row.reason || "")}</td></tr>`;
			})
			.join("");
		return `<h5>${__("Open Proposals")}</h5><div class="ef-scroll"><table class="ef-table"><thead><tr>
			<th>${__("Supplier")}</th><th>${__("Status")}</th><th class="ef-right">${__("Quantity")}</th>
			<th class="ef-right">${__("Amount")}</th><th>${__("Order By")}</th><th>${__("Required By")}</th>
			<th>${__("Purchase Order")}</th></tr></thead><tbody>${written}</tbody></table></div>`;
	}

	due_line(row) {
		return `<p>${__("By the stock of this moment {0} {1} are to be ordered from {2} until {3}, needed on {4}, worth {5}. The next run drafts them.", [
			`<b>${this.number(row.qty)}</b>`,
			this.escape(row.uom),
			this.link("Supplier", row.supplier),
			frappe.datetime.str_to_user(row.order_by),
			frappe.datetime.str_to_user(row.need_on),
			format_currency(row.base_amount, row.company_currency),
		])}</p>`;
	}

	exceptions_section(pair) {
		if (!this.view.shows_exceptions) return "";
		const rows = this.view.exceptions.filter((row) => !row.warehouse || row.warehouse === pair.warehouse);
		if (!rows.length) return "";
		const written = rows
			.map(
				(row) => `<tr><td>${this.link("Planning Exception", row.name, __(row.exception_type))}</td>
					<td>${this.escape(row.message)}</td>
					<td class="ef-right">${row.money_at_risk ? this.money(row.money_at_risk, row) : ""}</td></tr>`
			)
			.join("");
		return `<h5>${__("Open Exceptions")}</h5><div class="ef-scroll"><table class="ef-table"><thead><tr><th>${__("Type")}</th>
			<th>${__("What Is Wrong")}</th><th class="ef-right">${__("Money at Risk")}</th></tr></thead>
			<tbody>${written}</tbody></table></div>`;
	}

	listen() {
		this.box.find(".ef-warehouse").on("change", (event) => {
			this.pair_at = cint(event.target.value);
			const { units_for, first_unit } = erp_forecast_addon.periods;
			if (!units_for(this.pair).includes(this.unit)) this.unit = first_unit(this.pair);
			this.render();
		});
		this.box.find(".ef-unit").on("click", (event) => {
			this.unit = event.currentTarget.dataset.unit;
			this.render();
		});
		this.box.find(".ef-override-now").on("click", () =>
			erp_forecast_addon.overrides.ask(this.item_code, this.pair, () => this.load())
		);
		this.box.find(".ef-forecast-now").on("click", () => this.forecast_now());
	}

	async forecast_now() {
		const { message: view } = await frappe.call({
			method: "erp_forecast_addon.api.v1.item.forecast_now",
			args: { item_code: this.item_code },
			freeze: true,
			freeze_message: __("Forecasting {0} …", [this.item_code]),
		});
		frappe.show_alert({ message: __("{0} was forecast from the ledger as it stands.", [this.item_code]), indicator: "green" });
		this.show(view);
		if (view.notes.length) {
			const notes = view.notes.map((note) => `<li>${this.escape(note)}</li>`).join("");
			frappe.msgprint({ title: __("Worth Knowing"), message: `<ul>${notes}</ul>`, indicator: "orange" });
		}
	}

	number(value, decimals = 1) {
		const rounded = Math.round(value * 10 ** decimals) / 10 ** decimals;
		return format_number(rounded, null, Number.isInteger(rounded) ? 0 : decimals);
	}

	qty(value, pair) {
		return `${this.number(value)} ${this.escape(pair.stock_uom || "")}`.trim();
	}

	money(value, row) {
		return format_currency(value, row.currency);
	}

	link(doctype, name, words) {
		return `<a href="${frappe.utils.get_form_link(doctype, name)}">${this.escape(words || name)}</a>`;
	}

	escape(words) {
		return erp_forecast_addon.svg.escape(words);
	}
};

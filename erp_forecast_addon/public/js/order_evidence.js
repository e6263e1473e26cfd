// Why a line was proposed: one readable card per line, from the frozen evidence of the line.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.order_evidence = (function () {
	const BAR_HEIGHT = 58;
	const WHOLE_PERCENT = 100;

	const escape = (words) => erp_forecast_addon.svg.escape(words);
	const day = (text) => (text ? frappe.datetime.str_to_user(text) : "–");

	function number(value, decimals = 2) {
		const rounded = Math.round(value * 10 ** decimals) / 10 ** decimals;
		return format_number(rounded, null, Number.isInteger(rounded) ? 0 : decimals);
	}

	function evidence_of(line) {
		if (!line.evidence) return {};
		return typeof line.evidence === "string" ? JSON.parse(line.evidence) : line.evidence;
	}

	const sum_row = (label, value, css = "") => `<tr class="${css}"><td>${label}</td><td>${value}</td></tr>`;

	// Lines of earlier versions name no method: they were made by the textbook's formula.
	const by_formula = (evidence) => !evidence.method || (evidence.method === "Textbook" && !Object.keys(evidence.policy || {}).length);

	function formula_rows(line, evidence, qty) {
		const interval = evidence.protection_days
			? __("Demand over the next {0} days (lead time and review)", [number(evidence.protection_days, 1)])
			: __("Demand over the protection interval");
		const target = evidence.service_level
			? __("+ safety stock ({0}% service, class {1})", [number(evidence.service_level * WHOLE_PERCENT, 1), escape(evidence.abc_class)])
			: __("+ safety stock");
		return [sum_row(interval, qty(line.protection_demand_qty)), sum_row(target, qty(line.safety_stock_qty))];
	}

	// Levels from the distribution of demand: when to order, and how much an order is meant to bring.
	function method_rows(line, evidence, qty) {
		const interval = evidence.protection_days
			? __("Demand over the next {0} days (lead time and review)", [number(evidence.protection_days, 1)])
			: __("Demand over the protection interval");
		const named = evidence.service_level
			? __("{0}, {1}%, class {2}", [__(evidence.method), number(evidence.service_level * WHOLE_PERCENT, 1), escape(evidence.abc_class)])
			: __(evidence.method);
		return [
			sum_row(`<span class="ef-muted">${interval}</span>`, `<span class="ef-muted">${qty(line.protection_demand_qty)}</span>`),
			sum_row(`${__("Reorder point")} <span class="ef-muted">(${named})</span>`, qty(line.reorder_point_qty)),
			sum_row(__("+ what an order is to bring beyond it"), qty(line.order_up_to_qty - line.reorder_point_qty)),
		];
	}

	// The computation, as one would do it on paper.
	function computation(line, evidence) {
		const qty = (value) => `${number(value)} ${escape(line.stock_uom || "")}`;
		const rows = [sum_row(__("On hand"), qty(line.on_hand_qty))];
		if (evidence.open_supply_qty) rows.push(sum_row(__("+ on order, due in time"), qty(evidence.open_supply_qty)));
		if (evidence.draft_qty) rows.push(sum_row(__("+ in other drafts of the planner"), qty(evidence.draft_qty)));
		if (evidence.above_forecast_qty) {
			rows.push(sum_row(__("− firm demand beyond the forecast"), qty(evidence.above_forecast_qty)));
		}
		rows.push(sum_row(__("= Net position"), qty(line.position_qty), "ef-sum"));
		rows.push(...(by_formula(evidence) ? formula_rows(line, evidence, qty) : method_rows(line, evidence, qty)));
		rows.push(sum_row(__("= Order-up-to level"), qty(line.order_up_to_qty), "ef-sum"));
		rows.push(sum_row(__("Missing"), qty(Math.max(0, line.order_up_to_qty - line.position_qty))));
		rows.push(sum_row(lot_rule(line, evidence), `${number(line.qty)} ${escape(line.uom || "")}`, "ef-sum"));
		return `<table class="ef-steps">${rows.join("")}</table>`;
	}

	function lot_rule(line, evidence) {
		const rules = [];
		if (evidence.min_order_qty) rules.push(__("minimum {0}", [number(evidence.min_order_qty)]));
		if (evidence.order_multiple_qty) rules.push(__("packs of {0}", [number(evidence.order_multiple_qty)]));
		if (evidence.uom_whole || evidence.stock_uom_whole) rules.push(__("whole units"));
		if (line.conversion_factor && line.conversion_factor !== 1) {
			rules.push(__("1 {0} = {1} {2}", [escape(line.uom), number(line.conversion_factor), escape(line.stock_uom)]));
		}
		return rules.length ? `${__("= To order")} <span class="ef-muted">(${rules.join(", ")})</span>` : __("= To order");
	}

	// Where the stock stands against its levels, before and after this order.
	function level_bar(box_width, line) {
		const { svg } = erp_forecast_addon;
		const position = Math.max(0, line.position_qty);
		const after = position + line.stock_qty;
		const top = Math.max(after, line.order_up_to_qty, 1e-9);
		const width = Math.max(260, box_width);
		const x = (qty) => Math.round((Math.max(0, qty) / top) * (width - 2)) + 1;
		const block = (css, from, to) => svg.element("rect", { class: css, x: x(from), y: 20, width: Math.max(0, x(to) - x(from)), height: 14 });
		const mark = (css, qty) => svg.element("line", { class: `ef-level ${css}`, x1: x(qty), x2: x(qty), y1: 14, y2: 40 });
		const content =
			block("ef-bar", 0, position) +
			block("ef-band", position, after) +
			mark("ef-level-safety", line.safety_stock_qty) +
			mark("ef-level-reorder", line.reorder_point_qty) +
			mark("ef-level-upto", line.order_up_to_qty);
		const legend = svg.legend([
			["ef-key-bar", __("Net position")],
			["ef-key-band", __("This order")],
			["ef-key-safety", __("Safety stock {0}", [number(line.safety_stock_qty)])],
			["ef-key-reorder", __("Reorder point {0}", [number(line.reorder_point_qty)])],
			["ef-key-upto", __("Order-up-to {0}", [number(line.order_up_to_qty)])],
		]);
		const label = __("Stock of {0} against its levels, before and after this order", [line.item_code]);
		const on = { width, height: BAR_HEIGHT - 10 };
		return `<div class="ef-levels">${svg.draw(on, label, content)}${legend}</div>`;
	}

	function facts(line, evidence, order) {
		const price = line.rate
			? `${format_currency(line.rate, order.currency)} / ${escape(line.uom || "")}`
			: `<span class="text-danger">${__("no price known")}</span>`;
		const rows = [
			[__("Needed on"), day(line.need_on)],
			[__("Arrives (required by)"), day(line.schedule_date) + (line.days_late ? ` <span class="text-danger">${line.days_late === 1 ? __("1 day too late") : __("{0} days too late", [line.days_late])}</span>` : "")],
			[__("Order by"), day(line.order_by)],
			[__("Lead time"), `${__("{0} days", [number(line.lead_time_days, 1)])} <span class="ef-muted">${__("from {0}", [__(line.lead_time_source || "settings")])}</span>`],
			[__("Demand per day"), evidence.daily_demand_mean === undefined ? "–" : `${number(evidence.daily_demand_mean)} ± ${number(evidence.daily_demand_std)}`],
			[__("Supplier"), escape(order.supplier_name || order.supplier)],
			[__("Price"), price],
			[__("Amount"), format_currency(line.amount, order.currency)],
			[__("Money at risk"), format_currency(line.money_at_risk, order.company_currency)],
		];
		return `<table class="ef-steps">${rows.map(([label, value]) => sum_row(label, value)).join("")}</table>`;
	}

	function other_suppliers(evidence, order) {
		const others = (evidence.suppliers || []).filter((each) => each.supplier !== order.supplier);
		if (!others.length) return "";
		const words = others.map((each) => {
			const price = each.base_rate === null ? __("no price") : format_currency(each.base_rate, order.company_currency);
			const blocked = each.blocked_reason ? `, ${escape(each.blocked_reason)}` : "";
			return `${escape(each.supplier)} (${price}${blocked})`;
		});
		return `<p class="ef-muted">${__("Also considered: {0}.", [words.join("; ")])}</p>`;
	}

	// What the server computed again from the frozen inputs: the rule that set the quantity, and whether it is equal.
	function verdict(computed) {
		if (!computed) return "";
		const again = computed.problem
			? `<span class="text-danger">${escape(computed.problem)}</span>`
			: computed.equal
				? `<span class="text-success">${__("Computed again from the frozen inputs: equal.")}</span>`
				: `<span class="text-danger">${__("Computed again from the frozen inputs: {0} {1}, not the {2} ordered.", [
						number(computed.computed_qty, 3), escape(computed.stock_uom), number(computed.stock_qty, 3),
					])}</span>`;
		return `<p style="margin-top: 8px"><b>${__("Rule")}:</b> ${escape(computed.rule || "–")}</p><p>${again}</p>`;
	}

	// Fills the cards that stand in `box` once the server has answered. lines: of api.v1.evidence.lines, in their order.
	function show_verdicts(box, lines) {
		box.find("[data-verdict]").each((at, place) => $(place).html(verdict(lines[at])));
	}

	function card(line, order, width) {
		const evidence = evidence_of(line);
		const item = frappe.utils.get_form_link("Item", line.item_code);
		const name = line.item_name && line.item_name !== line.item_code ? `<span>${escape(line.item_name)}</span>` : "";
		return `<div class="ef-card">
			<div class="ef-card-head"><a class="ef-title" href="${item}">${escape(line.item_code)}</a>${name}
				<span class="ef-muted">${escape(line.warehouse)}</span>
				<span class="ef-qty">${number(line.qty)} ${escape(line.uom || "")} · ${format_currency(line.amount, order.currency)}</span></div>
			<p class="ef-why">${escape(line.reason || "")}</p>
			${level_bar(width, line)}
			<div class="ef-columns">${computation(line, evidence)}${facts(line, evidence, order)}</div>
			${other_suppliers(evidence, order)}<div data-verdict="1"></div></div>`;
	}

	// html of the cards of all lines; width: of the place where they go, in pixels.
	function cards(order, width) {
		const lines = order.items || [];
		if (!lines.length) return `<div class="ef"><div class="ef-empty">${__("This proposal has no lines.")}</div></div>`;
		return `<div class="ef">${lines.map((line) => card(line, order, width - 32)).join("")}</div>`;
	}

	return { cards, show_verdicts };
})();

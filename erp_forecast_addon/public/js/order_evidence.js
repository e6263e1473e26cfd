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

	// The calculation as the server made it again from the frozen inputs: the same steps as in print and on the terminal.
	function steps_table(computed) {
		let section = "";
		const rows = (computed.steps || []).map((step) => {
			const head = step.section === section ? "" : sum_row(escape(step.section), "", "ef-step-section");
			section = step.section;
			const value = typeof step.value === "string" ? escape(step.value) : number(step.value);
			const differs = step.differs ? ` <span class="text-danger">${__("the plan had {0}", [number(step.frozen)])}</span>` : "";
			return head + sum_row(escape(step.label), `${value} ${escape(step.unit || "")}${differs}`, step.total ? "ef-sum" : "");
		});
		return rows.length ? `<table class="ef-steps">${rows.join("")}</table>` : "";
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
			[__("Supplier"), escape(order.supplier_name || order.supplier)],
			[__("Price"), price],
			[__("Amount"), format_currency(line.amount, order.currency)],
			[__("Money at risk"), format_currency(line.money_at_risk, order.company_currency)],
			...offers(line, order),
		];
		return `<table class="ef-steps">${rows.map(([label, value]) => sum_row(label, value)).join("")}</table>`;
	}

	// What somebody else would change, and what the week's money says of the line.
	function offers(line, order) {
		const rows = [];
		if (line.alternative_supplier) {
			const money = format_currency(Math.abs(line.alternative_saving), order.company_currency);
			const saves = line.alternative_saving >= 0 ? __("{0} cheaper", [money]) : __("{0} dearer", [money]);
			const days = Math.round(line.alternative_days || 0);
			const words = [saves];
			if (days > 0) words.push(days === 1 ? __("a day sooner") : __("{0} days sooner", [days]));
			if (days < 0) words.push(days === -1 ? __("a day later") : __("{0} days later", [-days]));
			rows.push([__("Or from {0}", [escape(line.alternative_supplier)]), `<b>${words.join(", ")}</b>`]);
		}
		if (line.pulled_forward_days) {
			rows.push([__("Ordered ahead of its day"), line.pulled_forward_days === 1 ? __("1 day") : __("{0} days", [line.pulled_forward_days])]);
		}
		const { budget_lines, budget_last_rank } = evidence_of(line);
		if (line.budget_rank) {
			rows.push([
				__("Rank in the week's money"),
				__("{0} of {1}, the cut is after {2}", [line.budget_rank, number(budget_lines || 0), number(budget_last_rank || 0)]),
			]);
		}
		return rows;
	}

	// What the server computed again from the frozen inputs: the rule that set the quantity, and whether it is equal.
	function verdict(computed) {
		if (!computed) return "";
		const again = computed.problem
			? `<span class="text-danger">${escape(computed.problem)}</span>`
			: computed.equal
				? `<span class="text-success">${__("Computed again from the frozen inputs: equal.")}</span>`
				: `<span class="text-danger">${__("Computed again from the frozen inputs: {0} {1}, not {2} as proposed.", [
						number(computed.computed_qty, 3), escape(computed.stock_uom), number(computed.stock_qty, 3),
					])}</span>`;
		return `<p style="margin-top: 8px"><b>${__("Rule")}:</b> ${escape(computed.rule || "–")}</p><p>${again}</p>`;
	}

	// Fills the cards that stand in `box` once the server has answered. lines: of api.v1.evidence, in their order.
	function show_computed(box, lines) {
		box.find("[data-steps]").each((at, place) => $(place).html(lines[at] ? steps_table(lines[at]) : ""));
		box.find("[data-verdict]").each((at, place) => $(place).html(verdict(lines[at])));
	}

	function card(line, order, width) {
		const item = frappe.utils.get_form_link("Item", line.item_code);
		const name = line.item_name && line.item_name !== line.item_code ? `<span>${escape(line.item_name)}</span>` : "";
		const evidence = evidence_of(line);
		const is_order = order.doctype !== "Auto Material Request";
		const head = is_order
			? `${number(line.qty)} ${escape(line.uom || "")} · ${format_currency(line.amount, order.currency)}`
			: `${number(line.qty)} ${escape(line.stock_uom || "")}`;
		const body = is_order ? facts(line, evidence, order) : request_facts(line, order);
		return `<div class="ef-card">
			<div class="ef-card-head"><a class="ef-title" href="${item}">${escape(line.item_code)}</a>${name}
				<span class="ef-muted">${escape(line.warehouse)}</span><span class="ef-qty">${head}</span></div>
			<p class="ef-why">${escape(line.reason || "")}</p>
			${is_order ? level_bar(width, line) : ""}
			<div class="ef-columns"><div data-steps="1"><span class="ef-muted">${__("Computing again …")}</span></div>
				<div>${body}</div></div>
			<div data-verdict="1"></div></div>`;
	}

	function request_facts(line, order) {
		const late = line.days_late ? ` <span class="text-danger">${line.days_late === 1 ? __("1 day too late") : __("{0} days too late", [line.days_late])}</span>` : "";
		const rows = [
			[__("Needed on"), day(line.need_on)],
			[__("There on (required by)"), day(line.schedule_date) + late],
			[__("Start by"), day(line.order_by)],
			[__("Money at risk"), format_currency(line.money_at_risk, order.company_currency)],
		];
		if (line.from_warehouse) rows.unshift([__("From"), escape(line.from_warehouse)]);
		if (line.from_warehouse) rows.push([__("Can be spared there"), `${number(line.available_qty)} ${escape(line.stock_uom || "")}`]);
		return `<table class="ef-steps">${rows.map(([label, value]) => sum_row(label, value)).join("")}</table>`;
	}

	// html of the cards of all lines of a proposed order or request; width: of the place where they go, in pixels.
	function cards(order, width) {
		const lines = order.items || [];
		if (!lines.length) return `<div class="ef"><div class="ef-empty">${__("This proposal has no lines.")}</div></div>`;
		return `<div class="ef">${lines.map((line) => card(line, order, width - 32)).join("")}</div>`;
	}

	// Draws the cards of a record into `box`; what the server computes again follows.
	function show(box, doc) {
		erp_forecast_addon.add_styles();
		box.html(cards(doc, box.width() || 900));
		const method = doc.doctype === "Auto Material Request" ? "request_lines" : "lines";
		return frappe
			.call({ method: `erp_forecast_addon.api.v1.evidence.${method}`, type: "GET", args: { name: doc.name } })
			.then(({ message }) => show_computed(box, message));
	}

	// From a list: why these lines, without leaving it.
	function open_dialog(doctype, name, title) {
		return frappe.model.with_doc(doctype, name).then((doc) => {
			const dialog = new frappe.ui.Dialog({
				title: __("Why: {0}", [title || name]),
				size: "extra-large",
				fields: [{ fieldname: "cards", fieldtype: "HTML" }],
				primary_action_label: __("Open"),
				primary_action() {
					dialog.hide();
					frappe.set_route("Form", doctype, name);
				},
			});
			dialog.show();
			return show(dialog.fields_dict.cards.$wrapper, doc);
		});
	}

	// The button of a list's rows.
	const list_button = (doctype) => ({
		show: () => true,
		get_label: () => __("Why"),
		get_description: (doc) => __("Why these items, quantities and dates: {0}", [doc.title || doc.name]),
		action: (doc) => open_dialog(doctype, doc.name, doc.title),
	});

	return { show, open_dialog, list_button };
})();

// What a Level Change Set comes to: numbers, cash by class, and its changes in pages, the largest effect first.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.level_change_overview = (function () {
	const PAGE = 20;
	const ROW_HEIGHT = 30;
	const LABEL_WIDTH = 130;
	const NUMBER_WIDTH = 110;
	const SEARCH_REST_MS = 350;

	const escape = (words) => erp_forecast_addon.svg.escape(words ?? "");
	const number = (value) => format_number(value, null, Number.isInteger(value) ? 0 : 2);
	const signed = (value, currency) => `${value > 0 ? "+" : ""}${format_currency(value, currency)}`;

	const VIEWS = () => [
		["all", __("All")],
		["left", __("Left")],
		["raised", __("Raised")],
		["lowered", __("Lowered")],
		["new", __("New rows")],
		["edited", __("Edited")],
		["excluded", __("Excluded")],
		["held", __("Held")],
	];

	function card(label, value, note, bad = false) {
		return `<div class="ef-number${bad ? " ef-bad" : ""}"><div class="ef-label">${label}</div>
			<div class="ef-value">${value}</div><div class="ef-note">${note}</div></div>`;
	}

	function cards(doc, sums) {
		const undone = doc.excluded + doc.held;
		const without = sums.without_cost
			? __("{0} without a known cost count as 0", [number(sums.without_cost)])
			: __("by the average stock, at unit cost");
		const all = [
			card(__("Cash Effect"), signed(doc.cash_effect, doc.currency), without),
			card(__("Ties Up"), format_currency(doc.cash_up, doc.currency), __("levels that rise, and new rows")),
			card(__("Sets Free"), format_currency(doc.cash_down, doc.currency), __("levels that fall")),
			card(
				__("Changes"),
				number(doc.changes),
				[
					__("{0} items", [number(doc.items)]),
					__("{0} raised", [number(doc.raised)]),
					__("{0} lowered", [number(doc.lowered)]),
					__("{0} new", [number(doc.added)]),
				].join(", ")
			),
		];
		if (undone) {
			const parts = [];
			if (doc.excluded) parts.push(__("{0} excluded by a reviewer", [number(doc.excluded)]));
			if (doc.held) parts.push(__("{0} a person's own values", [number(doc.held)]));
			all.push(card(__("Not Written"), number(undone), parts.join(", ")));
		}
		if (doc.left_alone || doc.kept) {
			const words = doc.kept ? __("changed since they were written") : __("changed since they were proposed");
			all.push(card(__("Left Alone"), number(doc.kept || doc.left_alone), words, true));
		}
		const speed = doc.roll_back_seconds_per_1000 || doc.apply_seconds_per_1000;
		if (speed) all.push(card(__("Time per 1,000 Items"), __("{0} s", [number(Math.round(speed * 100) / 100)]), __("measured")));
		return `<div class="ef-numbers">${all.join("")}</div>`;
	}

	// Bars to the right tie cash up, bars to the left set it free.
	function cash_chart(rows, currency, box_width, label) {
		const { svg } = erp_forecast_addon;
		const width = Math.max(320, box_width);
		const shown = rows.filter((row) => row.cash_up || row.cash_down);
		if (!shown.length) return "";
		const up = Math.max(0, ...shown.map((row) => row.cash_up));
		const down = Math.max(0, ...shown.map((row) => row.cash_down));
		const inner = width - LABEL_WIDTH - NUMBER_WIDTH;
		const scale = inner / (up + down || 1);
		const zero = LABEL_WIDTH + down * scale;
		const height = shown.length * ROW_HEIGHT + 8;
		const bars = shown.map((row, at) => {
			const y = at * ROW_HEIGHT + 8;
			const block = (css, x, size) => svg.element("rect", { class: css, x, y, width: Math.max(0, size), height: 16, rx: 2 });
			return (
				svg.text({ class: "ef-tick", x: 0, y: y + 12 }, row.words) +
				block("ef-part-more", zero - row.cash_down * scale, row.cash_down * scale) +
				block("ef-band ef-cash-up", zero, row.cash_up * scale) +
				svg.text(
					{ class: "ef-part-number", x: width, y: y + 12, "text-anchor": "end" },
					signed(row.cash_effect, currency)
				)
			);
		});
		const axis = svg.element("line", { class: "ef-zero", x1: zero, x2: zero, y1: 2, y2: height - 2 });
		return svg.draw({ width, height }, label, bars.join("") + axis);
	}

	function charts(doc, sums, width) {
		const half = width > 820 ? width / 2 - 34 : width - 34;
		const classes = sums.by_class.map((row) => ({ ...row, words: row.label ? __("Class {0}", [row.label]) : __("No class") }));
		const groups = sums.by_group.map((row) => ({ ...row, words: short(row.label || __("No group"), 20) }));
		const boxes = [
			[__("Cash effect by class"), cash_chart(classes, doc.currency, half, __("Cash effect by class"))],
			[__("Cash effect by item group"), cash_chart(groups, doc.currency, half, __("Cash effect by item group"))],
		].filter(([, chart]) => chart);
		if (!boxes.length) return "";
		const legend = erp_forecast_addon.svg.legend([
			["ef-key-cash-up", __("ties up")],
			["ef-key-cash-down", __("sets free")],
		]);
		const drawn = boxes.map(([title, chart]) => `<div><h5>${title}</h5>${chart}</div>`);
		return `<div class="ef-two">${drawn.join("")}</div>${legend}`;
	}

	const short = (words, length) => (words.length > length ? `${words.slice(0, length - 1)}…` : words);

	function values(line, side) {
		if (line.is_new_row && side === "old") return `<span class="ef-muted">${__("no row")}</span>`;
		const level = number(line[`${side}_level`]);
		return line.kind === "Safety Stock" ? level : `${level} <span class="ef-muted">/ ${number(line[`${side}_qty`])}</span>`;
	}

	function state(line) {
		const pill = `<span class="indicator-pill ${erp_forecast_addon.CHANGE_COLOURS[line.status] || "gray"}">${__(line.status)}</span>`;
		const edited = line.review === "Edited" ? ` <span class="indicator-pill purple">${__("Edited")}</span>` : "";
		const by = line.reviewed_by ? `${escape(frappe.user.full_name(line.reviewed_by))}: ` : "";
		const said = line.review_reason ? `<div class="ef-muted">${by}${escape(line.review_reason)}</div>` : "";
		const note = line.note ? `<div class="ef-muted">${escape(line.note)}</div>` : "";
		return `${pill}${edited}${said}${note}`;
	}

	function row(line, currency, open) {
		const item = frappe.utils.get_form_link("Item", line.item_code);
		const name = line.item_name && line.item_name !== line.item_code ? `<div class="ef-muted">${escape(line.item_name)}</div>` : "";
		const where = line.kind === "Safety Stock" ? __("Safety stock of the Item") : escape(line.warehouse);
		const cash = line.kind === "Safety Stock" ? "" : signed(line.cash_effect, currency);
		const undone = ["Excluded", "Held"].includes(line.status);
		const again = undone || line.review === "Edited" ? `<a class="dropdown-item" data-act="include">${__("Include as proposed")}</a>` : "";
		const exclude = line.status === "Excluded" ? "" : `<a class="dropdown-item" data-act="exclude">${__("Exclude…")}</a>`;
		const menu = open
			? `<div class="dropdown"><button class="btn btn-xs btn-default" data-toggle="dropdown" aria-label="${__("Review")}">⋯</button>
				<div class="dropdown-menu dropdown-menu-right"><a class="dropdown-item" data-act="edit">${__("Change values…")}</a>${exclude}${again}</div></div>`
			: "";
		return `<tr data-line="${escape(line.name)}" class="${undone ? "ef-undone" : ""}">
			<td><a href="${item}">${escape(line.item_code)}</a>${name}</td><td>${where}</td><td>${escape(line.abc_class)}</td>
			<td class="ef-right">${values(line, "old")}</td><td class="ef-right"><b>${values(line, "new")}</b></td>
			<td class="ef-right">${cash}</td><td class="ef-reason"><div title="${escape(line.reason)}">${escape(line.reason)}</div></td><td>${state(line)}</td><td>${menu}</td></tr>`;
	}

	function table(page, doc, open) {
		const before = doc.status === "Proposed" ? __("Now / order qty") : __("Before / order qty");
		if (!page.lines.length) return `<div class="ef-empty">${__("No changes here.")}</div>`;
		const heads = [__("Item"), __("Warehouse"), __("Class")];
		const right = [before, __("New / order qty"), __("Cash effect")];
		return `<div class="ef-changes"><table class="ef-table"><thead><tr>${heads.map((h) => `<th>${h}</th>`).join("")}
			${right.map((h) => `<th class="ef-right">${h}</th>`).join("")}<th>${__("Why")}</th><th>${__("State")}</th><th></th></tr></thead>
			<tbody>${page.lines.map((line) => row(line, doc.currency, open)).join("")}</tbody></table></div>`;
	}

	function add_styles() {
		erp_forecast_addon.add_styles();
		frappe.dom.set_style(
			`.ef-two { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 8px 34px; }
.ef-cash-up { fill-opacity: 0.75; }
.ef-legend .ef-key-cash-up { background: var(--blue-500); opacity: 0.75; }
.ef-legend .ef-key-cash-down { background: var(--green-600, #278f5e); }
.ef-undone td { opacity: 0.65; }
.ef-undone td:last-child, .ef-undone td:nth-last-child(2) { opacity: 1; }
.ef-reason { max-width: 380px; min-width: 180px; }
.ef-reason > div { display: -webkit-box; -webkit-line-clamp: 3; -webkit-box-orient: vertical; overflow: hidden; }
.ef-changes { overflow-x: auto; min-height: 160px; }
.ef-changes td:first-child { min-width: 150px; }
.ef-changes .dropdown-item { cursor: pointer; }
.ef-views { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin: 18px 0 8px; }
.ef-views .ef-space { flex: 1; }
.ef-views input { max-width: 220px; }`,
			"erp-forecast-addon-level-changes"
		);
	}

	// One per form: which page of which view is shown.
	function show(frm) {
		add_styles();
		const { doc } = frm;
		const box = frm.fields_dict.overview_html.$wrapper;
		const known = frm.level_changes && frm.level_changes.name === doc.name ? frm.level_changes : {};
		const shown = (frm.level_changes = { name: doc.name, view: "all", start: 0, search: "", ...known });
		frappe.call({ method: "erp_forecast_addon.api.v1.change_sets.overview", args: { name: doc.name } }).then(({ message: sums }) => {
			if (frm.doc.name !== doc.name || !sums) return;
			const width = box.width() || 900;
			const views = VIEWS().filter(([view]) => view === "all" || sums.views[view]);
			if (!views.some(([view]) => view === shown.view)) shown.view = "all";
			const tabs = views.map(
				([view, words]) =>
					`<button class="btn btn-xs ${view === shown.view ? "btn-primary" : "btn-default"}" data-view="${view}">${words} ${number(sums.views[view])}</button>`
			);
			box.html(`<div class="ef">${cards(doc, sums)}${charts(doc, sums, width)}
				<div class="ef-views">${tabs.join("")}<span class="ef-space"></span>
				<input class="form-control input-xs" type="search" placeholder="${__("Item code or name")}" value="${escape(shown.search)}"></div>
				<div class="ef-page"></div></div>`);
			listen(frm, box, shown);
			turn_page(frm, box, shown);
		});
	}

	function listen(frm, box, shown) {
		box.find("[data-view]").on("click", (event) => {
			Object.assign(shown, { view: event.currentTarget.dataset.view, start: 0 });
			box.find("[data-view]").each((at, button) => {
				const on = button.dataset.view === shown.view;
				$(button).toggleClass("btn-primary", on).toggleClass("btn-default", !on);
			});
			turn_page(frm, box, shown);
		});
		box.find("input[type=search]").on(
			"input",
			frappe.utils.debounce((event) => {
				Object.assign(shown, { search: event.target.value, start: 0 });
				turn_page(frm, box, shown);
			}, SEARCH_REST_MS)
		);
	}

	function turn_page(frm, box, shown) {
		const args = { name: shown.name, view: shown.view, search: shown.search, start: shown.start, page_length: PAGE };
		frappe.call({ method: "erp_forecast_addon.api.v1.change_sets.lines", args }).then(({ message: page }) => {
			if (frm.doc.name !== shown.name || !page) return;
			const open = frm.doc.status === "Proposed" && erp_forecast_addon.level_changes.may_review();
			const place = box.find(".ef-page");
			place.html(table(page, frm.doc, open) + pager(page, shown));
			place.find("[data-turn]").on("click", (event) => {
				shown.start = Math.max(0, shown.start + Number(event.currentTarget.dataset.turn) * PAGE);
				turn_page(frm, box, shown);
			});
			place.find("[data-act]").on("click", (event) => act(frm, page, event.currentTarget));
		});
	}

	function pager(page, shown) {
		if (!page.lines.length || (!shown.start && !page.more)) return "";
		const button = (turn, words, on) => `<button class="btn btn-xs btn-default" data-turn="${turn}" ${on ? "" : "disabled"}>${words}</button>`;
		const range = `${number(shown.start + 1)} – ${number(shown.start + page.lines.length)}`;
		return `<div class="ef-views">${button(-1, __("Previous"), shown.start)}<span class="ef-muted">${range}</span>${button(1, __("Next"), page.more)}</div>`;
	}

	function act(frm, page, link) {
		const line = page.lines.find((each) => each.name === $(link).closest("tr").data("line"));
		const { level_changes } = erp_forecast_addon;
		const again = () => frm.reload_doc();
		if (link.dataset.act === "edit") level_changes.edit(line, again);
		if (link.dataset.act === "exclude") level_changes.exclude([line.name], again);
		if (link.dataset.act === "include") level_changes.include([line.name], again);
	}

	return { show };
})();

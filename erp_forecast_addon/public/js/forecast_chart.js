// The chart of one item in one warehouse: demand as bars, the forecast as a line with its intervals as bands.
// One SVG for both, because frappe-charts draws missing values as 0 and knows no bands.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.forecast_chart = (function () {
	const HEIGHT = 300;
	const MONTHS = { day: { day: "numeric", month: "short" }, month: { month: "short", year: "2-digit" } };

	const periods = () => erp_forecast_addon.periods;
	const svg = () => erp_forecast_addon.svg;

	function period_label(period, unit) {
		const date = new Date(`${periods().date_of(period.start)}T00:00:00Z`);
		const format = MONTHS[unit === "month" ? "month" : "day"];
		return date.toLocaleDateString(frappe.boot.lang, { ...format, timeZone: "UTC" });
	}

	function period_heading(period, unit) {
		const from = frappe.datetime.str_to_user(periods().date_of(period.start));
		if (unit === "day") return from;
		return `${from} – ${frappe.datetime.str_to_user(periods().date_of(period.end - 1))}`;
	}

	function stock_out_shades(on, shown) {
		return shown
			.map((period, slot) => {
				if (!period.days_out) return "";
				const share = period.days_out / Math.max(1, period.days_seen);
				const box = { x: on.x(slot), y: on.top, width: on.slot_width, height: on.bottom - on.top };
				return svg().element("rect", { class: "ef-out", ...box, "fill-opacity": 0.08 + 0.14 * share });
			})
			.join("");
	}

	function bars(on, shown) {
		const gap = Math.min(4, on.slot_width * 0.2);
		return shown
			.map((period, slot) => {
				if (period.actual === null) return "";
				const [from, to] = [on.y(Math.max(0, period.actual)), on.y(Math.min(0, period.actual))];
				return svg().element("rect", {
					class: period.running ? "ef-bar ef-bar-running" : "ef-bar",
					x: on.x(slot) + gap / 2,
					y: from,
					width: Math.max(0.6, on.slot_width - gap),
					height: Math.max(0, to - from),
				});
			})
			.join("");
	}

	function forecast_part(on, shown) {
		const ahead = shown.map((period, slot) => [period, slot]).filter(([period]) => period.mean !== null);
		if (!ahead.length) return "";
		const corner = (pick) => ahead.map(([period, slot]) => [on.middle(slot), on.y(pick(period))]);
		const band = (which, css) =>
			svg().area(
				corner((period) => period.band[which][0]),
				corner((period) => period.band[which][1]),
				css
			);
		const means = corner((period) => period.mean);
		const only = means.length === 1 ? svg().element("circle", { class: "ef-dot", cx: means[0][0], cy: means[0][1], r: 3 }) : "";
		return band(1, "ef-band ef-band-wide") + band(0, "ef-band") + svg().line(means, "ef-forecast") + only;
	}

	function as_of_line(on, shown, as_of) {
		const slot = shown.findIndex((period) => period.end - 1 > as_of);
		if (slot < 1) return "";
		// Inside the running period, where the last day with data ends.
		const { start, end } = shown[slot];
		const x = on.x(slot + Math.max(0, as_of + 1 - start) / (end - start));
		return (
			svg().element("line", { class: "ef-now", x1: x, x2: x, y1: on.top, y2: on.bottom }) +
			svg().text({ class: "ef-tick", x: x - 5, y: on.top + 9, "text-anchor": "end" }, __("Seen until here"))
		);
	}

	function words_for(shown, unit, pair) {
		const uom = pair.stock_uom || "";
		const qty = (number) => `${format_number(number, null, Math.abs(number) < 10 ? 2 : 0)} ${uom}`.trim();
		const shares = pair.forecast ? periods().bands_of(pair.forecast.curve) : [];
		return (slot) => {
			const period = shown[slot];
			const rows = [period_heading(period, unit)];
			if (period.actual !== null) rows.push([period.running ? __("Demand so far") : __("Demand"), qty(period.actual)]);
			if (period.days_out) rows.push([__("Days out of stock"), String(period.days_out)]);
			if (period.mean !== null) {
				rows.push([__("Forecast"), qty(period.mean)]);
				shares.forEach(({ percent }, which) => {
					const [low, high] = period.band[which];
					rows.push([__("{0}% interval", [percent]), `${qty(low)} – ${qty(high)}`]);
				});
			}
			return rows;
		};
	}

	function legend_for(shown, pair, overrides) {
		const entries = [["ef-key-bar", __("Demand")]];
		if (shown.some((period) => period.running)) entries.push(["ef-key-running", __("Period not over yet")]);
		if (shown.some((period) => period.days_out)) entries.push(["ef-key-out", __("Out of stock")]);
		if (pair.forecast) {
			const [inner, outer] = periods().bands_of(pair.forecast.curve);
			entries.push(["ef-key-line", __("Forecast")]);
			entries.push(["ef-key-band", __("{0}% interval", [inner.percent])]);
			entries.push(["ef-key-wide", __("{0}% interval", [outer.percent])]);
		}
		if (overrides.some((row) => row.status === "Approved")) entries.push(["ef-key-override", __("Override")]);
		return svg().legend(entries);
	}

	// Draws into `box` (an element that is on the page and visible). pair: one of the item view's pairs.
	// overrides: rows of the item view that concern the pair.
	function draw(box, pair, unit, overrides = []) {
		const shown = periods().of_pair(pair, unit);
		const tops = shown.flatMap((each) => [each.actual || 0, each.band ? Math.max(each.band[1][1], each.mean) : 0]);
		const low = Math.min(0, ...shown.map((each) => each.actual || 0));
		const width = Math.max(320, box.clientWidth);
		const on = svg().plane(width, HEIGHT, shown.length, low, Math.max(1e-9, ...tops));
		const zero = svg().element("line", { class: "ef-zero", x1: on.left, x2: on.right, y1: on.y(0), y2: on.y(0) });
		const content =
			svg().y_axis(on) +
			stock_out_shades(on, shown) +
			bars(on, shown) +
			forecast_part(on, shown) +
			as_of_line(on, shown, periods().day_of(pair.as_of)) +
			zero +
			erp_forecast_addon.overrides.marks(on, shown, overrides) +
			svg().x_axis(
				on,
				shown.map((period) => period_label(period, unit))
			);
		const label = __("Demand and forecast of {0} in {1}", [pair.item_code, pair.warehouse]);
		box.innerHTML = svg().draw(on, label, content) + legend_for(shown, pair, overrides);
		svg().follow_pointer(box, on, words_for(shown, unit, pair));
	}

	return { draw };
})();

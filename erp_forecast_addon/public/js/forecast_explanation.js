// Why a forecast is what it is: the parts of its total as a waterfall, as numbers and in a sentence, and on request
// the parts of every period as stacked bars.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.explanation = (function () {
	const HEIGHT = 230;
	const svg = () => erp_forecast_addon.svg;

	const places = (size) => (size && size < 10 ? 2 : size < 1000 ? 1 : 0);
	const qty = (number, size) => format_number(number, null, places(size));
	const signed = (number, size) => `${number > 0 ? "+" : ""}${qty(number, size)}`;

	// The parts of a total in the order of the labels: [{name, label, from, to, change}] with the total at the end.
	function steps(explanation) {
		const { parts, labels } = explanation;
		let reached = 0;
		const made = Object.keys(labels)
			.filter((name) => parts[name])
			.map((name) => {
				const from = reached;
				reached += parts[name];
				return { name, label: labels[name], from, to: reached, change: parts[name] };
			});
		return [...made, { name: "total", label: __("Forecast"), from: 0, to: parts.total, change: parts.total }];
	}

	function waterfall(box, explanation, pair) {
		const shown = steps(explanation);
		const ends = shown.flatMap((step) => [step.from, step.to]);
		const size = Math.max(...ends.map(Math.abs));
		const width = Math.max(320, box.clientWidth);
		const on = svg().plane(width, HEIGHT, shown.length, Math.min(0, ...ends), Math.max(1e-9, ...ends));
		const bars = shown
			.map((step, slot) => {
				const [high, low] = [on.y(Math.max(step.from, step.to)), on.y(Math.min(step.from, step.to))];
				const gap = Math.min(28, on.slot_width * 0.25);
				const css = step.name === "total" || step.name === "level" ? "ef-part-whole" : step.change > 0 ? "ef-part-more" : "ef-part-less";
				const bar = { x: on.x(slot) + gap / 2, y: high, width: on.slot_width - gap, height: Math.max(1, low - high) };
				const words = step.name === "total" || step.name === "level" ? qty(step.change, size) : signed(step.change, size);
				return (
					svg().element("rect", { class: css, ...bar }) +
					svg().text({ class: "ef-part-number", x: on.middle(slot), y: high - 4, "text-anchor": "middle" }, words) +
					name_of(on, slot, step.label)
				);
			})
			.join("");
		const links = shown
			.slice(0, -1)
			.map((step, slot) => {
				const y = on.y(step.to);
				return svg().element("line", { class: "ef-part-link", x1: on.middle(slot), x2: on.middle(slot + 1), y1: y, y2: y });
			})
			.join("");
		const zero = svg().element("line", { class: "ef-zero", x1: on.left, x2: on.right, y1: on.y(0), y2: on.y(0) });
		const label = __("What the forecast of {0} in {1} is made of", [pair.item_code, pair.warehouse]);
		box.innerHTML = svg().draw(on, label, svg().y_axis(on) + links + bars + zero);
		svg().follow_pointer(box, on, (slot) => {
			const step = shown[slot];
			const rows = [step.label, [__("Quantity"), `${signed(step.change, size)} ${pair.stock_uom || ""}`]];
			if (step.name !== "total") rows.push([__("Sum so far"), qty(step.to, size)]);
			return rows;
		});
	}

	// A label below its bar, cut to the room that is there.
	function name_of(on, slot, label) {
		const room = Math.max(6, Math.floor(on.slot_width / 6.2));
		const words = label.length > room ? `${label.slice(0, room - 1)}…` : label;
		return svg().text({ class: "ef-tick", x: on.middle(slot), y: on.bottom + 17, "text-anchor": "middle" }, words);
	}

	function by_period(box, found, pair) {
		const names = Object.keys(found.labels).filter((name) => found.parts[name]);
		const sums = found.starts.map((_start, at) => ({
			more: names.reduce((sum, name) => sum + Math.max(0, found.parts[name][at]), 0),
			less: names.reduce((sum, name) => sum + Math.min(0, found.parts[name][at]), 0),
		}));
		const size = Math.max(...found.mean.map(Math.abs));
		const width = Math.max(320, box.clientWidth);
		const on = svg().plane(width, HEIGHT, found.starts.length, Math.min(0, ...sums.map((s) => s.less)), Math.max(1e-9, ...sums.map((s) => s.more)));
		const gap = Math.min(3, on.slot_width * 0.2);
		const bars = found.starts
			.map((_start, at) => {
				let [up, down] = [0, 0];
				return names
					.map((name, number) => {
						const value = found.parts[name][at];
						const from = value > 0 ? up : down;
						if (value > 0) up += value;
						else down += value;
						const [high, low] = [on.y(Math.max(from, from + value)), on.y(Math.min(from, from + value))];
						const bar = { x: on.x(at) + gap / 2, y: high, width: Math.max(0.6, on.slot_width - gap), height: low - high };
						return svg().element("rect", { class: `ef-part-${number_of(name)}`, ...bar });
					})
					.join("");
			})
			.join("");
		const means = found.mean.map((mean, at) => [on.middle(at), on.y(mean)]);
		const zero = svg().element("line", { class: "ef-zero", x1: on.left, x2: on.right, y1: on.y(0), y2: on.y(0) });
		const days = found.starts.map((start) => frappe.datetime.str_to_user(start));
		const label = __("Parts of the forecast of {0} in {1} by period", [pair.item_code, pair.warehouse]);
		box.innerHTML =
			svg().draw(on, label, svg().y_axis(on) + bars + svg().line(means, "ef-forecast") + zero + svg().x_axis(on, days)) +
			svg().legend([...names.map((name) => [`ef-part-${number_of(name)}`, found.labels[name]]), ["ef-key-line", __("Forecast")]]);
		svg().follow_pointer(box, on, (at) => [
			days[at],
			...names.filter((name) => found.parts[name][at]).map((name) => [found.labels[name], signed(found.parts[name][at], size)]),
			[__("Forecast"), `${qty(found.mean[at], size)} ${pair.stock_uom || ""}`],
		]);
		function number_of(name) {
			return Object.keys(found.labels).indexOf(name);
		}
	}

	const section = (pair) => {
		const explanation = pair.forecast && pair.forecast.explanation;
		if (!explanation || !Object.keys(explanation.parts).length) return "";
		return `<h5>${__("Why this forecast")} <span class="ef-muted">· ${__("next {0} days", [explanation.days])}</span></h5>
			<p>${svg().escape(explanation.sentence)}</p>
			<div class="ef-chart ef-why-chart"></div>
			<p><button type="button" class="btn btn-xs btn-default ef-why-periods">${__("Show it period by period")}</button></p>`;
	};

	// Draws what `section` has made room for. box: jQuery element of the tab.
	function show(box, pair) {
		const chart = box.find(".ef-why-chart").get(0);
		if (!chart) return;
		waterfall(chart, pair.forecast.explanation, pair);
		box.find(".ef-why-periods").on("click", async () => {
			const found = await frappe.xcall("erp_forecast_addon.api.v1.item.explain", {
				item_code: pair.item_code,
				warehouse: pair.warehouse,
			});
			by_period(chart, found, pair);
			box.find(".ef-why-periods").remove();
		});
	}

	return { section, show };
})();

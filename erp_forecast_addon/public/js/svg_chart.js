// Inline SVG in Frappe's own colours: what the charts of this app share. Text is escaped here, once.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.svg = (function () {
	const MARGIN = { top: 12, right: 12, bottom: 26, left: 52 };
	const LABEL_WIDTH = 74;

	const escape = (text) => frappe.utils.escape_html(String(text));
	const at = (number) => Math.round(number * 10) / 10;

	function element(name, attributes, content = "") {
		const written = Object.entries(attributes)
			.filter(([, value]) => value !== null && value !== undefined)
			.map(([key, value]) => `${key}="${escape(value)}"`)
			.join(" ");
		return `<${name} ${written}>${content}</${name}>`;
	}

	const text = (attributes, words) => element("text", attributes, escape(words));

	// Ticks at 1, 2 or 5 times a power of ten that cover low to high.
	function nice_ticks(low, high, wanted = 5) {
		const span = high - low || Math.abs(high) || 1;
		const rough = span / wanted;
		const power = 10 ** Math.floor(Math.log10(rough));
		const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
		const ticks = [];
		for (let tick = Math.floor(low / step); tick * step < high + step; tick++) ticks.push(tick * step);
		return ticks;
	}

	// The plane of a chart: slots on x, quantities on y.
	function plane(width, height, slots, low, high) {
		const ticks = nice_ticks(low, high);
		const bottom = ticks[0];
		const top = ticks[ticks.length - 1];
		const inner_width = Math.max(10, width - MARGIN.left - MARGIN.right);
		const inner_height = height - MARGIN.top - MARGIN.bottom;
		const slot_width = inner_width / Math.max(1, slots);
		return {
			width,
			height,
			slots,
			ticks,
			slot_width,
			left: MARGIN.left,
			right: MARGIN.left + inner_width,
			top: MARGIN.top,
			bottom: MARGIN.top + inner_height,
			x: (slot) => at(MARGIN.left + slot * slot_width),
			middle: (slot) => at(MARGIN.left + (slot + 0.5) * slot_width),
			y: (qty) => at(MARGIN.top + inner_height * (1 - (qty - bottom) / (top - bottom))),
			slot_at: (x) => Math.max(0, Math.min(slots - 1, Math.floor((x - MARGIN.left) / slot_width))),
		};
	}

	function y_axis(on) {
		return on.ticks
			.map((tick) => {
				const y = on.y(tick);
				const line = element("line", { class: "ef-grid", x1: on.left, x2: on.right, y1: y, y2: y });
				return line + text({ class: "ef-tick", x: on.left - 8, y: y + 3.5, "text-anchor": "end" }, short(tick));
			})
			.join("");
	}

	// labels: one per slot; as many are written as find room.
	function x_axis(on, labels) {
		const every = Math.max(1, Math.ceil(LABEL_WIDTH / on.slot_width));
		return labels
			.map((label, slot) => {
				if (slot % every || on.middle(slot) > on.right - LABEL_WIDTH / 3) return "";
				const anchor = slot ? "middle" : "start";
				const x = slot ? on.middle(slot) : on.left;
				return text({ class: "ef-tick", x, y: on.bottom + 17, "text-anchor": anchor }, label);
			})
			.join("");
	}

	const line = (points, css) => element("polyline", { class: css, points: points.map((p) => p.join(",")).join(" ") });

	const area = (lower, upper, css) =>
		element("polygon", { class: css, points: [...upper, ...[...lower].reverse()].map((p) => p.join(",")).join(" ") });

	const draw = (on, label, content) =>
		element(
			"svg",
			{
				class: "ef-svg",
				xmlns: "http://www.w3.org/2000/svg",
				viewBox: `0 0 ${on.width} ${on.height}`,
				width: "100%",
				height: on.height,
				role: "img",
				"aria-label": label,
			},
			content
		);

	function short(number) {
		const size = Math.abs(number);
		if (size >= 10000) return frappe.utils.shorten_number(number, frappe.sys_defaults.country, 4, 1);
		return String(Math.round(number * 1000) / 1000);
	}

	// A line and a box that follow the pointer. words(slot) gives rows of [label, value]; the first row is the heading.
	function follow_pointer(box, on, words) {
		const svg = box.querySelector("svg.ef-svg");
		const cursor = svg.appendChild(document.createElementNS(svg.namespaceURI, "line"));
		cursor.setAttribute("class", "ef-cursor");
		const tip = box.appendChild(document.createElement("div"));
		tip.className = "ef-tip";
		const hide = () => [cursor, tip].forEach((each) => (each.style.display = "none"));
		hide();
		svg.addEventListener("mouseleave", hide);
		svg.addEventListener("mousemove", (event) => {
			const frame = svg.getBoundingClientRect();
			const scale = on.width / frame.width;
			const slot = on.slot_at((event.clientX - frame.left) * scale);
			const x = on.middle(slot);
			Object.entries({ x1: x, x2: x, y1: on.top, y2: on.bottom }).forEach(([k, v]) => cursor.setAttribute(k, v));
			const [heading, ...rows] = words(slot);
			tip.innerHTML =
				`<div class="ef-tip-head">${escape(heading)}</div>` +
				rows
					.map(([label, value]) => `<div><span>${escape(label)}</span><b>${escape(value)}</b></div>`)
					.join("");
			[cursor, tip].forEach((each) => (each.style.display = "block"));
			const left = x / scale;
			const flip = left + tip.offsetWidth + 24 > frame.width;
			tip.style.left = `${flip ? left - tip.offsetWidth - 12 : left + 12}px`;
			tip.style.top = `${on.top + 4}px`;
		});
	}

	const legend = (entries) =>
		`<div class="ef-legend">${entries
			.map(([css, words]) => `<span><i class="${css}"></i>${escape(words)}</span>`)
			.join("")}</div>`;

	return { plane, y_axis, x_axis, line, area, element, text, draw, follow_pointer, legend, escape };
})();

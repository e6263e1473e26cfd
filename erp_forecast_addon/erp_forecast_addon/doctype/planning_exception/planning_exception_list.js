{% include "erp_forecast_addon/public/js/exception_queue.js" %}
{% include "erp_forecast_addon/public/js/list_columns.js" %}

(function () {
	const queue = erp_forecast_addon.exception_queue;
	const COLOURS = { Open: "orange", "In Progress": "blue", Snoozed: "purple", Resolved: "green", Ignored: "gray" };
	const AT_WORK = ["status", "in", queue.AT_WORK];
	const escape = (words) => frappe.utils.escape_html(String(words || ""));
	const day = (text) => frappe.datetime.str_to_user(text, false, true);

	// Most money first; of equal money what is due first.
	function sort_by_money_and_due(listview) {
		const selector = listview.sort_selector;
		if (!selector || selector.by_money_and_due) return;
		selector.by_money_and_due = true;
		const plain = selector.get_sql_string.bind(selector);
		selector.get_sql_string = () => {
			const order = plain();
			return order.includes("money_at_risk") ? `${order}, \`tabPlanning Exception\`.\`due_at\` asc` : order;
		};
	}

	function show_only(listview, filters) {
		listview.filter_area.clear(false).then(() => listview.filter_area.add(filters.map((each) => [queue.DOCTYPE, ...each])));
	}

	// What is wrong is what a planner reads: its column takes the room that the others leave.
	function add_style() {
		if (document.getElementById("ef-queue-style")) return;
		const rules = `.ef-queue .list-row-col { flex: 1; margin-right: 10px; }
			.ef-queue.ef-wide-list .list-row-col.list-subject { flex: 5.5; }
			.ef-queue .list-row-container .list-row { height: auto; min-height: 40px; padding-top: 6px; padding-bottom: 6px; }
			.ef-queue .list-row-container .list-subject .level-item.bold { white-space: normal; min-width: 0; flex: 1; }
			.ef-queue .list-row-container .list-subject a { white-space: normal; display: -webkit-box; overflow: hidden;
				-webkit-line-clamp: 3; -webkit-box-orient: vertical; font-weight: 400; line-height: 1.35; margin: 2px 0; }
			.ef-queue .level-right .list-assignments, .ef-queue .level-right .comment-count { display: none !important; }
			.ef-queue .list-row .level-right, .ef-queue .list-row-head .level-right { flex: 0 0 100px; }
			.ef-queue .ef-queue-head { padding: 8px 15px; border-bottom: 1px solid var(--border-color); }
			.ef-queue .ef-queue-head div { display: flex; flex-wrap: wrap; gap: 6px; padding: 2px 0; }`;
		$(`<style id="ef-queue-style">${rules}</style>`).appendTo("head");
	}

	// The day's work in a line: what is late, due, mine; each a filter.
	function draw_head(listview, found) {
		const now = frappe.datetime.system_datetime();
		const tonight = `${frappe.datetime.get_today()} 23:59:59`;
		const parts = [
			[__("At Work"), found.open, "blue", [AT_WORK]],
			[__("Overdue"), found.overdue, "red", [AT_WORK, ["due_at", "<", now]]],
			[__("Due Today"), found.due_today, "orange", [AT_WORK, ["due_at", "between", [now, tonight]]]],
			[__("Mine"), found.mine, "green", [AT_WORK, ["responsible", "=", frappe.session.user]]],
			[__("Nobody's"), found.nobodys, "gray", [AT_WORK, ["responsible", "is", "not set"]]],
			[__("Critical"), found.by_severity.Critical, "red", [AT_WORK, ["severity", "=", "Critical"]]],
			[__("Snoozed"), found.snoozed, "purple", [["status", "=", "Snoozed"]]],
		];
		const chips = parts.map(
			([label, count, colour], at) =>
				`<button class="btn btn-xs btn-default" data-part="${at}" ${count ? "" : "disabled"}>
					<span class="indicator ${count ? colour : "gray"}"></span>${label} <b>${count}</b></button>`
		);
		const kinds = found.by_type.map(
			(kind, at) => `<button class="btn btn-xs btn-default text-muted" data-kind="${at}">${escape(__(kind.type))} <b>${kind.cases}</b>
				${kind.money && found.currency ? format_currency(kind.money, found.currency, 0) : ""}</button>`
		);
		const head = $(`<div class="ef-queue-head"><div>${chips.join("")}</div><div>${kinds.join("")}</div></div>`);
		head.on("click", "[data-part]", (event) => show_only(listview, parts[Number(event.currentTarget.dataset.part)][3]));
		head.on("click", "[data-kind]", (event) =>
			show_only(listview, [AT_WORK, ["exception_type", "=", found.by_type[Number(event.currentTarget.dataset.kind)].type]])
		);
		listview.$frappe_list.find(".ef-queue-head").remove();
		listview.$frappe_list.addClass("ef-queue").prepend(head);
		add_style();
	}

	function add_actions(listview) {
		const done = (count) => {
			frappe.show_alert({ message: __("{0} exceptions updated.", [count]), indicator: "green" });
			listview.clear_checked_items();
			listview.refresh();
		};
		queue.ACTIONS.forEach(([label, act]) =>
			listview.page.add_actions_menu_item(label(), () => act(listview.get_checked_items(true), done), false)
		);
	}

	// "15:08" today, "24 Nov" later, "7 h over" when it is over.
	function due(doc) {
		if (!doc.due_at || !queue.AT_WORK.includes(doc.status)) return "";
		const at = moment(doc.due_at);
		const exact = escape(frappe.datetime.str_to_user(doc.due_at));
		if (queue.overdue(doc)) {
			const hours = Math.max(1, Math.round(moment(frappe.datetime.system_datetime()).diff(at, "hours", true)));
			const words = hours < 48 ? __("{0} h over", [hours]) : __("{0} d over", [Math.round(hours / 24)]);
			return `<span class="text-danger" title="${exact}">${words}</span>`;
		}
		const today = doc.due_at.startsWith(frappe.datetime.get_today());
		return `<span style="${today ? "color: var(--orange-600)" : ""}" title="${exact}">${at.format(today ? "HH:mm" : "D MMM")}</span>`;
	}

	frappe.listview_settings["Planning Exception"] = {
		add_fields: [
			"status", "severity", "currency", "snoozed_until", "message", "due_at", "due_on", "exception_type", "reopened", "responsible",
		],
		hide_name_column: true,
		hide_name_filter: true,
		filters: [["status", "in", queue.AT_WORK]],
		formatters: {
			exception_type: (value, df, doc) => (doc.message ? `${__(value)}: ${doc.message}` : __(value)),
			severity: (value) =>
				`<span class="indicator-pill ${queue.SEVERITY_COLOURS[value] || "gray"}">${escape(__(value))}</span>`,
			due_at: (value, df, doc) => due(doc),
			responsible: (value) => (value ? escape(frappe.user.full_name(value)) : `<span class="text-muted">${__("Nobody")}</span>`),
		},
		get_indicator(doc) {
			if (queue.overdue(doc)) return [__("Overdue"), "red", `due_at,<,${frappe.datetime.system_datetime()}`];
			if (doc.status === "Snoozed") return [__("Until {0}", [day(doc.snoozed_until)]), "purple", "status,=,Snoozed"];
			return [__(doc.status), COLOURS[doc.status] || "gray", `status,=,${doc.status}`];
		},
		onload(listview) {
			erp_forecast_addon.show_columns(listview, 7, __("What Is Wrong")); // and tags, state, severity, money, due, owner
			erp_forecast_addon.say_when_empty(listview, __("Nothing waits: no case is open."));
			sort_by_money_and_due(listview);
			if (queue.may_write()) add_actions(listview);
		},
		refresh(listview) {
			sort_by_money_and_due(listview);
			frappe
				.call({ method: "erp_forecast_addon.api.v1.exception.waiting", type: "GET" })
				.then(({ message }) => draw_head(listview, message));
		},
	};
})();

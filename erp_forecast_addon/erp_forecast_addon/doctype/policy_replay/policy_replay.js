{% include "erp_forecast_addon/public/js/planner.js" %}
{% include "erp_forecast_addon/public/js/replay.js" %}
{% include "erp_forecast_addon/public/js/job_progress.js" %}

(function () {
	const progress = erp_forecast_addon.job_progress();
	const COLOURS = { "Our Policy": "#0289f7", "ERPNext's Levels": "#e86c13", "As Really Ordered": "#7c8793" };

	const of_policy = (frm, policy) => (frm.doc.results || []).find((row) => row.policy === policy && row.abc_class === "All");

	function verdict(frm) {
		const ours = of_policy(frm, "Our Policy");
		const real = of_policy(frm, "As Really Ordered");
		const erpnext = of_policy(frm, "ERPNext's Levels");
		if (!ours || !real || !erpnext) return "";
		const money = (value) => format_currency(value, frm.doc.currency, 0);
		const percent = (value) => `${format_number(value, null, 1)}%`;
		const row = (label, value) =>
			`<tr><td>${label}</td>${[ours, erpnext, real].map((each) => `<td class="text-right">${value(each)}</td>`).join("")}</tr>`;
		const heads = [__("Our Policy"), __("ERPNext's Levels"), __("As Really Ordered")];
		return `<table class="table table-bordered"><thead><tr><th></th>${heads
			.map((head) => `<th class="text-right">${frappe.utils.escape_html(head)}</th>`)
			.join("")}</tr></thead><tbody>
			${row(__("Stock-Out Days"), (each) => `${format_number(each.stock_out_days, null, 0)} (${percent(each.stock_out_pct)})`)}
			${row(__("Fill Rate"), (each) => percent(each.fill_rate_pct))}
			${row(__("Lost Sales at Cost"), (each) => money(each.lost_value))}
			${row(__("Average Stock Value"), (each) => money(each.average_stock_value))}
			${row(__("Orders"), (each) => format_number(each.order_lines, null, 0))}
			${row(__("Total Cost"), (each) => money(each.total_cost))}
		</tbody></table><p class="text-muted small">${__(
			"Lost sales are estimated on days with an empty shelf. All three start from the same stock and meet the same demand. Nothing was written to the ERP."
		)}</p>`;
	}

	async function show_overview(frm) {
		const wrapper = frm.get_field("overview_html").$wrapper.empty();
		if (frm.doc.status !== "Completed") return;
		wrapper.html(`${verdict(frm)}<div class="replay-stock"></div><div class="replay-lost"></div>`);
		const { message } = await frappe.call({
			method: "erp_forecast_addon.api.v1.replay.course",
			args: { name: frm.doc.name },
		});
		if (!message || !message.length) return;
		const weeks = [...new Set(message.map((row) => row.week))];
		const chart = (target, title, field) => {
			const datasets = Object.keys(COLOURS).map((policy) => ({
				name: __(policy),
				values: message.filter((row) => row.policy === policy).map((row) => row[field]),
			}));
			new frappe.Chart(wrapper.find(target)[0], {
				title,
				type: "line",
				height: 240,
				colors: Object.values(COLOURS),
				data: { labels: weeks.map((week) => frappe.datetime.str_to_user(week)), datasets },
				axisOptions: { shortenYAxisNumbers: 1, xIsSeries: 1 },
				lineOptions: { hideDots: 1 },
				tooltipOptions: { formatTooltipY: (value) => format_currency(value, frm.doc.currency, 0) },
			});
		};
		chart(".replay-stock", __("Stock Value by Week"), "stock_value");
		chart(".replay-lost", __("Lost Sales by Week, at Cost"), "lost_value");
	}

	frappe.ui.form.on("Policy Replay", {
		setup: progress.setup,
		refresh(frm) {
			if (frm.is_new()) return;
			frm.disable_save();
			progress.refresh(frm);
			show_overview(frm);
			if (!progress.is_moving(frm.doc) && erp_forecast_addon.may_plan()) {
				frm.add_custom_button(__("Replay Again"), () => erp_forecast_addon.ask_to_replay(frm.doc.company));
			}
			frm.add_custom_button(
				__("Report"),
				() => frappe.set_route("query-report", "Policy Replay Comparison", { replay: frm.doc.name }),
				__("View")
			);
		},
	});
})();

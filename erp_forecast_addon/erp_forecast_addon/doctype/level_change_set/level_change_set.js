{% include "erp_forecast_addon/public/js/forecast_styles.js" %}
{% include "erp_forecast_addon/public/js/svg_chart.js" %}
{% include "erp_forecast_addon/public/js/decisions.js" %}
{% include "erp_forecast_addon/public/js/job_progress.js" %}
{% include "erp_forecast_addon/public/js/level_changes.js" %}
{% include "erp_forecast_addon/public/js/level_change_overview.js" %}

(function () {
	const { APPROVER } = erp_forecast_addon;
	const MOVING = ["Approved", "Applying", "Rolling Back"];
	const WRITING = ["Applying", "Rolling Back"];
	const ASK_AGAIN_MS = 3000;

	const decisions = erp_forecast_addon.decisions("change_sets", () => __("Reject these levels"));
	const progress = erp_forecast_addon.job_progress({
		is_moving: (doc) => MOVING.includes(doc.status) && !doc.error,
		has_bar: (doc) => WRITING.includes(doc.status) && !doc.error,
		ask_again_ms: ASK_AGAIN_MS,
	});

	const call = (frm, action, more = {}) =>
		frappe.call({
			method: `erp_forecast_addon.api.v1.change_sets.${action}`,
			args: { name: frm.doc.name, ...more },
			freeze: true,
		});

	function state_sentence(frm) {
		const { doc } = frm;
		const by = (user) => (user ? frappe.user.full_name(user) : "");
		const count = (number) => format_number(number, null, 0);
		const waits = frappe.user.has_role(APPROVER)
			? __("Approve or reject it under Actions. Nothing is written before.")
			: __("It waits for a user with the role {0}. Nothing is written before.", [__(APPROVER)]);
		const applied = [__("{0} values written, approved by {1}.", [count(doc.applied), by(doc.decided_by)])];
		if (doc.left_alone) applied.push(__("{0} had changed meanwhile and were left.", [count(doc.left_alone)]));
		const back = [__("{0} values have their former value again.", [count(doc.rolled_back)])];
		if (doc.kept) back.push(__("{0} had changed meanwhile and were left.", [count(doc.kept)]));
		const until = doc.rejected_until
			? __("No other is proposed before {0} is over.", [frappe.datetime.str_to_user(doc.rejected_until)])
			: "";
		const sentences = {
			Proposed: waits,
			Approved: __("Approved by {0}; waiting for a worker.", [by(doc.decided_by)]),
			Applying: doc.current_step || __("The values are being written."),
			Applied: applied.join(" "),
			"Partly Applied": applied.join(" "),
			"Rolling Back": doc.current_step || __("The former values are being written."),
			"Rolled Back": doc.rolled_back
				? back.join(" ")
				: __("Its values were given back when Who Orders was switched."),
			Rejected: `${__("Rejected by {0}: {1}", [by(doc.decided_by), doc.rejection_reason || ""])} ${until}`,
			Superseded: __("A later run replaced it. What reviewers said was taken over."),
		};
		return doc.error ? __("It stopped: see Error below. What was done stays; continue when it is put right.") : sentences[doc.status] || "";
	}

	function show_state(frm) {
		frm.set_intro("");
		const colour = frm.doc.error ? "red" : erp_forecast_addon.SET_COLOURS[frm.doc.status];
		frm.set_intro(frappe.utils.escape_html(state_sentence(frm)), colour);
	}

	function ask_to_roll_back(frm) {
		const values = format_number(frm.doc.applied, null, 0);
		frappe.confirm(
			`<p>${__("Give {0} values their former value back?", [values])}</p><p class="text-muted">${__(
				"Values that changed since they were applied are listed and left. It runs in the background; this set cannot be applied a second time."
			)}</p>`,
			() => call(frm, "roll_back").then(() => frm.reload_doc())
		);
	}

	function show_buttons(frm) {
		const { doc } = frm;
		const list = (label, filters) =>
			frm.add_custom_button(
				label,
				() => frappe.set_route("List", "Level Change", { change_set: doc.name, ...filters }),
				__("View")
			);
		list(__("Changes as a List"), {});
		if (doc.left_alone || doc.kept) list(__("What Was Left"), { status: ["in", ["Left", "Kept"]] });
		if (doc.forecast_run) {
			frm.add_custom_button(
				__("Forecast Run"),
				() => frappe.set_route("Form", "Forecast Run", doc.forecast_run),
				__("View")
			);
		}
		if (!frappe.user.has_role(APPROVER)) return;
		if (["Applied", "Partly Applied"].includes(doc.status) && doc.applied) {
			frm.add_custom_button(__("Roll Back"), () => ask_to_roll_back(frm));
		}
		if (MOVING.includes(doc.status)) show_resume(frm);
	}

	// A set whose worker died, or that stopped with an error, is taken up again; one that waits or runs is left.
	function show_resume(frm) {
		call(frm, "status").then(({ message }) => {
			if (!message || message.queued) return;
			frm.add_custom_button(__("Continue"), () =>
				call(frm, "resume").then(() => {
					frappe.show_alert({ message: __("It goes on as soon as a worker is free."), indicator: "blue" });
					setTimeout(() => frm.reload_doc(), ASK_AGAIN_MS);
				})
			).addClass("btn-primary");
		});
	}

	frappe.ui.form.on("Level Change Set", {
		setup: progress.setup,
		refresh(frm) {
			if (frm.is_new()) return;
			frm.disable_save();
			show_state(frm);
			show_buttons(frm);
			decisions.refresh(frm);
			progress.refresh(frm);
			erp_forecast_addon.level_change_overview.show(frm);
		},
		before_workflow_action: decisions.before_workflow_action,
	});
})();

{% include "erp_forecast_addon/public/js/forecast_styles.js" %}
{% include "erp_forecast_addon/public/js/svg_chart.js" %}
{% include "erp_forecast_addon/public/js/level_changes.js" %}
{% include "erp_forecast_addon/public/js/level_change_overview.js" %}

(function () {
	const APPROVER = "Forecast Approver";
	const MOVING = ["Approved", "Applying", "Rolling Back"];
	const ASK_AGAIN_MS = 3000;

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

	function show_progress(frm, percent, step) {
		frm.dashboard.hide_progress();
		if (!["Applying", "Rolling Back"].includes(frm.doc.status) || frm.doc.error) return;
		frm.dashboard.show_progress(__("Progress"), percent, step || __(frm.doc.status));
	}

	// Realtime brings progress; asking now and then brings it where realtime does not reach, and the end.
	function follow(frm) {
		clearTimeout(frm.change_set_timer);
		if (!MOVING.includes(frm.doc.status) || frm.doc.error) return;
		const name = frm.doc.name;
		frm.change_set_timer = setTimeout(() => {
			const shown = cur_frm === frm && frm.doc.name === name && !document.hidden;
			if (shown) frm.reload_doc();
		}, ASK_AGAIN_MS);
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

	function ask_for_reason(frm) {
		const dialog = new frappe.ui.Dialog({
			title: __("Reject these levels"),
			fields: [
				{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason for Rejection"), reqd: 1 },
				{
					fieldname: "until",
					fieldtype: "Date",
					label: __("Not Proposed Again Until"),
					description: __("Empty: for as many days as the company's Forecast Settings say."),
				},
			],
			primary_action_label: __("Reject"),
			primary_action({ reason, until }) {
				dialog.hide();
				call(frm, "reject", { reason, until: until || null }).then(() => frm.reload_doc());
			},
		});
		dialog.show();
	}

	// The workflow froze the page and would save the state before anyone gave a reason. The promise that is never
	// fulfilled stops it; the dialog decides in its place, reason and state in one transaction.
	function reject_with_reason(frm) {
		frappe.dom.unfreeze();
		frm.selected_workflow_action = null;
		ask_for_reason(frm);
		return new Promise(() => {});
	}

	// A site that switched our Workflow off still decides here.
	function show_decisions_without_workflow(frm) {
		const has_workflow = Boolean((frm.meta.__workflow_docs || []).length);
		if (has_workflow || frm.doc.status !== "Proposed" || !frappe.user.has_role(APPROVER)) return;
		frm.add_custom_button(__("Approve"), () => call(frm, "approve").then(() => frm.reload_doc()), __("Actions"));
		frm.add_custom_button(__("Reject"), () => ask_for_reason(frm), __("Actions"));
	}

	frappe.ui.form.on("Level Change Set", {
		// Once a form, not once a document: every listener looks at the document that the form shows.
		setup(frm) {
			frappe.realtime.on("progress", (data) => {
				const own = data.doctype === "Level Change Set" && data.docname === frm.doc.name;
				if (own) show_progress(frm, data.percent, data.description || data.title);
			});
		},
		refresh(frm) {
			if (frm.is_new()) return;
			frm.disable_save();
			show_state(frm);
			show_buttons(frm);
			show_decisions_without_workflow(frm);
			show_progress(frm, frm.doc.progress_pct || 0, frm.doc.current_step);
			follow(frm);
			frm.toggle_display(["rejection_reason", "rejected_until"], frm.doc.status === "Rejected");
			erp_forecast_addon.level_change_overview.show(frm);
		},
		before_workflow_action(frm) {
			return frm.selected_workflow_action === "Reject" ? reject_with_reason(frm) : Promise.resolve();
		},
	});
})();

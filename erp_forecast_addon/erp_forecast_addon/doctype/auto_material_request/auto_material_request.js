{% include "erp_forecast_addon/public/js/forecast_styles.js" %}
{% include "erp_forecast_addon/public/js/svg_chart.js" %}
{% include "erp_forecast_addon/public/js/order_state.js" %}
{% include "erp_forecast_addon/public/js/order_evidence.js" %}

(function () {
	function sentence({ doc }) {
		const by = doc.decided_by ? frappe.user.full_name(doc.decided_by) : "";
		const until = doc.rejected_until ? frappe.datetime.str_to_user(doc.rejected_until) : "";
		const edited = doc.edited_by_person ? ` ${__("A person has edited the draft; the planner leaves it as it is.")}` : "";
		const start = doc.order_by ? __("Start by {0}.", [frappe.datetime.str_to_user(doc.order_by)]) : "";
		const again = until ? ` ${__("Not proposed again until {0}.", [until])}` : "";
		const sentences = {
			Proposed: `${start} ${__("Its Material Request decides: submit it to agree, delete it to refuse.")}${edited}`,
			Approved: by ? __("{0} submitted its Material Request.", [by]) : __("Its Material Request was submitted."),
			Rejected: `${frappe.utils.escape_html(doc.rejection_reason || "")}${again}`,
			Withdrawn: __("Withdrawn: the need has gone, so the draft was removed."),
			Cancelled: __("Its Material Request was cancelled."),
		};
		return sentences[doc.status] || "";
	}

	frappe.ui.form.on("Auto Material Request", {
		refresh(frm) {
			frm.disable_save(); // it is evidence; its Material Request is what people change
			if (frm.is_new()) return;
			erp_forecast_addon.order_evidence.show(frm.fields_dict.evidence_html.$wrapper, frm.doc);
			if (frm.doc.material_request) {
				frm.add_custom_button(__("Open Material Request"), () =>
					frappe.set_route("Form", "Material Request", frm.doc.material_request)
				);
			}
			frm.set_intro("");
			frm.set_intro(sentence(frm), erp_forecast_addon.ORDER_COLOURS[frm.doc.status]);
			frm.page.set_indicator(__(frm.doc.status), erp_forecast_addon.ORDER_COLOURS[frm.doc.status] || "gray");
		},
	});
})();

// Styles of this app's charts and cards. Only Frappe's variables, so light and dark both follow the desk.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.add_styles = function () {
	frappe.dom.set_style(
		`
.ef { color: var(--text-color); font-size: var(--text-base, 13px); }
.ef-bar-row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin-bottom: 10px; }
.ef-bar-row .ef-space { flex: 1; }
.ef-bar-row select { width: auto; max-width: 320px; }
.ef-muted { color: var(--text-muted); }
.ef-chart { position: relative; border: 1px solid var(--border-color); border-radius: 8px; padding: 8px 4px 10px; }
.ef-svg { display: block; overflow: visible; }
.ef-grid { stroke: var(--border-color); stroke-width: 1; shape-rendering: crispEdges; }
.ef-zero { stroke: var(--gray-500); stroke-width: 1; shape-rendering: crispEdges; }
.ef-tick { fill: var(--text-muted); font-size: 11px; }
.ef-bar { fill: var(--gray-500); }
.ef-bar-running { fill-opacity: 0.45; }
.ef-out { fill: var(--red-500); }
.ef-band { fill: var(--blue-500); fill-opacity: 0.24; }
.ef-band-wide { fill-opacity: 0.12; }
.ef-forecast, .ef-stock { fill: none; stroke: var(--blue-500); stroke-width: 2; stroke-linejoin: round; }
.ef-dot { fill: var(--blue-500); }
.ef-override { fill: var(--purple-500, #7c3aed); }
.ef-legend .ef-key-override { height: 5px; background: var(--purple-500, #7c3aed); }
.ef-now { stroke: var(--gray-500); stroke-dasharray: 4 4; }
.ef-cursor { stroke: var(--gray-500); stroke-width: 1; pointer-events: none; }
.ef-level { stroke-width: 1.5; stroke-dasharray: 5 4; }
.ef-level-safety { stroke: var(--red-500); }
.ef-level-reorder { stroke: var(--orange-500, #e86c13); }
.ef-level-upto { stroke: var(--green-600, #278f5e); }
.ef-below { fill: var(--red-500); fill-opacity: 0.14; }
.ef-part-whole { fill: var(--gray-500); }
.ef-part-more { fill: var(--green-600, #278f5e); }
.ef-part-less { fill: var(--red-500); }
.ef-part-link { stroke: var(--gray-500); stroke-dasharray: 3 3; }
.ef-part-number { fill: var(--text-color); font-size: 11px; font-weight: 600; }
.ef-part-0 { fill: var(--gray-500); background: var(--gray-500) !important; }
.ef-part-1 { fill: var(--blue-400, #4da9f5); background: var(--blue-400, #4da9f5) !important; }
.ef-part-2 { fill: var(--cyan-500, #15b3c0); background: var(--cyan-500, #15b3c0) !important; }
.ef-part-3 { fill: var(--gray-700); background: var(--gray-700) !important; }
.ef-part-4 { fill: var(--orange-500, #e86c13); background: var(--orange-500, #e86c13) !important; }
.ef-part-5 { fill: var(--yellow-500, #edba13); background: var(--yellow-500, #edba13) !important; }
.ef-part-6 { fill: var(--green-500, #46b37e); background: var(--green-500, #46b37e) !important; }
.ef-part-7 { fill: var(--pink-500, #e34aa6); background: var(--pink-500, #e34aa6) !important; }
.ef-part-8 { fill: var(--red-500); background: var(--red-500) !important; }
.ef-part-9 { fill: var(--purple-500, #7c3aed); background: var(--purple-500, #7c3aed) !important; }
.ef-legend { display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 6px 12px 0 52px; color: var(--text-muted); font-size: 12px; }
.ef-legend span { display: inline-flex; align-items: center; gap: 6px; }
.ef-legend i { width: 12px; height: 10px; border-radius: 2px; display: inline-block; background: var(--gray-500); }
.ef-legend .ef-key-running { opacity: 0.45; }
.ef-legend .ef-key-out { background: var(--red-500); opacity: 0.25; }
.ef-legend .ef-key-line { height: 2px; background: var(--blue-500); }
.ef-legend .ef-key-band { background: var(--blue-500); opacity: 0.35; }
.ef-legend .ef-key-wide { background: var(--blue-500); opacity: 0.16; }
.ef-legend .ef-key-safety { height: 2px; background: var(--red-500); }
.ef-legend .ef-key-reorder { height: 2px; background: var(--orange-500, #e86c13); }
.ef-legend .ef-key-upto { height: 2px; background: var(--green-600, #278f5e); }
.ef-levels .ef-legend { padding-left: 0; }
.ef-levels { margin: 4px 0 10px; }
.ef-tip { position: absolute; z-index: 5; pointer-events: none; min-width: 150px; padding: 8px 10px; border-radius: 6px;
	background: var(--fg-color); border: 1px solid var(--dark-border-color); box-shadow: var(--shadow-md);
	font-size: 12px; color: var(--text-color); white-space: nowrap; }
.ef-tip > div { display: flex; justify-content: space-between; gap: 14px; }
.ef-tip span { color: var(--text-muted); }
.ef-tip-head { font-weight: 600; margin-bottom: 3px; }
.ef-numbers { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 8px; margin: 10px 0; }
.ef-number { border: 1px solid var(--border-color); border-radius: 8px; padding: 8px 10px; min-width: 0; }
.ef-number .ef-label { color: var(--text-muted); font-size: 12px; }
.ef-number .ef-value { font-size: 16px; font-weight: 600; overflow-wrap: anywhere; }
.ef-number .ef-note { color: var(--text-muted); font-size: 12px; }
.ef-number.ef-bad .ef-value { color: var(--red-600, #e03636); }
.ef h5 { margin: 20px 0 6px; font-size: 14px; font-weight: 600; color: var(--heading-color); }
.ef-table { width: 100%; border-collapse: collapse; font-size: 13px; }
.ef-table th { color: var(--text-muted); font-weight: 500; text-align: left; padding: 5px 8px; border-bottom: 1px solid var(--border-color); }
.ef-table td { padding: 6px 8px; border-bottom: 1px solid var(--border-color); vertical-align: top; }
.ef-table .ef-right { text-align: right; white-space: nowrap; }
.ef-scroll { overflow-x: auto; }
.ef-empty { border: 1px dashed var(--dark-border-color); border-radius: 8px; padding: 28px; text-align: center; color: var(--text-muted); }
.ef-card { border: 1px solid var(--border-color); border-radius: 8px; padding: 12px 14px; margin-bottom: 14px; }
.ef-card-head { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: baseline; }
.ef-card-head .ef-title { font-size: 15px; font-weight: 600; }
.ef-card-head .ef-qty { margin-left: auto; font-weight: 600; }
.ef-why { margin: 6px 0 4px; }
.ef-steps { width: 100%; border-collapse: collapse; }
.ef-steps td { padding: 3px 0; border-bottom: 1px dotted var(--border-color); }
.ef-steps td:last-child { text-align: right; white-space: nowrap; }
.ef-steps tr.ef-sum td { font-weight: 600; border-bottom: 1px solid var(--dark-border-color); }
.ef-steps tr.ef-step-section td { color: var(--text-muted); font-size: 12px; padding-top: 8px; border-bottom: none; }
.ef-columns { display: grid; grid-template-columns: minmax(300px, 1.2fr) minmax(280px, 1fr); gap: 20px; margin-top: 8px; }
@media (max-width: 768px) { .ef-columns { grid-template-columns: 1fr; } }
`,
		"erp-forecast-addon-style"
	);
};

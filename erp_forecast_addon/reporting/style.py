"""The look of the page: one style sheet, light and dark, no network."""

CSS = """
:root { color-scheme: light dark; --bg: #f6f7f9; --card: #ffffff; --text: #1d2433; --muted: #606b80; --line: #e1e5ec;
  --blue: #2f6fed; --blue-soft: #2f6fed33; --bar: #9db4d6; --red: #c8372d; --amber: #b26a00; --green: #1e7d4f;
  --out: #c8372d14; --head: #f0f2f6; }
@media (prefers-color-scheme: dark) { :root { --bg: #12161d; --card: #1b212b; --text: #e7ebf2; --muted: #9aa6ba;
  --line: #2c3543; --blue: #74a3ff; --blue-soft: #74a3ff38; --bar: #4d6285; --red: #ff7b70; --amber: #f0b04f;
  --green: #5dc995; --out: #ff7b701f; --head: #222a36; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 40px 0 4px; }
h3 { font-size: 15px; margin: 0; overflow-wrap: anywhere; }
p { margin: 4px 0; } .muted { color: var(--muted); } .small { font-size: 13px; }
a { color: var(--blue); text-decoration: none; } a:hover { text-decoration: underline; }
nav { margin-top: 12px; display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 14px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: 12px; margin-top: 20px; }
.card, .tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 14px 16px; }
.tile b { display: block; font-size: 22px; white-space: nowrap; line-height: 1.25; font-weight: 650;
  font-variant-numeric: tabular-nums; } .tile span { color: var(--muted); font-size: 13px; }
.card { padding: 16px 18px; margin-top: 12px; }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 2px 20px; align-items: baseline; }
.amount { font-size: 18px; font-weight: 650; font-variant-numeric: tabular-nums; white-space: nowrap; }
.scroll { overflow-x: auto; margin-top: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th { text-align: left; font-weight: 600; color: var(--muted); font-size: 12.5px; background: var(--head);
  white-space: nowrap; } th, td { padding: 6px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; } td.d { white-space: nowrap; } td.why { min-width: 260px; }
td.item { min-width: 190px; } td b { font-weight: 600; }
.pill { display: inline-block; border-radius: 99px; padding: 0 9px; font-size: 12px; line-height: 20px;
  border: 1px solid var(--line); color: var(--muted); white-space: nowrap; }
.pill.red { color: var(--red); border-color: currentColor; } .pill.amber { color: var(--amber);
  border-color: currentColor; } .pill.green { color: var(--green); border-color: currentColor; }
.items { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 520px), 1fr)); gap: 12px;
  margin-top: 12px; } .items .card { margin: 0; }
figure { margin: 10px 0 0; } figcaption { color: var(--muted); font-size: 12.5px; }
svg { display: block; width: 100%; height: auto; } svg.share-bar { width: 120px; }
.tick { font-size: 11px; fill: var(--muted); } .grid { stroke: var(--line); stroke-width: 1; }
.axis { stroke: var(--muted); } .zero { stroke: var(--muted); stroke-width: 1; } .bar { fill: var(--bar); }
.band { fill: var(--blue-soft); } .mean { stroke: var(--blue); stroke-width: 2; stroke-linejoin: round; }
.today { stroke: var(--muted); stroke-dasharray: 3 3; } .out { fill: var(--out); }
.stock { stroke: var(--blue); stroke-width: 2; } .stock.without { stroke: var(--muted); stroke-dasharray: 5 4;
  stroke-width: 1.5; } .level { stroke-width: 1.5; } .level.safety { stroke: var(--red); }
.level.reorder { stroke: var(--amber); stroke-dasharray: 6 3; } .share { fill: var(--bar); }
.key { display: inline-flex; align-items: center; gap: 5px; margin-right: 14px; white-space: nowrap; }
.key i { width: 16px; height: 0; border-top: 2px solid; display: inline-block; }
.key i.block { height: 9px; border: 0; border-radius: 2px; }
.empty { color: var(--muted); padding: 14px 0; } footer { margin-top: 40px; color: var(--muted); font-size: 13px; }
@media print { body { background: #fff; } .card, .tile { break-inside: avoid; } }
"""

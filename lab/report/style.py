"""How the report looks: one style sheet for light and dark, without anything from elsewhere."""

CSS = """
:root {
  color-scheme: light dark;
  --paper: #fbfbf9; --card: #ffffff; --ink: #1f2328; --soft: #5d6670; --line: #d9dce0; --faint: #eef0f2;
  --good: #2c8a57; --good-soft: #bfe3cd; --bad: #c9352b; --bad-soft: #f6cfcb; --fault: #d17a16;
  --fault-soft: #fbe3c4; --node: #7a56b8; --node-soft: #e2d8f5; --store: #2a6fb5; --store-soft: #cfe1f4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --card: #1b1f24; --ink: #e4e7ea; --soft: #98a1ab; --line: #343a41; --faint: #23282e;
    --good: #54c288; --good-soft: #214b35; --bad: #f2776c; --bad-soft: #57231f; --fault: #eda64e;
    --fault-soft: #553a17; --node: #b79bea; --node-soft: #3a2d57; --store: #72b0ee; --store-soft: #1e3b58;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 6px; font-weight: 650; }
h2 { font-size: 17px; margin: 0 0 12px; font-weight: 650; }
h3 { font-size: 15px; margin: 0 0 6px; font-weight: 600; }
.about { color: var(--soft); max-width: 75ch; margin: 0 0 20px; white-space: pre-line; }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px;
  margin: 18px 0; overflow-x: auto;
}
.verdict {
  display: inline-block; border-radius: 999px; padding: 2px 12px; font-weight: 650; font-size: 13px;
  letter-spacing: .04em; vertical-align: 4px; margin-left: 10px;
}
.verdict.good { background: var(--good-soft); color: var(--good); }
.verdict.bad { background: var(--bad-soft); color: var(--bad); }
.facts { display: flex; flex-wrap: wrap; gap: 6px 28px; margin: 0 0 8px; padding: 0; list-style: none; }
.facts li { color: var(--soft); }
.facts b { color: var(--ink); font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 13px; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--faint); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .soft { color: var(--soft); }
.failure { border-left: 4px solid var(--bad); padding: 2px 0 2px 14px; margin: 0 0 18px; }
.failure p { margin: 0 0 8px; }
pre {
  font: 12.5px/1.55 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; margin: 0;
  padding: 10px 12px; background: var(--faint); border-radius: 6px; overflow-x: auto;
}
pre .who { color: var(--store); } pre .drop { color: var(--bad); font-weight: 600; }
pre .now { background: var(--bad-soft); }
details { margin-top: 8px; } summary { cursor: pointer; color: var(--soft); }
svg { display: block; width: 100%; height: auto; }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--ink); }
svg .soft { fill: var(--soft); } svg .small { font-size: 11px; } svg .strong { font-weight: 600; }
svg .grid { stroke: var(--faint); } svg .axis { stroke: var(--line); }
svg .fault { fill: var(--fault-soft); stroke: var(--fault); }
svg .node { fill: var(--node-soft); stroke: var(--node); }
svg .store { fill: var(--store-soft); stroke: var(--store); }
svg .yes { fill: var(--good); } svg .no { fill: var(--bad); }
svg .yes-soft { fill: var(--good-soft); } svg .no-soft { fill: var(--bad); opacity: .8; }
svg .act { fill: var(--soft); }
svg .recovery { stroke: var(--fault); stroke-width: 2; stroke-dasharray: 3 3; }
svg .broken { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 5 3; }
svg .box { fill: var(--paper); stroke: var(--line); } svg .chip { fill: var(--store-soft); }
svg .network { stroke: var(--store); stroke-width: 3; }
svg .plug { stroke: var(--store); stroke-width: 1.5; }
svg .curve { fill: none; stroke-width: 2; }
@media print { section { break-inside: avoid; } }
"""

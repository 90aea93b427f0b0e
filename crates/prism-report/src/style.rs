//! The one style sheet of all reports, inlined into each.
//!
//! Light and dark follow the reader's system. No fonts, images or scripts are loaded from anywhere.

/// Forbids the page to run or load anything, should an escape ever fail.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The style sheet.
pub const CSS: &str = r"
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --line: #dfe3e8; --grid: #eceff3; --ink: #1b2430; --soft: #5b6776;
  --code: #f1f3f6; --accent: #1f6feb; --one: #1f6feb; --two: #d1620a; --three: #16845b; --four: #8b46c9;
  --good: #14734d; --good-bg: #e2f5ec; --bad: #b3261e; --bad-bg: #fdeae8; --warn: #8a5a00; --warn-bg: #fff4db;
  --mark: #98a2ae;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f141a; --card: #171e26; --line: #2b3540; --grid: #212a33; --ink: #e6ebf1; --soft: #9aa7b5;
    --code: #10161d; --accent: #6aa8ff; --one: #6aa8ff; --two: #f0954a; --three: #4fc796; --four: #c79af2;
    --good: #6fd8a8; --good-bg: #12322a; --bad: #ff9a92; --bad-bg: #3b1c1c; --warn: #f0c469; --warn-bg: #38290c;
    --mark: #6b7886;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif;
}
main { max-width: 980px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0; overflow-wrap: anywhere; letter-spacing: -0.01em; }
h2 { font-size: 17px; margin: 0 0 12px; }
h3 { font-size: 14px; margin: 18px 0 6px; color: var(--soft); font-weight: 600; }
p { margin: 0 0 10px; max-width: 76ch; }
p:last-child { margin-bottom: 0; }
a { color: var(--accent); }
.soft { color: var(--soft); }
.small { font-size: 13px; }
header { display: flex; flex-wrap: wrap; gap: 10px 14px; align-items: center; margin-bottom: 4px; }
.lead { color: var(--soft); margin-bottom: 20px; }
.pill { border-radius: 99px; padding: 2px 12px; font-size: 13px; font-weight: 600; white-space: nowrap; }
.good { color: var(--good); background: var(--good-bg); }
.bad { color: var(--bad); background: var(--bad-bg); }
.warn { color: var(--warn); background: var(--warn-bg); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin: 0 0 16px; }
.card.notice { border-left: 4px solid var(--warn); }
.card.failure { border-left: 4px solid var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 10px; margin-bottom: 16px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
.tile .name { color: var(--soft); font-size: 13px; }
.tile .value { font-size: 22px; font-weight: 650; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.tile .more { color: var(--soft); font-size: 13px; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--grid); vertical-align: top; }
tr:last-child > * { border-bottom: 0; }
th { font-weight: 600; color: var(--soft); font-size: 13px; }
tbody th { font-weight: 400; color: var(--ink); font-size: inherit; width: 34%; }
td.number, th.number { text-align: right; white-space: nowrap; }
.total > * { font-weight: 650; border-top: 1px solid var(--mark); }
code, pre, .mono { font: 13px/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
code { background: var(--code); border-radius: 4px; padding: 1px 5px; overflow-wrap: anywhere; }
pre {
  background: var(--code); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; margin: 8px 0 0;
  overflow: auto; max-height: 480px; white-space: pre-wrap; overflow-wrap: anywhere;
}
.formula { white-space: pre-wrap; color: var(--soft); margin: 0 0 12px; }
.flags { margin: 0; padding: 0; list-style: none; }
.flags li { margin-bottom: 10px; }
.flags li:last-child { margin-bottom: 0; }
details { border-top: 1px solid var(--grid); padding: 8px 0; }
details:first-of-type { border-top: 0; }
summary { cursor: pointer; }
figure { margin: 0; }
figcaption { color: var(--soft); font-size: 13px; margin-top: 8px; max-width: 76ch; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; margin-bottom: 6px; color: var(--soft); }
.legend i { display: inline-block; width: 18px; height: 0; border-style: solid; border-width: 3px 0 0; margin: 0 7px 4px 0; }
.legend i.dashed { border-style: dashed; border-width: 2px 0 0; }
.legend .c1 { border-color: var(--one); } .legend .c2 { border-color: var(--two); }
.legend .c3 { border-color: var(--three); } .legend .c4 { border-color: var(--four); }
.legend i.dash { border-style: dotted; } .series.dash { stroke-dasharray: 7 4; }
.legend .cm { border-color: var(--mark); }
svg { display: block; width: 100%; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
.grid { stroke: var(--grid); } .axis { stroke: var(--mark); }
.series { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.thin { stroke-width: 1.2; opacity: 0.75; }
.series.c1 { stroke: var(--one); } .series.c2 { stroke: var(--two); }
.series.c3 { stroke: var(--three); } .series.c4 { stroke: var(--four); }
.rule { stroke: var(--mark); stroke-dasharray: 5 4; }
.hit { fill: transparent; stroke: none; } .hit:hover { fill: var(--ink); }
.cell { fill: var(--one); }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); gap: 16px 28px; align-items: start; }
.columns tbody th { width: 62%; }
footer { color: var(--soft); font-size: 13px; margin-top: 24px; }
.narrow { display: none; }
@media (max-width: 640px) {
  main { padding: 20px 12px 48px; } .card { padding: 14px 12px; }
  .wide { display: none; } .narrow { display: block; }
}
@media print { body { background: #fff; } pre { max-height: none; } }
";

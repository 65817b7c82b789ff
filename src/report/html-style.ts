// SPDX-License-Identifier: Apache-2.0
/** The look of a report: light and dark, on paper, on a telephone. No font, picture or script of anybody. */

/** Widths of bars in percent: a strict policy forbids style attributes. */
const WIDTHS = Array.from({ length: 101 }, (_, at) => `.w${at}{flex-grow:${at}}`).join('');

export const STYLE = `
:root{color-scheme:light dark;--fg:#1b1f24;--soft:#59636e;--bg:#fff;--panel:#f6f8fa;--line:#d1d9e0;--link:#0b57c2;
--good:#1a7f37;--bad:#cf222e;--open:#9a6700;--sign:#0969da;--goodbg:#dafbe1;--badbg:#ffebe9;--openbg:#fff8c5}
@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--soft:#9198a1;--bg:#0d1117;--panel:#161b22;--line:#3d444d;--link:#79b8ff;
--good:#56d364;--bad:#ff8a80;--open:#e3b341;--sign:#79b8ff;--goodbg:#12261e;--badbg:#2d1719;--openbg:#272115}}
*{box-sizing:border-box}
html{scroll-padding-top:5rem}
body{font:16px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:75rem;margin:0 auto;padding:0 1.2rem 3rem}
a{color:var(--link)}
nav{position:sticky;top:0;z-index:1;background:var(--bg);border-bottom:1px solid var(--line);display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;padding:.55rem 0;font-size:.9rem}
nav a{text-decoration:none;white-space:nowrap}nav a:hover{text-decoration:underline}
.banner{margin:1.2rem 0;padding:1.1rem 1.4rem;border:1px solid var(--line);border-left:.5rem solid var(--soft);border-radius:.5rem;background:var(--panel)}
.banner h1{font-size:1.75rem;line-height:1.25;margin:0}
.banner .subject{font-size:1.1rem;margin:.15rem 0 .8rem;color:var(--soft);overflow-wrap:anywhere}
.good{border-left-color:var(--good);background:var(--goodbg)}.bad{border-left-color:var(--bad);background:var(--badbg)}.open{border-left-color:var(--open);background:var(--openbg)}
.good h1{color:var(--good)}.bad h1{color:var(--bad)}.open h1{color:var(--open)}
dl{display:flex;flex-wrap:wrap;gap:.4rem 2rem;margin:0}dt{font-size:.75rem;color:var(--soft);text-transform:uppercase;letter-spacing:.04em}dd{margin:0;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2.2rem 0 .6rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:1.2rem 0 .3rem}
.note{padding:.6rem .9rem;border:1px solid var(--open);border-radius:.4rem;background:var(--openbg);margin:.6rem 0;overflow-wrap:anywhere}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:1rem}
.card{border:1px solid var(--line);border-radius:.5rem;padding:.7rem 1rem}
.card h2{border:0;margin:0;font-size:1.05rem}.card p{margin:.1rem 0 .4rem;color:var(--soft);font-size:.9rem}
table{border-collapse:collapse;width:100%;font-size:.88rem}
th,td{text-align:left;vertical-align:top;padding:.28rem .6rem .28rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
th{font-weight:600;color:var(--soft);white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.82rem;overflow-wrap:anywhere;white-space:pre-wrap}
pre{background:var(--panel);border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem;margin:.4rem 0;line-height:1.45}
pre b{background:var(--badbg);color:var(--bad);font-weight:600}
ins{text-decoration:none;color:var(--good);background:var(--goodbg)}del{text-decoration:none;color:var(--bad);background:var(--badbg)}
bdi{unicode-bidi:isolate}
ul{list-style:none;padding:0;margin:.3rem 0}li{overflow-wrap:anywhere;padding:.3rem 0 .3rem .9rem;border-left:3px solid var(--line);margin:.25rem 0}
#proven li{border-color:var(--good)}#not-proven li{border-color:var(--bad)}#carried li{border-color:var(--open)}
li summary{list-style:none}li summary::-webkit-details-marker{display:none}
li summary::after{content:"check";margin-left:.6em;font-size:.75rem;color:var(--link);border-bottom:1px dotted}
li details[open]{padding-bottom:.3rem}
summary{cursor:pointer}
.how{font-size:.85rem;color:var(--soft);margin:.2rem 0 0}.how code{color:var(--fg)}
.finding{border:1px solid var(--line);border-radius:.4rem;margin:.35rem 0;padding:.35rem .7rem}
.finding>summary{overflow-wrap:anywhere}.finding[open]>summary{font-weight:600}
.finding :target{outline:2px solid var(--link);outline-offset:.4rem}
.soft{color:var(--soft)}
.stack{display:flex;height:.7rem;border-radius:.2rem;overflow:hidden;margin:.25rem 0;background:var(--line);min-width:8rem}
i{flex:0 0 3px}
${WIDTHS}
.stack .b-identical{background:var(--good)}.stack .b-reencoded{background:#3aa6a0}.stack .b-signature{background:var(--sign)}
.stack .b-excluded{background:var(--open)}.stack .b-encrypted,.stack .b-unread{background:#8957e5}.stack .b-different,.stack .b-missing{background:var(--bad)}
.legend{font-size:.78rem;color:var(--soft)}
td[class^=o-]{white-space:nowrap}
.o-identical{color:var(--good)}.o-signature{color:var(--sign)}.o-different,.o-missing{color:var(--bad);font-weight:600}
.o-unread,.o-encrypted,.o-excluded{color:var(--open);font-weight:600}
footer{margin-top:3rem;border-top:1px solid var(--line);color:var(--soft);font-size:.85rem;overflow-wrap:anywhere}
@media(max-width:40rem){body{padding:0 .7rem 2rem}.banner h1{font-size:1.35rem}}
@media print{:root{color-scheme:light;--fg:#000;--bg:#fff}nav{display:none}body{max-width:none;font-size:10pt;padding:0}
.banner,.card,.finding,li,tr{break-inside:avoid}a{color:inherit;text-decoration:none}details{display:block}
details::details-content{content-visibility:visible;height:auto}.stack{print-color-adjust:exact}}
`;

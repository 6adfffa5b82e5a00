// The style sheet of all pages, inline and pinned by hash: no page loads anything from anywhere.
import { createHash } from 'node:crypto'

// Contrast is at least 4.5:1 for text and 3:1 for borders and focus, in both schemes (WCAG 2.2 §1.4.3, §1.4.11).
export const STYLE = `
:root{color-scheme:light dark;--paper:#f6f7f9;--card:#fff;--ink:#1b2430;--soft:#4d5968;--line:#7d8896;--deed:#1f5fae;--deed-ink:#fff;--warn:#a3261b}
@media (prefers-color-scheme:dark){:root{--paper:#12171e;--card:#1b222c;--ink:#e8edf3;--soft:#a9b5c3;--line:#75818f;--deed:#7db4f5;--deed-ink:#0c1520;--warn:#ff9c92}}
*{box-sizing:border-box}
[hidden]{display:none!important}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:38rem;margin:8vh auto;padding:0 1rem 2rem}
article{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1.5rem 1.25rem}
h1{font-size:1.4rem;line-height:1.25;margin:0 0 .75rem;overflow-wrap:anywhere}
h2{font-size:1rem;margin:1.25rem 0 .25rem}
p,dd,li{overflow-wrap:anywhere}
ul{padding-left:1.2rem;margin:.25rem 0}
dl{display:grid;grid-template-columns:fit-content(45%) 1fr;gap:.25rem 1rem;margin:1rem 0;font-size:.95rem}
dt{color:var(--soft);min-width:6.5rem}
dd{margin:0}
code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.soft{color:var(--soft)}
.deed small{font-size:.85em}
.warn{color:var(--warn)}
.deeds{display:flex;flex-wrap:wrap;gap:.6rem;margin:1.25rem 0 0;padding:0;list-style:none}
.column{flex-direction:column;align-items:stretch}
form{margin:0}
a{color:var(--deed)}
.deed{display:inline-block;width:100%;min-height:2.75rem;padding:.55rem 1rem;border:1px solid var(--deed);border-radius:.4rem;background:none;color:var(--deed);font:inherit;text-align:center;text-decoration:none;cursor:pointer;overflow-wrap:anywhere}
.first{background:var(--deed);color:var(--deed-ink)}
a:focus-visible,button:focus-visible{outline:3px solid var(--ink);outline-offset:3px}
footer{margin:1rem .25rem 0;color:var(--soft);font-size:.85rem}
@media (max-width:26rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}.deeds{flex-direction:column;align-items:stretch}}
`

/** Source expression for `style-src` (CSP3 §2.3.1): these bytes and no other style. */
export const STYLE_SOURCE = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`

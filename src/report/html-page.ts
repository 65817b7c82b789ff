// SPDX-License-Identifier: Apache-2.0
/**
 * One page of a report: no script, nothing from anywhere, readable from `file://`
 * (https://www.w3.org/TR/CSP3/, https://www.w3.org/TR/referrer-policy/).
 */
import { createHash } from 'node:crypto';
import { html, type Html } from './html-template.js';

const STYLE = `
:root{color-scheme:light dark}
body{font:16px/1.45 system-ui,sans-serif;max-width:75rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;margin:.2em 0}h2{font-size:1.2rem;margin:1.6em 0 .4em;border-bottom:1px solid #8886}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.2em .5em;border-bottom:1px solid #8884;overflow-wrap:anywhere}
th,td.n,td[class^=o-]{overflow-wrap:normal;white-space:nowrap}
td.n{text-align:right;font-variant-numeric:tabular-nums}
code,pre{font-family:ui-monospace,monospace;font-size:.85rem;overflow-wrap:anywhere;white-space:pre-wrap}
pre{background:#8881;padding:.5em;margin:.3em 0}
bdi{unicode-bidi:isolate}
li{overflow-wrap:anywhere;margin:.2em 0}
details>summary{cursor:pointer}
.verdict{padding:.6em .8em;border-left:.4em solid #888;background:#8881}
.good{border-color:#2a7d2a}.bad{border-color:#b3261e}.open{border-color:#a06a00}
.note{padding:.5em .8em;border:1px solid #a06a00;margin:.6em 0}
.o-different,.o-missing{color:#b3261e;font-weight:600}.o-unread,.o-encrypted,.o-excluded{color:#a06a00;font-weight:600}
@media(prefers-color-scheme:dark){.o-different,.o-missing{color:#ff8a80}.o-unread,.o-encrypted,.o-excluded{color:#ffc46b}}
`;

const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

const HEAD = html`<!doctype html>
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
      <meta name="referrer" content="no-referrer" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
    </head>
  </html> `.markup;

export function page(title: string, body: Html): string {
  // the style is hashed byte for byte, so it stands outside of the template
  return `${HEAD}<style>${STYLE}</style>
${
  html`<title>${title}</title>
</head>
<body>
${body}
</body>
</html>
`.markup
}`;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * One page of a report: no script, nothing from anywhere, readable from `file://`
 * (https://www.w3.org/TR/CSP3/, https://www.w3.org/TR/referrer-policy/).
 */
import { createHash } from 'node:crypto';
import { STYLE } from './html-style.js';
import { html, type Html } from './html-template.js';

const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

const HEAD = html`<!doctype html>
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
      <meta name="referrer" content="no-referrer" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
    </head>
  </html> `.markup.replace(/<\/head>\s*<\/html>\s*/, '');

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

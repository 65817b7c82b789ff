// SPDX-License-Identifier: Apache-2.0
/** What a member is, from its name: for grouping and wording only. */
import type { MemberKind } from './types.js';

const TYPES: readonly (readonly [RegExp, MemberKind, string])[] = [
  [/^AndroidManifest\.xml$/, 'manifest', 'android-manifest'],
  [
    /(^|\/)(control|md5sums|conffiles|shlibs|symbols|triggers|preinst|postinst|prerm|postrm)$/,
    'manifest',
    'debian-control',
  ],
  [/\.plist$/, 'manifest', 'property-list'],
  [/^META-INF\/[^/]+\.(SF|RSA|DSA|EC)$/i, 'signature', 'jar-signature'],
  [/^stamp-cert-sha256$/, 'signature', 'source-stamp'],
  [/\.dex$/, 'code', 'dex'],
  [/\.so(\.[0-9]+)*$/, 'code', 'native-library'],
  [/\.(class|jar|aar)$/, 'code', 'java'],
  [/\.(js|mjs|wasm|py|pl|rb|lua|tcl|sh)$/, 'code', 'script'],
  [/(^|\/)(usr\/)?s?bin\/[^/]+$/, 'code', 'program'],
  [/(^|\/)(data|control)\.tar(\.(xz|gz|zst))?$/, 'container', 'tar'],
  [/\.(zip|apk|aab|apks)$/, 'container', 'zip'],
  [/\.(gz|xz|zst)$/, 'container', 'compressed'],
  [/^resources\.arsc$/, 'data', 'resource-table'],
  [/\.(png|jpe?g|webp|gif|svg)$/, 'data', 'image'],
  [/\.(xml|json|txt|html|md|properties|version|kotlin_module|conf|po)$/, 'data', 'text'],
  [/\.mo$/, 'data', 'translations'],
];

/** Most names match nothing: asked at once, without regard to case. */
const ANY = new RegExp(TYPES.map(([pattern]) => pattern.source).join('|'), 'i');

export function classify(name: string): { readonly kind: MemberKind; readonly type: string } {
  if (ANY.test(name))
    for (const [pattern, kind, type] of TYPES) if (pattern.test(name)) return { kind, type };
  return { kind: 'data', type: 'other' };
}

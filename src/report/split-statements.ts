// SPDX-License-Identifier: Apache-2.0
/** What a set of splits adds to a report: of which devices it speaks, what they were not given, what is no part of the app. */
import type { NotDeliveredReason } from '../compare/types.js';
import { clause, count, quoted, say, some, type DecidedFacts } from './say.js';
import { deviceText, scopeOf } from './split-scope.js';
import type { Statement } from './types.js';

const SHOWN = 20;

const NOT_DELIVERED = {
  'on-demand': 'of modules that are delivered on demand',
  'other-abi': 'for other processors',
  'other-density': 'for other screens',
  'other-language': 'for other languages',
  'other-sdk': 'for newer versions of Android',
  'other-variant': 'of other variants of the bundle',
} as const satisfies Record<NotDeliveredReason, string>;

export function splitStatements({ comparison }: DecidedFacts): Statement[] {
  const splits = comparison?.splits;
  const scope = comparison === undefined ? undefined : scopeOf(comparison);
  if (splits === undefined || scope === undefined) return [];
  const list = [
    say(
      'scope',
      `The splits are an app as ${count(splits.deliveries.length, 'device')} got it: compared were ${scope.text}. Other devices get other splits, and nothing is said about those.`,
      ['/comparison/splits/deliveries', '/comparison/splits/notDelivered'],
      'for split in PUBLISHED/*.apk; do aapt2 dump xmltree --file AndroidManifest.xml "$split" | grep -m3 -E "package=|split=|minSdk"; done',
    ),
  ];
  for (const [at, delivery] of splits.deliveries.entries())
    list.push(
      say(
        'delivery',
        `${delivery.name}: ${count(delivery.files.length, 'split')} for ${deviceText(delivery)}${delivery.device.derived ? ' (derived from the splits themselves: nobody said what device it was)' : ''}${delivery.variant === undefined ? '' : `, of the variant for SDK ${delivery.variant.minSdk} and later`}.`,
        [`/comparison/splits/deliveries/${at}`],
        `ls ${quoted(delivery.name)} && cat device.json`,
      ),
    );
  for (const reason of Object.keys(NOT_DELIVERED) as NotDeliveredReason[]) {
    const names = splits.notDelivered.filter((one) => one.reason === reason).map(({ name }) => name);
    if (names.length > 0)
      list.push(
        say(
          'not-delivered',
          `${count(names.length, 'rebuilt split')} ${NOT_DELIVERED[reason]} ${names.length === 1 ? 'was' : 'were'} not delivered here and not compared: ${some(names, SHOWN)}.`,
          ['/comparison/splits/notDelivered'],
          'unzip -l REBUILT',
        ),
      );
  }
  for (const [at, { code, detail }] of splits.issues.entries())
    list.push(
      say(code, `${clause(detail)}.`, [`/comparison/splits/issues/${at}`], 'unzip -l PUBLISHED   # or ls'),
    );
  if (splits.metadata.length > 0)
    list.push(
      say(
        'container-metadata',
        `${count(splits.metadata.length, 'file')} around the splits ${splits.metadata.length === 1 ? 'is' : 'are'} container metadata, no part of the app, and nothing is said about ${splits.metadata.length === 1 ? 'it' : 'them'}: ${some(
          splits.metadata.map(({ side, name }) => `${name} (${side})`),
          SHOWN,
        )}.`,
        ['/comparison/splits/metadata'],
        'unzip -l PUBLISHED',
      ),
    );
  return list;
}

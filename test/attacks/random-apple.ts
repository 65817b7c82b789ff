// SPDX-License-Identifier: Apache-2.0
/** Files of Apple's bundles that are nearly right: property lists, lists of resources, catalogs, nibs, texts. */
import { binaryOf, binaryPlist, collection, raw, xmlPlist, type Plain } from '../helpers/build-plist.js';
import { buildCar, nodeBlock, treeBlock } from '../helpers/build-car.js';
import { buildNib, type NibPlain } from '../helpers/build-nib.js';
import { codeResources } from '../helpers/seal-bundle.js';
import type { Numbers } from './real-mutations.js';

const TEXTS = ['', 'a', 'CFBundleVersion', 'ü🙂', '\ud800', 'x'.repeat(300), '</string>', '&amp;'];

function plain(numbers: Numbers, depth = 0): Plain {
  const many = <T>(one: () => T): T[] => Array.from({ length: numbers.below(6) }, one);
  switch (numbers.below(depth > 4 ? 6 : 9)) {
    case 0:
      return numbers.of(TEXTS);
    case 1:
      return numbers.of([0n, -1n, 255n, 65_536n, 2n ** 63n, -(2n ** 63n), 2n ** 64n - 1n]);
    case 2:
      return numbers.below(2) === 0;
    case 3:
      return numbers.below(1000) / 7;
    case 4:
      return new Date(numbers.below(2_000_000_000) * 1000);
    case 5:
      return numbers.bytes(numbers.below(40));
    case 6:
      return many(() => plain(numbers, depth + 1));
    default:
      return Object.fromEntries(
        many(() => [`${numbers.of(TEXTS)}${numbers.below(5)}`, plain(numbers, depth + 1)]),
      );
  }
}

export function randomBinaryPlist(numbers: Numbers): Buffer {
  if (numbers.below(3) > 0)
    return binaryPlist(
      numbers.below(4) > 0 ? plain(numbers) : [raw({ kind: 'uid', value: 7n }), plain(numbers)],
    );
  // objects that refer to any other: cycles, bombs, chains
  const count = 1 + numbers.below(60);
  const objects = Array.from({ length: count }, () => {
    const references = Array.from({ length: 2 * numbers.below(8) }, () => numbers.below(count + 1));
    const marker = numbers.of([0xa0, 0xa0, 0xc0, 0xd0]);
    return numbers.below(3) === 0
      ? Buffer.from('\x51a', 'latin1')
      : collection(marker, marker === 0xd0 ? references.length / 2 : references.length, references);
  });
  return binaryOf(objects, numbers.below(4) === 0 ? { top: BigInt(numbers.below(count)) } : {});
}

const FRAGMENTS = [
  '<dict>',
  '</dict>',
  '<array>',
  '<key>a</key>',
  '<string>',
  '</string>',
  '<true/>',
  '<integer>-1</integer>',
  '<data>AA==</data>',
  '<!-- x -->',
  '<!-->',
  '<![CDATA[',
  ']]>',
  '&lt;',
  '&#x0;',
  '<!DOCTYPE plist [',
  '</plist>',
  '\0',
];

export function randomXmlPlist(numbers: Numbers): Buffer {
  const value = numbers.below(3) === 0 ? plain(numbers) : { a: plain(numbers), b: [plain(numbers)] };
  let text = xmlPlist(value).toString('utf8');
  for (let times = numbers.below(3); times > 0; times--) {
    const at = numbers.below(text.length + 1);
    text = `${text.slice(0, at)}${numbers.of(FRAGMENTS)}${text.slice(at + numbers.below(8))}`;
  }
  return Buffer.from(text, 'utf8');
}

const LIST = codeResources({ Main: 'x', 'a.txt': 'a', 'de.lproj/b': 'b', link: { link: 'a.txt' } }).toString(
  'utf8',
);

export function randomCodeResources(numbers: Numbers): Buffer {
  const lines = LIST.split(/(?<=\n)/);
  for (let times = numbers.below(3); times > 0; times--)
    lines.splice(numbers.below(lines.length), numbers.below(2), numbers.of(lines));
  return Buffer.from(lines.join(''), 'utf8');
}

export function randomCar(numbers: Numbers): Buffer {
  const renditions = Array.from({ length: numbers.below(8) }, (_, at) => ({
    name: numbers.of(['a.png', '', 'x'.repeat(127)]),
    key: [numbers.below(4), at],
    data: numbers.bytes(numbers.below(200)),
    ...(numbers.below(6) === 0 ? { statedSize: numbers.below(400) } : {}),
  }));
  const own = 13 + 2 * renditions.length;
  const node = (): Buffer =>
    nodeBlock(
      numbers.below(2) === 0,
      Array.from(
        { length: numbers.below(5) },
        () => [numbers.below(own + 6), numbers.below(own + 6)] as const,
      ),
      numbers.below(own + 6),
    );
  const isOdd = numbers.below(2) === 0;
  return buildCar({
    facets: { A: 1, B: 2 },
    renditions,
    ...(isOdd
      ? {
          parts: {
            blocks: [treeBlock(own + numbers.below(4), 1), node(), node(), node()],
            variables: {
              OTHER: own + numbers.below(2),
              ...(numbers.below(2) === 0 ? { RENDITIONS: own } : {}),
            },
          },
        }
      : {}),
  });
}

export function randomNib(numbers: Numbers): Buffer {
  const count = 1 + numbers.below(20);
  const value = (): NibPlain =>
    numbers.of([
      null,
      true,
      'text',
      { int: 5 },
      { object: numbers.below(count) },
      { object: numbers.below(count + 1) },
    ]);
  return buildNib(
    Array.from({ length: count }, () => ({
      className: numbers.of(['UIView', 'NSArray', 'ü']),
      values: Array.from({ length: numbers.below(5) }, () => [numbers.of(['a', 'b', '']), value()] as const),
    })),
    Buffer.from(numbers.bytes(numbers.below(4))),
  );
}

export function randomStrings(numbers: Numbers): Buffer {
  const part = (): string =>
    numbers.of(['"a"', ' = ', ';', '"b\\n"', '/* c */', '// d\n', 'word', '\\', '"', '\n', '"ü🙂"', '/*']);
  const text =
    numbers.below(3) === 0
      ? '/* a */ "k" = "v";\n"x" = y;\n'
      : Array.from({ length: numbers.below(12) }, part).join('');
  const kind = numbers.below(3);
  if (kind === 0) return Buffer.from(text);
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return kind === 1 ? bytes : bytes.swap16();
}

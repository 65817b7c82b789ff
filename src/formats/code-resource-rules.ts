// SPDX-License-Identifier: Apache-2.0
/**
 * The patterns in the rules of `CodeResources` that Apple's tools write. Those of a file are an attacker's regular
 * expressions: none of them is run, these here are.
 * https://github.com/apple-oss-distributions/Security/blob/main/OSX/libsecurity_codesigning/lib/bundlediskrep.cpp
 */
export interface ResourceRule {
  /** A regular expression of POSIX; only those that Apple's tools write are understood. */
  readonly pattern: string;
  readonly weight: number;
  readonly omit: boolean;
  readonly optional: boolean;
  readonly nested: boolean;
}

const bases = ['', 'Resources/', 'Contents/Resources/'];

export const RESOURCE_RULES: ReadonlyMap<string, (path: string) => boolean> = new Map<
  string,
  (path: string) => boolean
>([
  ['^', () => true],
  ['^.*', () => true],
  ['^version.plist$', (path) => /^version.plist$/s.test(path)],
  ['^version\\.plist$', (path) => path === 'version.plist'],
  ['^Info\\.plist$', (path) => path === 'Info.plist'],
  ['^PkgInfo$', (path) => path === 'PkgInfo'],
  ['^embedded\\.provisionprofile$', (path) => path === 'embedded.provisionprofile'],
  ['^(.*/)?\\.DS_Store$', (path) => path === '.DS_Store' || path.endsWith('/.DS_Store')],
  ['.*\\.dSYM($|/)', (path) => path.endsWith('.dSYM') || path.includes('.dSYM/')],
  ['^[^/]+$', (path) => path !== '' && !path.includes('/')],
  [
    '^(Frameworks|SharedFrameworks|PlugIns|Plug-ins|XPCServices|Helpers|MacOS|Library/(Automator|Spotlight|LoginItems))/',
    (path) =>
      /^(?:Frameworks|SharedFrameworks|PlugIns|Plug-ins|XPCServices|Helpers|MacOS|Library\/(?:Automator|Spotlight|LoginItems))\//.test(
        path,
      ),
  ],
  ...bases.flatMap((base): readonly (readonly [string, (path: string) => boolean])[] => [
    ...(base === '' ? [] : [[`^${base}`, (path: string) => path.startsWith(base)] as const]),
    // with `.*` between, the directory may lie deeper
    [`^${base}.*\\.lproj/`, (path) => path.startsWith(base) && path.includes('.lproj/', base.length)],
    [`^${base}Base\\.lproj/`, (path) => path.startsWith(`${base}Base.lproj/`)],
    [
      `^${base}.*\\.lproj/locversion.plist$`,
      (path) => path.startsWith(base) && /\.lproj\/locversion.plist$/s.test(path.slice(base.length)),
    ],
  ]),
]);

/** The rule that decides about a path: of those that match, the first of the greatest weight. */
export function resourceRuleFor(rules: readonly ResourceRule[], path: string): ResourceRule | undefined {
  let best: ResourceRule | undefined;
  for (const rule of rules)
    if (
      RESOURCE_RULES.get(rule.pattern)?.(path) === true &&
      (best === undefined || rule.weight > best.weight)
    )
      best = rule;
  return best;
}

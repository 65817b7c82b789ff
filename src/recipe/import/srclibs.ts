// SPDX-License-Identifier: Apache-2.0
/** The sources of other projects that F-Droid's builds name, from the files that say where those come from. */
import { UsageError } from '../../errors.js';
import { checkYaml, formatProblem } from '../load.js';
import { srclibSchema, type Srclib } from './fdroid-schema.js';

/** Names that builds of these metadata use: what to look for beside them. */
export function srclibNames(text: string): readonly string[] {
  // before the whole is checked: a name that is none is told then
  return [
    ...new Set(
      [...text.matchAll(/^\s*- (?:\d+:)?([A-Za-z0-9][\w.+-]*)(?:\/\S*)?@\S+\s*$/gm)].map(
        ([, name = '']) => name,
      ),
    ),
  ];
}

/** @throws UsageError `import-invalid` */
export function readSrclib(file: string, text: string): Srclib {
  const checked = checkYaml(srclibSchema, file, text, { scalars: 'failsafe' });
  if (checked.kind === 'valid') return checked.value;
  throw new UsageError('import-invalid', checked.problems.map(formatProblem).join('; '));
}

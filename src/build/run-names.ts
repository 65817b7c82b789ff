// SPDX-License-Identifier: Apache-2.0
/** How what an engine holds of a run is called, so that it is found again when the run itself cannot say. */

/** Every container of a run carries it. */
export const RUN_LABEL = 'org.samesource.run';

export const runLabel = (run: string): readonly string[] => ['--label', `${RUN_LABEL}=${run}`];

export const imageOfRun = (run: string, what: 'image' | 'prepared'): string =>
  `localhost/samesource-${run}-${what}:latest`;

/** Where somebody looks inside of a phase that ended. */
export const shellContainer = (run: string, phase: 'prepare' | 'build'): string =>
  `samesource-${run}-shell-${phase}`;

export const shellImage = (run: string, phase: 'prepare' | 'build'): string =>
  `localhost/samesource-${run}-shell-${phase}:latest`;

/** The one that was made of the other first. */
export const imagesOfRun = (run: string): readonly string[] => [
  shellImage(run, 'build'),
  shellImage(run, 'prepare'),
  imageOfRun(run, 'prepared'),
  imageOfRun(run, 'image'),
];

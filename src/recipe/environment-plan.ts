// SPDX-License-Identifier: Apache-2.0
/** The environment of a plan and what runs in it. */
import type {
  BuildPlan,
  Deviation,
  FallbackPlan,
  HostPlan,
  ImagePlan,
  PhasePlan,
  ResolvedReference,
} from '../model.js';
import { resolveImage } from './references.js';
import type { RecipeBuild } from './schema.js';
import { expand, type TemplateValues } from './template.js';
import { type ReadToolchain } from './toolchain.js';
import type { PlanContext } from './plan-context.js';

export function imagePlan(
  instructions: RecipeBuild,
  { toolchain, values }: { readonly toolchain: ReadToolchain; readonly values: TemplateValues },
  context: PlanContext,
  unresolved: string[],
  references: ResolvedReference[],
): ImagePlan {
  const { image } = instructions.environment;
  switch (image.kind) {
    case 'registry':
      return { kind: 'registry', reference: image.reference, digest: image.digest };
    case 'lock': {
      const lock = Object.hasOwn(context.locks, image.name) ? context.locks[image.name] : undefined;
      if (lock !== undefined) return { kind: 'lock', name: image.name, ...lock };
      unresolved.push(`lock ${image.name}`);
      return { kind: 'unresolved', reference: `lock ${image.name}` };
    }
    case 'floating':
    case 'extracted': {
      const found = resolveImage(instructions, toolchain, context.versionLock, context.facts);
      if (found.kind === 'resolved') {
        if (found.reference !== undefined) references.push(found.reference);
        return found.image;
      }
      unresolved.push(found.reference);
      return found;
    }
    case 'none':
      return { kind: 'none' };
    case 'host':
      return hostPlan(image, values);
  }
}

type HostImage = Extract<RecipeBuild['environment']['image'], { kind: 'host' }>;

/** What of an image can hold placeholders. */
export function hostTemplates(image: RecipeBuild['environment']['image']): readonly string[] {
  if (image.kind !== 'host') return [];
  return [image.osVersion, image.xcode?.version].filter((text) => text !== undefined);
}

function hostPlan(
  { system, osVersion, xcode, architecture, tools }: HostImage,
  values: TemplateValues,
): HostPlan {
  const version = xcode === undefined ? undefined : expand(xcode.version, values);
  const build =
    version !== undefined && Object.hasOwn(xcode?.builds ?? {}, version) ? xcode?.builds[version] : undefined;
  return {
    kind: 'host',
    system,
    ...(osVersion === undefined ? {} : { osVersion: expand(osVersion, values) }),
    ...(version === undefined ? {} : { xcode: { version, ...(build === undefined ? {} : { build }) } }),
    ...(architecture === undefined ? {} : { architecture }),
    tools,
  };
}

const expandAll = (
  templates: Readonly<Record<string, string>>,
  values: TemplateValues,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(templates).map(([name, value]) => [name, expand(value, values)]));

export function environmentPlan(
  { environment }: RecipeBuild,
  image: ImagePlan,
  values: TemplateValues,
): BuildPlan['environment'] {
  const { dockerfile } = environment;
  return {
    image,
    ...(dockerfile === undefined
      ? {}
      : {
          dockerfile: {
            from: dockerfile.kind,
            path: dockerfile.path,
            ...(dockerfile.kind === 'override' ? { reason: dockerfile.reason } : {}),
            ...(dockerfile.arguments === undefined
              ? {}
              : { arguments: expandAll(dockerfile.arguments, values) }),
            ...(dockerfile.target === undefined ? {} : { target: dockerfile.target }),
          },
        }),
    user: environment.user,
    directory: expand(environment.directory, values),
    locale: environment.locale,
    timeZone: environment.timeZone,
    sourceDateEpoch: environment.sourceDateEpoch,
    variables: expandAll(environment.variables, values),
    memoryMiB: environment.memoryMiB,
    diskMiB: environment.diskMiB,
    minutes: environment.minutes,
    cpus: environment.cpus,
  };
}

export function phasePlan(
  phase: RecipeBuild['phases'][number],
  { environment }: RecipeBuild,
  values: TemplateValues,
): PhasePlan {
  return {
    name: phase.name,
    user: phase.user ?? environment.user,
    network: phase.network,
    ...(phase.networkReason === undefined ? {} : { networkReason: phase.networkReason }),
    ...(phase.hosts === undefined ? {} : { hosts: phase.hosts }),
    ...(phase.certificate === true ? { certificate: true } : {}),
    script: expand(phase.script, values),
  };
}

/** An image by the digest of the plan's cannot change the output, wherever it comes from. */
export function fallbackPlans(
  { fallbacks }: RecipeBuild,
  image: ImagePlan,
  values: TemplateValues,
  context: PlanContext,
  unresolved: string[],
): readonly FallbackPlan[] {
  return fallbacks.flatMap((fallback): readonly FallbackPlan[] => {
    const { reason } = fallback;
    switch (fallback.kind) {
      case 'image': {
        const own = image.kind === 'registry' ? image.digest : undefined;
        const digest = fallback.digest ?? own;
        // of an image that is not resolved yet, which keeps the plan from running
        if (digest === undefined) return [];
        const canChangeOutput = digest === own ? 'no' : 'unknown';
        const taken = { kind: 'registry', reference: fallback.reference, digest } as const;
        return [{ kind: 'image', image: taken, reason, canChangeOutput }];
      }
      case 'lock': {
        const lock = Object.hasOwn(context.locks, fallback.name) ? context.locks[fallback.name] : undefined;
        if (lock === undefined) {
          unresolved.push(`lock ${fallback.name}`);
          return [];
        }
        const taken = { kind: 'lock', name: fallback.name, ...lock } as const;
        return [{ kind: 'image', image: taken, reason, canChangeOutput: 'unknown' }];
      }
      case 'address': {
        const [of, by] = [expand(fallback.of, values), expand(fallback.by, values)];
        return [{ kind: 'address', of, by, reason, canChangeOutput: fallback.canChangeOutput }];
      }
    }
  });
}

/** Deviations that follow from the plan itself, whatever the recipe says besides. */
export function ownDeviations({ environment, source }: BuildPlan): readonly Deviation[] {
  const { image, dockerfile } = environment;
  const found: Deviation[] = [];
  if (image.kind === 'lock')
    found.push({
      code: 'synthesized-image',
      what: `the build runs in a base put together from the lock ${image.name} (${image.packages} packages), not in the environment ${source.kind === 'debian' ? "that the distribution's build machine recorded" : 'of the publisher'}`,
      reason:
        source.kind === 'debian'
          ? 'the recorded environment cannot be had as an image'
          : "the publisher's environment cannot be had as an image",
      canChangeOutput: 'unknown',
    });
  if (dockerfile?.from === 'override')
    found.push({
      code: 'dockerfile-override',
      what: `the image is made with ${dockerfile.path} of this project, not with a Dockerfile of the source tree`,
      reason: dockerfile.reason ?? 'the published one cannot build this version',
      canChangeOutput: 'unknown',
    });
  return found;
}

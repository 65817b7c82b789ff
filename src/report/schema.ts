// SPDX-License-Identifier: Apache-2.0
/** The shape of `report.json`, version 1, for readers that do not trust it. `reports/schema.json` is made from it. */
import { z } from 'zod';
import {
  AUTHENTICITY_REASONS,
  CHECKS,
  FETCH_PROBLEMS,
  PUBLISHED_FROM,
  RULE_NAMES,
  SIGNER_NOTES,
  UNRECORDED,
  UNVERIFIABLE_REASONS,
  VARIATIONS,
} from '../model.js';
import { KNOWN_FAILURE_IDS } from '../known-failures.js';
import { VARIED_OUTCOMES } from './types.js';
import { AMBIGUITIES, EVIDENCE_KINDS, NOT_DELIVERED_REASONS, OWNERS, REFUSALS } from '../compare/types.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const bytes = z.int().nonnegative();
const text = z.string().max(1 << 20);
const list = <T extends z.ZodType>(item: T): z.ZodArray<T> => z.array(item);

const file = z.strictObject({ name: text, size: bytes, sha256 });
const reason = <T extends readonly [string, ...string[]]>(codes: T) =>
  z.strictObject({ code: z.enum(codes), detail: text });
const owner = z.enum(OWNERS);
const rule = z.enum(RULE_NAMES);

const run = z.strictObject({
  offset: bytes,
  length: bytes,
  owner,
  region: text,
  member: bytes.optional(),
  rule: rule.optional(),
});
const side = z.strictObject({
  size: bytes,
  sums: z.strictObject(
    Object.fromEntries(OWNERS.map((name) => [name, bytes])) as Record<(typeof OWNERS)[number], typeof bytes>,
  ),
  runs: list(run),
});
const memberSide = z.strictObject({
  offset: bytes,
  storedSize: bytes,
  size: bytes,
  encoded: z.literal(true).optional(),
});
const member = z.strictObject({
  name: text,
  rawName: z.string().optional(),
  occurrence: bytes,
  kind: z.enum(['code', 'manifest', 'data', 'container', 'signature']),
  type: text,
  published: memberSide.optional(),
  rebuilt: memberSide.optional(),
  owner,
  data: owner,
  node: bytes.optional(),
});
const path = list(text);
const node = z.strictObject({
  path,
  format: text,
  parent: bytes.optional(),
  published: side,
  rebuilt: side,
  members: list(member),
});
const unopened = z.strictObject({
  count: bytes,
  shown: list(z.strictObject({ place: text, reason: text })),
});
const cause = z.strictObject({ kind: text, evidence: text }).optional();
const difference = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('only-published'), path, size: bytes, cause }),
  z.strictObject({ kind: z.literal('only-rebuilt'), path, size: bytes, cause }),
  z.strictObject({
    kind: z.literal('field'),
    path,
    field: text,
    published: text,
    rebuilt: text,
    owner,
    cause,
  }),
  z.strictObject({
    kind: z.literal('bytes'),
    path,
    publishedOffset: bytes,
    publishedLength: bytes,
    rebuiltOffset: bytes,
    rebuiltLength: bytes,
    publishedHex: text,
    rebuiltHex: text,
    cause,
  }),
  z.strictObject({ kind: z.literal('text'), path, patch: text, cutLines: bytes, cause }),
  z.strictObject({
    kind: z.literal('section'),
    path,
    section: text,
    publishedSize: bytes.optional(),
    rebuiltSize: bytes.optional(),
    differentBytes: bytes,
    cause,
  }),
  z.strictObject({
    kind: z.literal('hidden'),
    path,
    side: z.enum(['published', 'rebuilt']),
    region: text,
    offset: bytes,
    length: bytes,
    hex: text,
  }),
  z.strictObject({ kind: z.literal('unread'), path, code: text, detail: text }),
  z.strictObject({
    kind: z.literal('malformed'),
    path,
    side: z.enum(['published', 'rebuilt']),
    code: text,
    offset: bytes,
    detail: text,
  }),
  z.strictObject({ kind: z.literal('order'), path, moved: bytes, detail: text }),
]);
const sightings = z
  .strictObject({
    count: bytes,
    first: list(z.strictObject({ offset: bytes, member: text.optional(), detail: text.optional() })),
  })
  .optional();
const observation = z.strictObject({
  code: z.enum([...AMBIGUITIES, ...REFUSALS.map((code) => `zip/${code}` as const)]),
  path,
  published: sightings,
  rebuilt: sightings,
});
const coverage = z.strictObject({
  matched: bytes,
  total: bytes,
  ratio: z.number().min(0).max(1),
  rootMatched: bytes,
  rootTotal: bytes,
});
const pair = z.strictObject({
  published: file,
  rebuilt: file,
  nodes: list(node).min(1),
  worst: owner,
  proof: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('equal-bytes') }),
    z.strictObject({
      kind: z.literal('transplant'),
      profile: text,
      sha256,
      equal: z.boolean(),
      takenBytes: bytes,
      departsAt: bytes.optional(),
    }),
    z.strictObject({ kind: z.literal('none'), why: text }),
  ]),
  signature: z.strictObject({
    status: z.enum(['verified', 'invalid', 'unchecked', 'unsigned', 'not-applicable']),
    signers: list(
      z.strictObject({
        scheme: text,
        certificateSha256: sha256,
        subject: text,
        keyType: text,
        keyBits: bytes,
        minSdk: bytes.optional(),
        maxSdk: bytes.optional(),
        development: z.boolean().optional(),
        lineage: list(
          z.strictObject({ certificateSha256: sha256, subject: text, capabilities: list(text) }),
        ).optional(),
      }),
    ),
    issues: list(z.strictObject({ code: text, message: text, offset: bytes })),
    bySdk: list(
      z.strictObject({
        minSdk: bytes,
        maxSdk: bytes.optional(),
        scheme: z.enum(['v1', 'v2', 'v3', 'v3.1', 'none']),
        status: z.enum(['verified', 'invalid', 'unsupported', 'unchecked']),
        signers: list(sha256),
        codes: list(text),
      }),
    ).optional(),
  }),
  signerNotes: list(reason(SIGNER_NOTES)).optional(),
  identity: z.record(z.string(), text),
  coverage,
  differences: list(difference),
  differencesCut: bytes,
  encoders: z
    .strictObject({
      named: list(z.strictObject({ encoder: text, members: bytes })),
      unnamed: bytes,
      untried: bytes,
    })
    .optional(),
  observations: list(observation).optional(),
  rules: list(
    z.strictObject({
      rule,
      class: z.enum(['signature', 'store-edit']),
      title: text,
      reason: text,
      reference: text,
      publishedBytes: bytes,
      rebuiltBytes: bytes,
      needed: z.boolean(),
    }),
  ),
  unverifiable: list(reason(UNVERIFIABLE_REASONS)),
  notAuthentic: list(reason(AUTHENTICITY_REASONS)),
  decoders: list(z.strictObject({ name: text, version: text })),
});
const splits = z.strictObject({
  deliveries: list(
    z.strictObject({
      name: text,
      files: list(text),
      variant: z.strictObject({ minSdk: z.int(), number: z.int().optional() }).optional(),
      device: z.strictObject({
        derived: z.boolean(),
        sdk: bytes,
        abis: list(text),
        densities: list(z.int()),
        languages: list(text),
      }),
    }),
  ),
  notDelivered: list(z.strictObject({ name: text, reason: z.enum(NOT_DELIVERED_REASONS) })),
  missing: list(z.strictObject({ name: text, delivery: text, why: text })),
  metadata: list(z.strictObject({ side: z.enum(['published', 'rebuilt']), name: text })),
  issues: list(z.strictObject({ code: text, detail: text })),
  notAuthentic: list(reason(AUTHENTICITY_REASONS)),
});
const idsig = file.extend({
  apk: text,
  status: z.enum(['verified', 'invalid', 'unchecked']),
  signers: list(z.strictObject({ scheme: z.enum(['v2', 'v3', 'v3.1', 'none']), certificateSha256: sha256 })),
  tree: z.boolean(),
  issues: list(z.strictObject({ code: text, message: text, offset: bytes })),
});
const comparison = z.strictObject({
  pairs: list(pair),
  unpairedPublished: list(file),
  notObtained: list(text),
  unpairedRebuilt: list(file),
  notPublished: list(z.strictObject({ name: text, reason: text })),
  splits: splits.optional(),
  idsigs: list(idsig).optional(),
  folders: z.strictObject({ outside: list(file), notSeen: list(text) }).optional(),
});
const verdict = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('reproducible') }),
  z.strictObject({
    kind: z.literal('equivalent'),
    excludedBytes: bytes,
    reencodedBytes: bytes,
    rules: list(rule),
  }),
  z.strictObject({
    kind: z.literal('unreproducible'),
    differentBytes: bytes,
    missingBytes: bytes,
    unpaired: list(text),
  }),
  z.strictObject({ kind: z.literal('unverifiable'), reasons: list(reason(UNVERIFIABLE_REASONS)) }),
  z.strictObject({ kind: z.literal('unbuildable'), phase: z.enum(['prepare', 'build']), exitCode: z.int() }),
  z.strictObject({ kind: z.literal('not-authentic'), reasons: list(reason(AUTHENTICITY_REASONS)) }),
]);
const statementLine = z.strictObject({
  code: z.string().regex(/^[a-z0-9-]+$/),
  sentence: text,
  basis: list(z.string().regex(/^\//)).min(1),
  check: text.min(1),
});
const target = z.strictObject({ app: text, version: text, channel: text });
const source = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('git'),
    repository: text,
    commit: z.string().regex(/^[0-9a-f]{40,64}$/),
    tag: text.optional(),
    tagSignedBy: text.optional(),
    treeSha256: sha256,
    from: z.enum(['upstream', 'directory', 'url', 'bundled']),
    submodules: list(z.strictObject({ path: text, url: text, commit: text })),
    lfs: list(z.strictObject({ path: text, sha256, size: bytes })),
  }),
  z.strictObject({
    kind: z.literal('debian'),
    package: text,
    version: text,
    release: z.strictObject({ sha256, date: text, signedBy: list(text) }),
    files: list(file),
    treeSha256: sha256.optional(),
  }),
]);
/** Plans have a schema of their own: the recipe's. */
const planPart = z.record(z.string(), z.unknown());
const statement = z.strictObject({
  subject: z.strictObject({ target: target.optional(), published: list(file), rebuilt: list(file) }),
  builtBy: z.enum(['publisher', 'distribution', 'store']).optional(),
  source: source.optional(),
  plan: z
    .strictObject({
      recipeSha256: sha256,
      buildDigest: sha256.optional(),
      compareDigest: sha256,
      build: planPart,
      compare: planPart,
    })
    .optional(),
  checks: z
    .strictObject({
      recipeSha256: sha256,
      compareDigest: sha256,
      compare: planPart,
      obstacle: z.strictObject({
        code: z.enum(['no-source', 'source-missing-for-version', 'needs-host']),
        detail: text,
        needs: list(text),
        steps: list(text),
      }),
      source: z.strictObject({ repository: text, commit: text, ref: text.optional() }).optional(),
      certificates: list(sha256),
      outcomes: list(
        z.strictObject({
          check: z.enum(CHECKS),
          outcome: z.enum(['passed', 'failed', 'not-run']),
          detail: text,
        }),
      ),
    })
    .optional(),
  comparison: comparison.optional(),
  unverifiable: list(reason(UNVERIFIABLE_REASONS)),
  notAuthentic: list(reason(AUTHENTICITY_REASONS)),
  buildFailure: z
    .strictObject({ phase: z.enum(['prepare', 'build']), exitCode: z.int(), firstError: list(text) })
    .optional(),
  origins: list(
    z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('built'),
        member: text,
        mayContain: list(text),
        more: bytes.optional(),
      }),
      z.strictObject({
        kind: z.literal('carried'),
        member: text,
        from: text,
        by: z.enum(['bytes', 'allocated-sections']),
      }),
    ]),
  ),
  linkable: z.strictObject({ count: bytes, shown: list(text) }),
  unopened: z.strictObject({ inputs: unopened, outputs: unopened }).optional(),
  carried: list(z.strictObject({ path: text, note: text, reference: text.optional() })),
  deviations: list(
    z.strictObject({
      code: text,
      what: text,
      reason: text,
      canChangeOutput: z.enum(['yes', 'no', 'unknown']),
    }),
  ),
  publisherEnvironment: list(z.strictObject({ file: text, from: z.enum(EVIDENCE_KINDS), fact: text })),
  knownResults: list(
    z.strictObject({
      by: text,
      version: text,
      channel: text,
      result: text,
      reason: text.optional(),
      url: text,
    }),
  ),
  verdict,
  title: text,
  coverage,
  statements: list(statementLine),
  doesNotSay: list(statementLine),
  publisherCan: list(statementLine),
});
const environment = z.strictObject({
  executor: z.enum(['docker', 'podman', 'local', 'ssh']),
  engineVersion: text.optional(),
  image: z
    .strictObject({
      name: text,
      rootfsSha256: sha256.optional(),
      lockSha256: sha256.optional(),
      digest: text.optional(),
    })
    .optional(),
  packages: list(z.strictObject({ name: text, version: text, architecture: text })),
  kernel: text,
  cpuCount: bytes,
  architecture: text,
  commands: list(text),
  tools: list(z.strictObject({ name: text, version: text })).optional(),
});
const fetched = z.strictObject({
  url: text,
  hops: list(z.strictObject({ to: text, status: z.int() })),
  time: z.iso.datetime(),
  size: bytes,
  sha256,
  etag: text.optional(),
  contentType: text.optional(),
  lastModified: text.optional(),
  digestExpected: z.boolean(),
});
const publishedOrigin = z.strictObject({
  file: text,
  from: z.enum(PUBLISHED_FROM),
  fetched: fetched.optional(),
  digestFrom: text.optional(),
  index: z
    .strictObject({
      url: text,
      sha256,
      date: text,
      signedBy: list(text),
      overdue: text.optional(),
      listedSigners: list(sha256).optional(),
    })
    .optional(),
  phone: z
    .strictObject({
      package: text,
      versionName: text.optional(),
      versionCode: bytes.optional(),
      installer: text.optional(),
    })
    .optional(),
  signatures: list(
    z.strictObject({
      file: text,
      status: z.enum(['verified', 'invalid', 'unchecked', 'unsigned', 'not-applicable']),
      signers: list(sha256),
    }),
  ),
});
const fetchedWorld = z.strictObject({
  phase: z.enum(['prepare', 'build']),
  from: z.enum(['network', 'record']),
  count: bytes,
  bytes,
  requests: list(
    z.strictObject({
      method: text,
      url: text,
      status: z.int().optional(),
      size: bytes,
      sha256: sha256.optional(),
      time: z.iso.datetime(),
      problem: z.enum(FETCH_PROBLEMS).optional(),
    }),
  ),
  record: sha256.optional(),
  unrecorded: list(
    z.strictObject({ code: z.enum(UNRECORDED), what: text, count: bytes, bytes: bytes.optional() }),
  ),
});
const runPart = z.strictObject({
  time: z.iso.datetime(),
  tool: z.strictObject({ name: z.literal('samesource'), version: text }),
  node: text,
  architecture: text,
  kernel: text,
  cpuCount: bytes,
  memoryMiB: bytes,
  published: list(publishedOrigin).optional(),
  environment: environment.optional(),
  fetched: list(fetchedWorld).optional(),
  builds: bytes,
  matchingBuilds: bytes,
  otherBuilds: list(z.strictObject({ attempt: bytes, outcome: text })).optional(),
  variations: list(
    z.strictObject({
      varied: list(z.enum(VARIATIONS)),
      outcome: z.enum(VARIED_OUTCOMES),
      members: list(text).optional(),
      detail: text.optional(),
      reported: z.literal(true).optional(),
    }),
  ).optional(),
  usedBuilds: list(
    z.strictObject({
      id: sha256.optional(),
      made: z.iso.datetime(),
      executor: z.enum(['docker', 'podman', 'local', 'ssh']),
      engineVersion: text.optional(),
      reused: z.boolean(),
      of: z.strictObject({ app: text, version: text, buildDigest: sha256 }).optional(),
    }),
  ).optional(),
  standing: z.enum(['single', 'confirmed', 'unstable']).optional(),
  unstableMembers: list(text).optional(),
  seconds: z.record(z.string(), z.number().nonnegative()),
  tools: list(z.strictObject({ name: text, version: text })),
  missingTools: list(text),
  logs: list(
    z.strictObject({ phase: z.enum(['prepare', 'build']), name: text, sha256, truncatedBytes: bytes }),
  ),
  failureTail: list(text).optional(),
  knownFailures: list(z.strictObject({ id: z.enum(KNOWN_FAILURE_IDS), line: text })).optional(),
  supersedes: sha256.optional(),
  resumed: z.strictObject({ from: z.enum(['build', 'compare']), begun: z.iso.datetime() }).optional(),
  replayOf: sha256.optional(),
  assisted: text.optional(),
  statements: list(statementLine),
});

export const reportSchema = z
  .strictObject({ schemaVersion: z.literal(1), statement, statementSha256: sha256, run: runPart })
  .meta({ title: 'samesource report, version 1' });

export const noteSchema = z
  .strictObject({
    schemaVersion: z.literal(1),
    kind: z.enum(['vendor-response', 'correction', 'withdrawal']),
    statementSha256: sha256,
    date: z.iso.date(),
    by: text.min(1),
    text: text.min(1),
    url: z.url().optional(),
  })
  .meta({ title: 'samesource note, version 1' });

/** JSON Schema, draft 2020-12, of a report and of the notes beside it. */
export function reportJsonSchema(): object {
  return { ...z.toJSONSchema(reportSchema), $defs: { note: z.toJSONSchema(noteSchema) } };
}

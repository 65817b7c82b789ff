// SPDX-License-Identifier: Apache-2.0
/** The nouns of the project as readonly data (see ARCHITECTURE.md, "Vocabulary"). Imports nothing. */

/** Lower-case hex SHA-256. */
export type Sha256 = string;
export type AppId = string;

/** What was asked for, resolved: one app, one exact version, one place where its users get it. */
export interface Target {
  readonly app: AppId;
  readonly version: string;
  readonly channel: string;
}

/** A file by content. `name` is what the report calls it: channel or output path, never a path of this machine. */
export interface FileIdentity {
  readonly name: string;
  readonly size: number;
  readonly sha256: Sha256;
}

/** A redirect that was followed. */
export interface Hop {
  /** Where it led; a query is left out of it, which may hold a signature that lets anyone in for a while. */
  readonly to: string;
  readonly status: number;
}

/** How a file came here over the network. */
export interface Fetched {
  readonly url: string;
  /** In order; none when the address itself answered. */
  readonly hops: readonly Hop[];
  /** When it was complete: ISO 8601, UTC. */
  readonly time: string;
  readonly size: number;
  readonly sha256: Sha256;
  /** As the server called this state of the file. */
  readonly etag?: string;
  /** As the server said it, in these words. */
  readonly contentType?: string;
  readonly lastModified?: string;
  /** Whether somebody had said before what the SHA-256 must be. */
  readonly digestExpected: boolean;
}

/** What a phone said of an app that was pulled from it; which phone it was enters no report. */
export interface PhoneRecord {
  readonly package: string;
  readonly versionName?: string;
  readonly versionCode?: number;
  /** What put it there, as the phone noted. */
  readonly installer?: string;
}

/** A signed index that named a file. */
export interface IndexRecord {
  readonly url: string;
  readonly sha256: Sha256;
  /** As it says itself; ISO 8601. */
  readonly date: string;
  /** Fingerprints: of certificates (F-Droid) or OpenPGP keys (Debian). */
  readonly signedBy: readonly string[];
  /** It is older than it says that it should get. */
  readonly overdue?: string;
  /** Certificates that it names as the file's signers. */
  readonly listedSigners?: readonly Sha256[];
}

// ---------------------------------------------------------------- rules

/** Every rule there is; `src/compare/rules` has one file for each. Recipes are checked against this union. */
export const RULE_NAMES = [
  'apk-signing-block',
  'apk-alignment',
  'apk-dependency-info',
  'appstore-code-resources',
  'appstore-encryption-info',
  'appstore-entry-records',
  'appstore-info-plist',
  'appstore-metadata',
  'appstore-provisioning',
  'appstore-sc-info',
  'jar-signature',
  'jar-signature-only',
  'macho-code-signature',
  'play-arsc-relayout',
  'play-entry-times',
  'play-frosting',
  'play-manifest-metadata',
  'play-split-languages',
  'play-stamp-cert',
  'play-types-count',
  'source-stamp',
] as const;
export type RuleName = (typeof RULE_NAMES)[number];
/** Named sets of `store-edit` rules; of several that cover an entry the first one is taken. */
export const RULE_SETS = {
  play: [
    'play-entry-times',
    'play-frosting',
    'play-manifest-metadata',
    'play-split-languages',
    'play-stamp-cert',
    'play-types-count',
    'play-arsc-relayout',
  ],
  appstore: [
    'appstore-code-resources',
    'appstore-encryption-info',
    'appstore-entry-records',
    'appstore-info-plist',
    'appstore-metadata',
    'appstore-provisioning',
    'appstore-sc-info',
  ],
} as const satisfies Record<string, readonly RuleName[]>;
export type RuleSetName = keyof typeof RULE_SETS;
export type RuleClass = 'signature' | 'store-edit';

/** A rule as a recipe names it. */
export interface RuleUse {
  readonly rule: RuleName | RuleSetName;
  readonly reason: string;
  readonly reference: string;
}

// ---------------------------------------------------------------- facts

/**
 * What must be looked up outside before a plan can be made. Without an `optional` one (no network, say) the plan can
 * still be made and printed; what it could have told stands in `Plan.unresolved` then.
 */
export type Lookup =
  | {
      readonly kind: 'git-refs';
      readonly repository: string;
      readonly optional?: boolean;
      /** When each was made, too: that takes a clone of the history. */
      readonly dates?: boolean;
    }
  | {
      readonly kind: 'git-subjects';
      readonly repository: string;
      /** What a subject must match (Unicode regular expression) to be worth keeping. */
      readonly pattern: string;
      readonly optional?: boolean;
    }
  | {
      readonly kind: 'debian-source';
      readonly suite: string;
      readonly component: string;
      readonly package: string;
      readonly architecture: string;
    }
  /** Texts of the source at one commit. */
  | {
      readonly kind: 'source-files';
      readonly repository: string;
      readonly commit: string;
      readonly files: readonly string[];
      readonly optional: true;
    }
  /** The digest that a registry has for a reference now. */
  | { readonly kind: 'image-digest'; readonly reference: string; readonly optional: true };

/** What was found, saved beside the plan. `source` says where: an upstream URL or the archive's name, never a mirror. */
export type Fact =
  | { readonly kind: 'git-refs'; readonly repository: string; readonly refs: readonly GitRef[] }
  | {
      readonly kind: 'git-subjects';
      readonly repository: string;
      readonly commits: readonly {
        readonly commit: string;
        readonly subject: string;
        /** Committer's date, YYYY-MM-DD in UTC. */
        readonly date?: string;
      }[];
    }
  | {
      readonly kind: 'debian-source';
      readonly suite: string;
      readonly component: string;
      readonly package: string;
      readonly architecture: string;
      /** SHA-256 of the signed InRelease that leads to everything below, its date, and the fingerprints of the keys that signed it. */
      readonly release: {
        readonly sha256: Sha256;
        readonly date: string;
        readonly signedBy: readonly string[];
      };
      readonly sources: readonly DebianSource[];
    }
  | {
      readonly kind: 'source-files';
      readonly repository: string;
      readonly commit: string;
      /** `text` is absent where the commit has no such file. */
      readonly files: readonly { readonly path: string; readonly text?: string }[];
    }
  | { readonly kind: 'image-digest'; readonly reference: string; readonly digest: string };

export interface GitRef {
  readonly name: string;
  /** The commit; for an annotated tag the peeled one. */
  readonly commit: string;
  /** When the tag or commit says that it was made, YYYY-MM-DD in UTC. */
  readonly date?: string;
}

/** One source version in the archive with its published binaries (all of `architecture` and `all`). */
export interface DebianSource {
  readonly version: string;
  /** Directory in the pool, e.g. `pool/main/w/weechat`. */
  readonly directory: string;
  /** `.dsc` and tarballs: name, size, SHA-256 from the signed index. */
  readonly files: readonly FileIdentity[];
  readonly binaries: readonly DebianBinary[];
}

export interface DebianBinary {
  readonly package: string;
  readonly version: string;
  readonly architecture: string;
  /** Path below the archive root, e.g. `pool/main/w/weechat/weechat_3.8-1_all.deb`. */
  readonly path: string;
  readonly size: number;
  readonly sha256: Sha256;
}

// ---------------------------------------------------------------- plan

/** A place where the plan departs from upstream's own instructions or from the publisher's recorded environment. */
export interface Deviation {
  readonly code: string;
  readonly what: string;
  readonly reason: string;
  readonly canChangeOutput: 'yes' | 'no' | 'unknown';
}

export type SourcePlan =
  | {
      readonly kind: 'git';
      readonly repository: string;
      /** 40 or 64 lower-case hex digits, or `unresolved` while only `ref` is known: such a plan does not run. */
      readonly commit: string;
      /** The tag or branch that named the commit, when one did. */
      readonly ref?: string;
      readonly fullHistory: boolean;
      readonly submodules: boolean;
      readonly lfs: boolean;
      readonly assertions: readonly VersionAssertion[];
      /** Armoured OpenPGP public key that must have signed the tag. */
      readonly tagKey?: string;
    }
  | {
      readonly kind: 'debian';
      readonly suite: string;
      readonly component: string;
      readonly package: string;
      readonly version: string;
      readonly directory: string;
      readonly files: readonly FileIdentity[];
      readonly release: {
        readonly sha256: Sha256;
        readonly date: string;
        readonly signedBy: readonly string[];
      };
    }
  /** The demo app: files of this package that become a git repository with a tag. */
  | {
      readonly kind: 'bundled';
      readonly directory: string;
      readonly tag: string;
      readonly assertions: readonly VersionAssertion[];
    };

/** After checkout, `pattern` (one capture group) must match `file` and capture `expected`. */
export interface VersionAssertion {
  readonly file: string;
  readonly pattern: string;
  readonly expected: string;
  readonly what: 'version-name' | 'version-code' | 'toolchain';
}

export type ImagePlan =
  | { readonly kind: 'registry'; readonly reference: string; readonly digest: string }
  /** Synthesised from a lock of packages: `docker/<name>/lock.json`. */
  | { readonly kind: 'lock'; readonly name: string; readonly sha256: Sha256; readonly packages: number }
  /** An upstream reference whose digest nobody could read: the plan prints and refuses to run. */
  | { readonly kind: 'unresolved'; readonly reference: string }
  /** No container: the `local` executor (a temporary directory, clean environment). */
  | { readonly kind: 'none' }
  | HostPlan;

/** A machine of a system that runs in no container, and what must be installed there. */
export interface HostPlan {
  readonly kind: 'host';
  readonly system: HostSystem;
  /** A version of the system, or what one begins with: 26 is also 26.1. */
  readonly osVersion?: string;
  readonly xcode?: { readonly version: string; readonly build?: string };
  /** Of `uname -m`. */
  readonly architecture?: string;
  /** Programs. */
  readonly tools: readonly string[];
}

export const HOST_SYSTEMS = ['macos', 'linux'] as const;
export type HostSystem = (typeof HOST_SYSTEMS)[number];

export interface EnvironmentPlan {
  readonly image: ImagePlan;
  /** A Dockerfile on top of the base: in the source tree, or one of ours that overrides it. */
  readonly dockerfile?: {
    readonly from: 'source' | 'override';
    readonly path: string;
    readonly reason?: string;
    /** Values of its ARG instructions. */
    readonly arguments?: Readonly<Record<string, string>>;
    /** The stage that is built; without it the last one. */
    readonly target?: string;
  };
  readonly user: string;
  /** Absolute path of the source tree inside the environment. */
  readonly directory: string;
  readonly locale: string;
  readonly timeZone: string;
  /** Seconds since the epoch, or where to take them from: the commit, or debian/changelog (set by dpkg itself). */
  readonly sourceDateEpoch: number | 'commit' | 'changelog' | 'unset';
  readonly variables: Readonly<Record<string, string>>;
  readonly memoryMiB: number;
  readonly diskMiB: number;
  readonly minutes: number;
  readonly cpus: number;
}

export type PhaseName = 'prepare' | 'build';

/** `script` runs under `sh -eu` in `environment.directory` (prepare of `debian` sources: in its parent). */
export interface PhasePlan {
  readonly name: PhaseName;
  readonly user: string;
  readonly network: boolean;
  /** Why the build phase needs the network; required when it does. */
  readonly networkReason?: string;
  /** All that it may ask, `*.` for any name below; without it every host. */
  readonly hosts?: readonly string[];
  /** The certificate of our proxy is put where programs look for one, so that HTTPS can be recorded. */
  readonly certificate?: true;
  readonly script: string;
}

/** Taken when a server says that something of the plan is gone (404, 410), in this order; shown as a deviation then. */
export type FallbackPlan =
  | {
      readonly kind: 'image';
      readonly image: Extract<ImagePlan, { kind: 'registry' | 'lock' }>;
      readonly reason: string;
      readonly canChangeOutput: Deviation['canChangeOutput'];
    }
  /** For the beginning of an address in the prepare script or the Dockerfile: a suite, an SDK, a dependency. */
  | {
      readonly kind: 'address';
      readonly of: string;
      readonly by: string;
      readonly reason: string;
      readonly canChangeOutput: Deviation['canChangeOutput'];
    };

export interface OutputPlan {
  readonly id: string;
  /**
   * Path below the environment's directory (or its parent with a leading `../`), exact. With a `/` at its end: a directory,
   * and every file below it is one of the output.
   */
  readonly path: string;
}

/** Knows nothing of channels or published files. */
export interface BuildPlan {
  readonly app: AppId;
  readonly version: string;
  readonly source: SourcePlan;
  readonly environment: EnvironmentPlan;
  readonly phases: readonly PhasePlan[];
  readonly outputs: readonly OutputPlan[];
  readonly fallbacks?: readonly FallbackPlan[];
}

/** What an app runs on. */
export const PLATFORMS = ['android', 'ios', 'macos', 'windows', 'linux', 'web'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** Who says that a certificate is the publisher's. */
export const STATED_BY = ['publisher', 'third-party'] as const;
export type StatedBy = (typeof STATED_BY)[number];

export interface SignerPin {
  readonly sha256: Sha256;
  readonly minSdk?: number;
  readonly maxSdk?: number;
  readonly statedBy: StatedBy;
  /** Where. */
  readonly source: string;
}

/** What gives a published file. */
export const PUBLISHED_FROM = [
  'handed-over',
  'url',
  'latest-json',
  'github-release',
  'debian-archive',
  'fdroid',
  'debian-repository',
  'phone',
  'site-files',
  'bundled',
] as const satisfies readonly AcquisitionPlan['kind'][];
export type PublishedFrom = (typeof PUBLISHED_FROM)[number];

export type AcquisitionPlan =
  /** The user hands the files over with `--published`. */
  | { readonly kind: 'handed-over'; readonly how: string }
  | { readonly kind: 'url'; readonly url: string; readonly onlyLatest: boolean; readonly sha256?: Sha256 }
  /** A small JSON file of the publisher's that names the newest version, its address and its digest. */
  | {
      readonly kind: 'latest-json';
      readonly index: string;
      /** Names of fields, joined by dots where they are nested. */
      readonly versionField: string;
      readonly urlField: string;
      readonly sha256Field?: string;
      /** Where a version lies that the index does not name any more. */
      readonly url?: string;
    }
  /** `repository`: owner/name on GitHub. */
  | {
      readonly kind: 'github-release';
      readonly repository: string;
      readonly tag: string;
      readonly asset: string;
    }
  | { readonly kind: 'debian-archive'; readonly suite: string; readonly files: readonly DebianBinary[] }
  /** A file of this package (the demo). */
  | { readonly kind: 'bundled'; readonly files: readonly string[] }
  | FdroidAcquisition
  | PhoneAcquisition
  /** What a site serves for one page, and what that names: a folder of files by their paths. */
  | {
      readonly kind: 'site-files';
      readonly entry: string;
      /** Address of the file that says which version the site serves, seen from the entry page. */
      readonly versionFile?: string;
    }
  | DebianRepositoryAcquisition;

/** A repository in F-Droid's format: its index is signed, and names each file by digest. */
export interface FdroidAcquisition {
  readonly kind: 'fdroid';
  readonly repository: string;
  /** Where versions go that the repository no longer lists; a repository of its own, of the same signer. */
  readonly archive?: string;
  /** SHA-256 of the certificate that signs its index. */
  readonly fingerprint: Sha256;
  readonly package: string;
  /** Which of several files of one version. */
  readonly abi?: string;
}

/** An app as it lies on a phone of the user's: one file, or all splits as one archive. */
export interface PhoneAcquisition {
  readonly kind: 'phone';
  readonly package: string;
  /** How the app gets onto the phone. */
  readonly how?: string;
}

/** A publisher's own repository of Debian packages. */
export interface DebianRepositoryAcquisition {
  readonly kind: 'debian-repository';
  readonly url: string;
  readonly suite: string;
  readonly component: string;
  readonly package: string;
  readonly architecture: string;
  /** As the index writes it. */
  readonly version: string;
  readonly key: {
    /** Below `recipes/keys`: an armoured public key. */
    readonly file: string;
    /** Of primary keys, of which one must have signed; upper case. */
    readonly fingerprints: readonly string[];
  };
}

/** What a published file must say of itself. */
export interface PublishedCondition {
  readonly versionCode?: { readonly modulus: number; readonly remainder: number };
  /** Of its native code. */
  readonly abi?: string;
}

export interface PairPlan {
  /**
   * Published file name within the channel. With a `/` at its end: all published files below it, each of which is compared
   * with the file at the same path of an output that is a directory; `./` are all of them.
   */
  readonly published: string;
  /** Id of the output. */
  readonly output: string;
  /** Where several outputs can be the twin of one published file, or several published files have one name on a phone. */
  readonly when?: PublishedCondition;
}

/** How the store encrypts what users get. */
export interface StoreEncryption {
  readonly scheme: 'FairPlay';
  readonly shows: string;
  readonly hides: string;
}

export interface ComparePlan {
  readonly target: Target;
  /** Who built the file that users get. */
  readonly builtBy: 'publisher' | 'distribution' | 'store';
  readonly packageId?: string;
  /** As the published file writes it, where that is not the version itself. */
  readonly versionName?: string;
  /** The published file has one of them. */
  readonly versionCodes?: readonly number[];
  readonly signers: readonly SignerPin[];
  readonly acquisition: AcquisitionPlan;
  readonly pairs: readonly PairPlan[];
  /** Users get one of the published files; those at hand are compared. */
  readonly eachAlone?: true;
  readonly encryption?: StoreEncryption;
  /** A public log that lists the published files of this package. */
  readonly transparencyLog?: 'google-apk';
  /** Rebuilt files that nobody publishes: full-match patterns with `*` for anything but `/`. */
  readonly notPublished: readonly { readonly pattern: string; readonly reason: string }[];
  readonly rules: readonly RuleUse[];
}

export interface KnownResult {
  readonly by: string;
  readonly version: string;
  readonly channel: string;
  readonly result: string;
  readonly reason?: string;
  readonly url: string;
}

/** A binary that the source tree or a dependency brings along and nobody builds. */
export interface CarriedBinary {
  readonly path: string;
  readonly note: string;
  readonly reference?: string;
}

/** A fact of the toolchain as a file of the source states it. */
export interface ToolchainFact {
  readonly name: string;
  readonly what: string;
  readonly file: string;
  readonly value: string;
  /** The file was not read: it is what the recipe takes it to be. */
  readonly assumed?: true;
}

/** An image reference without digest, and the digest that it stands for in this plan. */
export interface ResolvedReference {
  readonly reference: string;
  readonly digest: string;
}

/**
 * What was resolved once for one version: `recipes/locks/<app>/<version>.json`. Later plans take it from there, and say so
 * when the tag names another commit by then.
 */
export interface VersionLock {
  readonly schemaVersion: 1;
  readonly app: AppId;
  readonly version: string;
  readonly commit: string;
  /** YYYY-MM-DD. */
  readonly resolved: string;
  readonly references: readonly ResolvedReference[];
  readonly toolchain: readonly ToolchainFact[];
}

/** What has changed since the newest version of the range that somebody rebuilt. */
export interface Extrapolation {
  readonly since: string;
  readonly by: string;
  /** In people's words: Dockerfile, NDK. */
  readonly changed: readonly string[];
  /** What could not be read here. */
  readonly unread: readonly string[];
}

/** What must not matter to a build, and that a confirming build may be made with otherwise than planned. */
export const VARIATIONS = ['cpus', 'host-name', 'time-zone', 'directory-order'] as const;
export type Variation = (typeof VARIATIONS)[number];

/** Fully pinned, serialisable instructions. */
/** A range was asked for, and the version is the newest of it that the recipe knows: a newer one may be out. */
export interface NewestKnown {
  readonly asked: string;
  /** Why no newer one was looked for. */
  readonly why: string;
}

export interface Plan {
  readonly schemaVersion: 1;
  readonly target: Target;
  readonly build: BuildPlan;
  /** SHA-256 of the canonical JSON of `build`; absent while something in it is unresolved. */
  readonly buildDigest?: Sha256;
  readonly compare: ComparePlan;
  readonly compareDigest: Sha256;
  readonly recipe: { readonly app: AppId; readonly sha256: Sha256 };
  readonly deviations: readonly Deviation[];
  readonly toolchain: readonly ToolchainFact[];
  /** What the recipe's references stood for, from the lock or the registry. */
  readonly references: readonly ResolvedReference[];
  readonly extrapolated?: Extrapolation;
  /** Facts of the recipe that were not seen in the makers' own source. */
  readonly unconfirmed: readonly string[];
  /** What keeps the plan from running, e.g. `unresolved: gradle:7.0.2-jdk11`. */
  readonly unresolved: readonly string[];
  /** Versions of the asked range that are known in the store without source. */
  readonly skipped: readonly { readonly version: string; readonly reason: string }[];
  readonly newestKnown?: NewestKnown;
  readonly expected: { readonly minutes: number; readonly diskMiB: number; readonly memoryMiB: number };
  /** Of the build that confirms a mismatch; no part of what is built, so that no digest holds it. */
  readonly vary?: readonly Variation[];
  readonly carried: readonly CarriedBinary[];
  readonly knownResults: readonly KnownResult[];
}

/** Why there is nothing to build, and what would have to be there. */
export interface Obstacle {
  readonly code: 'no-source' | 'source-missing-for-version' | 'needs-host';
  readonly detail: string;
  /** For another system: what a machine must have, and what would be done there. */
  readonly needs: readonly string[];
  readonly steps: readonly string[];
}

/** What can be checked of a published file whose source nobody builds here. */
export const CHECKS = ['package', 'version', 'signer', 'continuity', 'transparency-log'] as const;
export type CheckName = (typeof CHECKS)[number];

export interface PlannedCheck {
  readonly check: CheckName;
  /** What it compares with what. */
  readonly what: string;
  /** Why it cannot be done whatever is handed over. */
  readonly impossible?: string;
}

/** How one of them ended. */
export interface CheckOutcome {
  readonly check: CheckName;
  readonly outcome: 'passed' | 'failed' | 'not-run';
  /** What was found, or why it was not run. */
  readonly detail: string;
}

/** Instead of a plan: no build is possible, and these checks are what is left. */
export interface CheckPlan {
  readonly schemaVersion: 1;
  readonly target: Target;
  readonly newestKnown?: NewestKnown;
  readonly obstacle: Obstacle;
  readonly source?: { readonly repository: string; readonly commit: string; readonly ref?: string };
  readonly compare: ComparePlan;
  /** Names of the published files. */
  readonly files: readonly string[];
  readonly checks: readonly PlannedCheck[];
  readonly recipe: { readonly app: AppId; readonly sha256: Sha256 };
  readonly compareDigest: Sha256;
  readonly unconfirmed: readonly string[];
  readonly knownResults: readonly KnownResult[];
}

// ---------------------------------------------------------------- what a phase fetched

/** One request of a phase, as our proxy saw it. */
export interface FetchRecord {
  readonly method: string;
  /** Without user, password and query, which may let somebody in; a Debian mirror is `<archive>`. */
  readonly url: string;
  /** Absent where nothing answered. */
  readonly status?: number;
  /** Of the body as it was transferred. */
  readonly size: number;
  /** Absent where there was no body, or not all of it. */
  readonly sha256?: Sha256;
  /** When it was asked for: ISO 8601, UTC. */
  readonly time: string;
  readonly problem?: FetchProblem;
}
/** `cut`: the server or the client ended in the middle. `too-large`: beyond what the plan says that the build needs. */
export const FETCH_PROBLEMS = ['no-answer', 'cut', 'too-large', 'not-stored'] as const;
export type FetchProblem = (typeof FETCH_PROBLEMS)[number];

/** What else went over the network, or may have. */
export const UNRECORDED = [
  'all',
  'image-build',
  'tunnel',
  'other-protocol',
  'certificate-refused',
  'not-http',
  'too-many',
] as const;
export interface Unrecorded {
  readonly code: (typeof UNRECORDED)[number];
  /** A host with its port, or why. */
  readonly what: string;
  readonly count: number;
  /** Both ways. */
  readonly bytes?: number;
}

/** All that a phase got over the network. */
export interface FetchedWorld {
  readonly phase: PhaseName;
  /** `record`: nothing was asked of the network, an earlier record answered. */
  readonly from: 'network' | 'record';
  readonly count: number;
  readonly bytes: number;
  /** The first of them, in the order in which they were asked for. */
  readonly requests: readonly FetchRecord[];
  /** SHA-256 of the list of all of them with what a replay needs; it lies in the cache. */
  readonly record?: Sha256;
  readonly unrecorded: readonly Unrecorded[];
}

// ---------------------------------------------------------------- build

export interface BuiltFile extends FileIdentity {
  readonly output: string;
  /** Path below the output, where that is a directory. */
  readonly member?: string;
  /** Where it lies on this machine; never enters a report. */
  readonly path: string;
}

/** Recorded for the `run` part of the report. */
export interface EnvironmentRecord {
  readonly executor: 'docker' | 'podman' | 'local' | 'ssh';
  readonly engineVersion?: string;
  /** Named by its lock and the SHA-256 of its root file system, never by an engine's id. */
  readonly image?: {
    readonly name: string;
    readonly rootfsSha256?: Sha256;
    readonly lockSha256?: Sha256;
    readonly digest?: string;
  };
  readonly packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly architecture: string;
  }[];
  readonly kernel: string;
  readonly cpuCount: number;
  readonly architecture: string;
  readonly commands: readonly string[];
  /** What the programs of a machine without an image say of their versions. */
  readonly tools?: readonly { readonly name: string; readonly version: string }[];
}

/** Where a content was, by its digest: a `Map`, or the file of a kept build. */
export interface PlaceIndex extends Iterable<readonly [Sha256, string]> {
  get(digest: Sha256): string | undefined;
}

/** What existed before the build phase began. */
export interface InputInventory {
  /** SHA-256 of the source tree's manifest (mode, path, SHA-256 per file). */
  readonly treeSha256: Sha256;
  readonly files: number;
  /** Content digest to the first place where it was seen (`source/…`, `fetched/…`, with `!/` into archives). */
  readonly bySha256: PlaceIndex;
  /** For ELF files: digest over their allocated sections. */
  readonly byAllocatedSections: PlaceIndex;
  /** Objects, static archives and Java classes that may have been linked in (`.a`, `.o`, `.lib`, `.rlib`, `.jar`). */
  readonly linkable: readonly string[];
  /** The same by what they can be linked into: a machine as in ELF, `dex` for Java classes, `any` where it is unknown. */
  readonly linkableInto: ReadonlyMap<string, readonly string[]>;
  /** Archives whose members are not in the inventory: what they hold is unknown. */
  readonly unopened: Unopened;
}

/** `shown` are the first places of all, sorted. */
export interface Unopened {
  readonly count: number;
  readonly shown: readonly { readonly place: string; readonly reason: string }[];
}

export interface LogRecord {
  readonly phase: PhaseName;
  readonly path: string;
  readonly sha256: Sha256;
  readonly truncatedBytes: number;
}

export type BuildResult =
  | {
      readonly kind: 'succeeded';
      readonly outputs: readonly BuiltFile[];
      /** Outputs of the plan that the build did not make, by id. */
      readonly absent: readonly string[];
      /** Files that appeared beside the outputs and that the plan does not name; `output` is their base name. */
      readonly extra: readonly BuiltFile[];
      readonly logs: readonly LogRecord[];
      /** What the build phase got over the network, where it has one. */
      readonly fetched?: readonly FetchedWorld[];
      readonly seconds: number;
    }
  | {
      /** A command of the build phase failed in the planned environment, with no sign of our side. */
      readonly kind: 'failed';
      readonly phase: 'build';
      readonly exitCode: number;
      readonly firstError: readonly string[];
      readonly tail: readonly string[];
      /** For people: lines of the log that are known, by their rows in `known-failures.ts`. */
      readonly known: readonly { readonly id: string; readonly line: string }[];
      readonly logs: readonly LogRecord[];
      readonly seconds: number;
    }
  /** The build phase itself fetches (its recipe says why), and a server says that something is gone. */
  | { readonly kind: 'environment-gone'; readonly url: string; readonly status: 404 | 410 };

/** Of the environment that a build started from, what a report tells. */
export interface PreparedFacts {
  readonly inventory: InputInventory;
  readonly environment: EnvironmentRecord;
  /** Where the environment departs from the plan, e.g. `image-drift`. */
  readonly deviations: readonly Deviation[];
  readonly logs: readonly LogRecord[];
  /** What the phases before got over the network, and what of it is not known. */
  readonly fetched?: readonly FetchedWorld[];
  readonly seconds: number;
}

/** Where the source tree came from and what it is. */
export type SourceRecord =
  | {
      readonly kind: 'git';
      readonly repository: string;
      readonly commit: string;
      readonly tag?: string;
      /** OpenPGP fingerprint of the key whose signature of the tag was verified. */
      readonly tagSignedBy?: string;
      readonly treeSha256: Sha256;
      readonly from: 'upstream' | 'directory' | 'url' | 'bundled';
      readonly submodules: readonly {
        readonly path: string;
        readonly url: string;
        readonly commit: string;
      }[];
      readonly lfs: readonly { readonly path: string; readonly sha256: Sha256; readonly size: number }[];
    }
  | {
      readonly kind: 'debian';
      readonly package: string;
      readonly version: string;
      readonly release: {
        readonly sha256: Sha256;
        readonly date: string;
        readonly signedBy: readonly string[];
      };
      readonly files: readonly FileIdentity[];
      readonly treeSha256?: Sha256;
    };

// ---------------------------------------------------------------- kept builds

/** What decides the result of a build; only a build with the same key takes another one's place. */
export interface BuildKey {
  readonly buildDigest: Sha256;
  /** Of files of this package that the plan names by their path alone: bundled sources, a Dockerfile of ours. */
  readonly packageSha256?: Sha256;
  /** Version of samesource: what a build is asked and told about may change with it. */
  readonly tool: string;
  readonly architecture: string;
}

/** A content in the store. */
export interface KeptObject {
  readonly sha256: Sha256;
  readonly size: number;
}

/** One clean build that ended with a result: what stands in the `build.json` of its directory in the store. */
export interface KeptBuild {
  readonly schemaVersion: 1;
  readonly key: BuildKey;
  readonly plan: BuildPlan;
  /** When its result was there: ISO 8601, UTC. */
  readonly made: string;
  /** The run that made it, and the how many-eth build of that run it was. */
  readonly run: string;
  readonly attempt: number;
  readonly source?: SourceRecord;
  readonly prepared: Omit<PreparedFacts, 'inventory' | 'logs'> & {
    readonly inventory: KeptInventory;
    readonly logs: readonly KeptLog[];
  };
  readonly result: KeptResult;
}

export interface KeptInventory {
  /** The rest of the inventory as JSON. */
  readonly facts: KeptObject;
  /** Lines of digest and place, sorted. */
  readonly bySha256: KeptObject;
  readonly byAllocatedSections: KeptObject;
}

/** `sha256` is that of the log as it was written; what is kept of it names nothing of the machine. */
export interface KeptLog extends Omit<LogRecord, 'path'> {
  readonly name: string;
  readonly kept: KeptObject;
}

type Succeeded = Extract<BuildResult, { kind: 'succeeded' }>;
type Failed = Extract<BuildResult, { kind: 'failed' }>;
type KeptFile = Omit<BuiltFile, 'path'>;

export type KeptResult =
  | (Omit<Succeeded, 'outputs' | 'extra' | 'logs'> & {
      readonly outputs: readonly KeptFile[];
      readonly extra: readonly KeptFile[];
      readonly logs: readonly KeptLog[];
    })
  | (Omit<Failed, 'logs'> & { readonly logs: readonly KeptLog[] });

/** What is kept on a machine from run to run. `others`: what no kind here knows; it is counted and stays. */
export const STORE_KINDS = [
  'builds',
  'downloads',
  'repositories',
  'images',
  'texts',
  'runs',
  'others',
] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** An executable member of the rebuilt file and where its bytes come from. */
export type Origin =
  | {
      readonly kind: 'built';
      readonly member: string;
      /** The first of them: inputs that may have been linked in, and archives that nobody could look into. */
      readonly mayContain: readonly string[];
      /** How many more there are. */
      readonly more?: number;
    }
  | {
      readonly kind: 'carried';
      readonly member: string;
      readonly from: string;
      readonly by: 'bytes' | 'allocated-sections';
    };

// ---------------------------------------------------------------- verdict

export const UNVERIFIABLE_REASONS = [
  'artifact-in-inputs',
  'encrypted',
  'environment-gone',
  'incomplete-set',
  'limits',
  'needs-host',
  'no-published-artifact',
  'no-source',
  'signature-unchecked',
  'source-missing-for-version',
  'source-untrusted',
  'transplant-unsupported',
  'unread',
] as const;
export type UnverifiableReason = (typeof UNVERIFIABLE_REASONS)[number];

export const AUTHENTICITY_REASONS = [
  'signature-invalid',
  'signer-not-pinned',
  'other-package',
  'unsigned',
  'not-in-index',
  'mixed-signers',
] as const;
export type AuthenticityReason = (typeof AUTHENTICITY_REASONS)[number];

/** What is told of a published file's signers beside the verdict, and changes none. */
export const SIGNER_NOTES = ['debug-key', 'signer-pinned', 'signer-rotated', 'signer-unpinned'] as const;
export type SignerNote = (typeof SIGNER_NOTES)[number];

/** `detail` is one line of evidence: a code and numbers, no path of this machine. */
export interface Reason<Code extends string> {
  readonly code: Code;
  readonly detail: string;
}

export type Verdict =
  | { readonly kind: 'reproducible' }
  | {
      readonly kind: 'equivalent';
      readonly excludedBytes: number;
      readonly reencodedBytes: number;
      readonly rules: readonly RuleName[];
    }
  | {
      readonly kind: 'unreproducible';
      readonly differentBytes: number;
      readonly missingBytes: number;
      readonly unpaired: readonly string[];
    }
  | { readonly kind: 'unverifiable'; readonly reasons: readonly Reason<UnverifiableReason>[] }
  | { readonly kind: 'unbuildable'; readonly phase: PhaseName; readonly exitCode: number }
  | { readonly kind: 'not-authentic'; readonly reasons: readonly Reason<AuthenticityReason>[] };
export type VerdictKind = Verdict['kind'];

/** Of a mismatch. */
export type Standing = 'single' | 'confirmed' | 'unstable';

// ---------------------------------------------------------------- progress

export type ProgressEvent =
  | { readonly kind: 'phase-started'; readonly phase: string; readonly title: string }
  | {
      readonly kind: 'phase-progress';
      readonly phase: string;
      readonly done: number;
      readonly total?: number;
      readonly unit: 'bytes' | 'entries' | 'files' | 'lines';
    }
  | {
      readonly kind: 'phase-finished';
      readonly phase: string;
      readonly seconds: number;
      readonly outcome?: string;
    }
  | { readonly kind: 'note'; readonly text: string }
  /** Sent once, before the first byte of source, package or image is fetched. */
  | { readonly kind: 'plan'; readonly plan: Plan };
export type OnProgress = (event: ProgressEvent) => void;

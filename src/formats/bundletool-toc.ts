// SPDX-License-Identifier: Apache-2.0
/**
 * The table of contents of an `.apks` archive, `toc.pb`: which APK belongs to which variant and module, and what kind of
 * device gets it. Message BuildApksResult.
 * https://github.com/google/bundletool/blob/master/src/main/proto/commands.proto
 * https://github.com/google/bundletool/blob/master/src/main/proto/targeting.proto
 *
 * Fields that are not named here are skipped, but for dimensions of targeting: `otherDimensions` says that there are some.
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { protobufFields, type ProtobufMessage } from './protobuf.js';

/** What of devices gets an APK; an empty list: it does not matter. Densities in dots per inch. */
export interface ApkTargeting {
  readonly abis: readonly string[];
  readonly densities: readonly number[];
  readonly languages: readonly string[];
  /** Lowest SDK; 1 where it does not matter. */
  readonly minSdk: number;
  /** Texture formats, device groups, countries …, which are not read. */
  readonly otherDimensions: boolean;
}

export type Delivery = 'install-time' | 'on-demand' | 'fast-follow' | 'unknown';

export interface TocApk {
  readonly path: string;
  readonly module: string;
  readonly delivery: Delivery;
  /** The module itself is for some devices only (SDK, features, countries). */
  readonly conditional: boolean;
  /** Whole by itself: fits no other APK. */
  readonly standalone: boolean;
  readonly targeting: ApkTargeting;
}

export interface TocVariant {
  readonly number: number;
  readonly targeting: ApkTargeting;
  readonly apks: readonly TocApk[];
}

export interface BundletoolToc {
  readonly package: string;
  readonly bundletool: string;
  readonly variants: readonly TocVariant[];
  /** Of asset modules; they go with every variant. */
  readonly assetSlices: readonly TocApk[];
}

const MAX_SIZE = 8 << 20;
const MAX_FIELDS = 1 << 14;
const MAX_TEXT = 4096;

const ABIS = ['armeabi', 'armeabi-v7a', 'arm64-v8a', 'x86', 'x86_64', 'mips', 'mips64', 'riscv64'] as const;
/** DensityAlias; 0 and nodpi are none. */
const DENSITIES = [0, 0, 120, 160, 213, 240, 320, 480, 640] as const;
const DELIVERIES = ['unknown', 'install-time', 'on-demand', 'fast-follow'] as const;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('toc', code, offset, message);
}

/** @throws FormatError `toc/…`, `protobuf/…` */
export function readBundletoolToc(source: ByteSource): BundletoolToc {
  if (source.size > MAX_SIZE) fail('too-large', 0, `${source.size} bytes, at most ${MAX_SIZE} are read`);
  const root = new Message({ bytes: Buffer.from(source.read(0, source.size)), offset: 0 });
  const variants = root.messages(1).map(readVariant);
  const numbers = variants.map(({ number }) => number);
  const twice = numbers.find((number, at) => numbers.indexOf(number) !== at);
  if (twice !== undefined) fail('variant-twice', 0, `variant ${twice} stands there twice`);
  return {
    package: root.text(4),
    bundletool: root.message(2)?.text(2) ?? '',
    variants,
    assetSlices: root.messages(3).flatMap((set) => {
      const module = set.message(1);
      return set.messages(2).map((apk) => readApk(apk, module, isSet(module?.message(6)), 4));
    }),
  };
}

/** bundletool writes an empty message where there is no condition. */
function isSet(targeting: Message | undefined): boolean {
  return (targeting?.numbers().length ?? 0) > 0;
}

function readVariant(variant: Message): TocVariant {
  const targeting = variant.message(1);
  return {
    number: variant.integer(3),
    targeting: readTargeting(targeting, { sdk: 1, abi: 2, density: 3, language: undefined }),
    apks: variant.messages(2).flatMap((set) => {
      const module = set.message(1);
      return set.messages(2).map((apk) => readApk(apk, module, isSet(module?.message(5)), 6));
    }),
  };
}

function readApk(
  apk: Message,
  module: Message | undefined,
  conditional: boolean,
  deliveryField: number,
): TocApk {
  const path = apk.text(2);
  if (path === '') fail('no-path', apk.offset, 'an APK without a path');
  return {
    path,
    module: module?.text(1) ?? '',
    delivery: DELIVERIES[module?.integer(deliveryField) ?? 0] ?? 'unknown',
    conditional,
    standalone: apk.message(4) !== undefined || apk.message(6) !== undefined,
    targeting: readTargeting(apk.message(1), { sdk: 5, abi: 1, density: 4, language: 3 }),
  };
}

interface Dimensions {
  readonly sdk: number;
  readonly abi: number;
  readonly density: number;
  readonly language: number | undefined;
}

function readTargeting(targeting: Message | undefined, fields: Dimensions): ApkTargeting {
  const known = Object.values(fields) as (number | undefined)[];
  const values = (field: number | undefined): Message[] =>
    field === undefined ? [] : (targeting?.messages(field) ?? []).flatMap((one) => one.messages(1));
  return {
    abis: values(fields.abi).map((abi) => {
      const alias = abi.integer(1);
      return ABIS[alias - 1] ?? fail('abi', abi.offset, `ABI ${alias}`);
    }),
    densities: values(fields.density).map((density) => {
      const alias = density.integer(1);
      return density.has(2)
        ? density.integer(2)
        : (DENSITIES[alias] ?? fail('density', density.offset, `density ${alias}`));
    }),
    languages:
      fields.language === undefined
        ? []
        : (targeting?.messages(fields.language) ?? []).flatMap((one) => one.texts(1)),
    minSdk: Math.max(1, ...values(fields.sdk).map((sdk) => sdk.message(1)?.integer(1) ?? 1)),
    otherDimensions: targeting?.numbers().some((number) => !known.includes(number)) ?? false,
  };
}

/** A message by its field numbers. A field that is to occur once and occurs twice could be read in two ways. */
class Message {
  readonly offset: number;
  readonly #fields: ReturnType<typeof protobufFields>;

  constructor(message: ProtobufMessage) {
    this.offset = message.offset;
    this.#fields = protobufFields(message, MAX_FIELDS);
  }

  numbers(): number[] {
    return this.#fields.map(({ number }) => number);
  }

  has(number: number): boolean {
    return this.#fields.some((field) => field.number === number);
  }

  messages(number: number): Message[] {
    return this.#bytes(number).map((value) => new Message(value));
  }

  texts(number: number): string[] {
    return this.#bytes(number).map(({ bytes, offset }) => {
      if (bytes.length > MAX_TEXT)
        fail('too-long', offset, `a text of ${bytes.length} bytes, at most ${MAX_TEXT} are read`);
      const text = bytes.toString('utf8');
      if (!Buffer.from(text).equals(bytes)) fail('text', offset, 'a text that is no UTF-8');
      return text;
    });
  }

  message(number: number): Message | undefined {
    return this.#once(this.messages(number), number);
  }

  text(number: number): string {
    return this.#once(this.texts(number), number) ?? '';
  }

  /** 0 where there is none, as proto3 has it; of 32 bits. */
  integer(number: number): number {
    const values = this.#fields.flatMap((field) => {
      if (field.number !== number) return [];
      if (field.kind !== 'number') fail('type', field.offset, `field ${number} is no number`);
      return [Number(BigInt.asIntN(32, field.value))];
    });
    return this.#once(values, number) ?? 0;
  }

  #bytes(number: number): ProtobufMessage[] {
    return this.#fields.flatMap((field) => {
      if (field.number !== number) return [];
      if (field.kind !== 'bytes') fail('type', field.offset, `field ${number} is a number`);
      return [field.value];
    });
  }

  #once<T>(values: readonly T[], number: number): T | undefined {
    if (values.length > 1) fail('field-twice', this.offset, `field ${number} occurs ${values.length} times`);
    return values[0];
  }
}

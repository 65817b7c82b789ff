// SPDX-License-Identifier: Apache-2.0
/** Every field of a signing block by name and place, for changing each of them: a reader apart from the program's own. */

export interface Field {
  /** E.g. `v3/signer/signed-data/min-sdk`; a `#` where it is a length. */
  readonly name: string;
  /** In the file. */
  readonly offset: number;
  readonly size: number;
}

const SCHEMES: Readonly<Record<number, string>> = {
  0x7109871a: 'v2',
  0xf05368c0: 'v3',
  0x1b93ad61: 'v3.1',
  0x42726577: 'padding',
};

/** `end`: of the block. */
export function signingBlockFields(apk: Buffer, end: number): Field[] {
  const fields: Field[] = [];
  const size = Number(apk.readBigUInt64LE(end - 24)) + 8;
  const field = (name: string, offset: number, length: number): void => {
    if (length > 0) fields.push({ name, offset, size: length });
  };
  field('size#', end - size, 8);
  for (let at = end - size + 8; at < end - 24;) {
    const length = Number(apk.readBigUInt64LE(at));
    const name = SCHEMES[apk.readUInt32LE(at + 8)] ?? 'pair';
    field(`${name}#`, at, 8);
    field(`${name}/id`, at + 8, 4);
    if (name === 'padding') field(name, at + 12, length - 4);
    else new Walker(apk, name, field).signers(at + 12);
    at += 8 + length;
  }
  field('footer-size#', end - 24, 8);
  field('magic', end - 16, 16);
  return fields;
}

class Walker {
  readonly #apk: Buffer;
  readonly #scheme: string;
  readonly #field: (name: string, offset: number, length: number) => void;

  constructor(apk: Buffer, scheme: string, field: (name: string, offset: number, length: number) => void) {
    this.#apk = apk;
    this.#scheme = scheme;
    this.#field = field;
  }

  signers(at: number): void {
    this.#each(this.#scheme, at, (name, signer) => {
      let next = this.#region(`${name}/signed-data`, signer, (inside, end) => {
        let place = this.#values(`${name}/signed-data/digest`, inside);
        place = this.#each(`${name}/signed-data/certificate`, place, (own, from, to) =>
          this.#field(own, from, to - from),
        );
        if (this.#scheme !== 'v2') place = this.#sdks(`${name}/signed-data`, place);
        place = this.#each(`${name}/signed-data/attribute`, place, (own, from, to) => {
          this.#field(`${own}/id`, from, 4);
          if (this.#apk.readUInt32LE(from) === 0x3ba06f8c) this.#lineage(`${name}/lineage`, from + 4, to);
          else this.#field(`${own}/value`, from + 4, to - from - 4);
        });
        this.#field(`${name}/signed-data/rest`, place, end - place);
      });
      if (this.#scheme !== 'v2') next = this.#sdks(name, next);
      next = this.#values(`${name}/signature`, next);
      this.#region(`${name}/public-key`, next, (from, to) =>
        this.#field(`${name}/public-key`, from, to - from),
      );
    });
  }

  #lineage(name: string, at: number, end: number): void {
    this.#field(`${name}/version`, at, 4);
    for (let node = at + 4; node < end;)
      node = this.#region(`${name}/node`, node, (inside) => {
        const next = this.#region(`${name}/signed`, inside, (from) => {
          const place = this.#region(`${name}/certificate`, from, (a, b) =>
            this.#field(`${name}/certificate`, a, b - a),
          );
          this.#field(`${name}/parent-algorithm`, place, 4);
        });
        this.#field(`${name}/flags`, next, 4);
        this.#field(`${name}/algorithm`, next + 4, 4);
        this.#region(`${name}/signature`, next + 8, (a, b) => this.#field(`${name}/signature`, a, b - a));
      });
  }

  #sdks(name: string, at: number): number {
    this.#field(`${name}/min-sdk`, at, 4);
    this.#field(`${name}/max-sdk`, at + 4, 4);
    return at + 8;
  }

  /** Algorithm and value each. */
  #values(name: string, at: number): number {
    return this.#each(name, at, (own, from) => {
      this.#field(`${own}/algorithm`, from, 4);
      this.#region(`${own}/value`, from + 4, (a, b) => this.#field(`${own}/value`, a, b - a));
    });
  }

  /** A counted list of counted regions. */
  #each(name: string, at: number, take: (name: string, from: number, to: number) => void): number {
    return this.#region(`${name}s`, at, (from, to) => {
      for (let place = from; place < to;) place = this.#region(name, place, (a, b) => take(name, a, b));
    });
  }

  #region(name: string, at: number, take: (from: number, to: number) => void): number {
    this.#field(`${name}#`, at, 4);
    const end = at + 4 + this.#apk.readUInt32LE(at);
    take(at + 4, end);
    return end;
  }
}

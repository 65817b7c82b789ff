// SPDX-License-Identifier: Apache-2.0
/**
 * The Dalvik instructions of this app as 16-bit units.
 * https://source.android.com/docs/core/runtime/dalvik-bytecode and instruction-formats (10x, 11x, 21c, 35c)
 */
const OPCODES = {
  'move-result-object': 0x0c,
  'return-void': 0x0e,
  'return-object': 0x11,
  'const-string': 0x1a,
  'new-instance': 0x22,
  'invoke-virtual': 0x6e,
  'invoke-super': 0x6f,
  'invoke-direct': 0x70,
  'invoke-static': 0x71,
};

export function encodeInstructions(code, ids) {
  const units = code.flatMap((step) => {
    const opcode = OPCODES[step.op];
    if (step.method !== undefined) {
      const [c = 0, d = 0, e = 0, f = 0] = step.registers;
      return [
        (step.registers.length << 12) | opcode,
        ids.method(step.method),
        (f << 12) | (e << 8) | (d << 4) | c,
      ];
    }
    const first = ((step.register ?? 0) << 8) | opcode;
    if (step.string !== undefined) return [first, ids.string(step.string)];
    if (step.type !== undefined) return [first, ids.type(step.type)];
    return [first];
  });
  const bytes = Buffer.alloc(2 * units.length);
  units.forEach((unit, index) => bytes.writeUInt16LE(unit, 2 * index));
  return bytes;
}

/** The most registers that any call of the code passes on. */
export function outgoing(code) {
  return Math.max(0, ...code.map((step) => step.registers?.length ?? 0));
}

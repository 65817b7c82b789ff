import type { ByteSource } from '../bytes.js';
export function identityOf(_source: ByteSource): Record<string, string> {
  return {};
}

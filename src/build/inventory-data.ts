// SPDX-License-Identifier: Apache-2.0
/** An inventory as plain data, for a run that is taken up later. */
import type { InputInventory } from '../model.js';

/** Of each map its entries, in their order. */
export interface InventoryData extends Omit<
  InputInventory,
  'bySha256' | 'byAllocatedSections' | 'linkableInto'
> {
  readonly bySha256: readonly (readonly [string, string])[];
  readonly byAllocatedSections: readonly (readonly [string, string])[];
  readonly linkableInto: readonly (readonly [string, readonly string[]])[];
}

export const inventoryData = (inventory: InputInventory): InventoryData => ({
  ...inventory,
  bySha256: [...inventory.bySha256],
  byAllocatedSections: [...inventory.byAllocatedSections],
  linkableInto: [...inventory.linkableInto],
});

export const inventoryFrom = (data: InventoryData): InputInventory => ({
  ...data,
  bySha256: new Map(data.bySha256),
  byAllocatedSections: new Map(data.byAllocatedSections),
  linkableInto: new Map(data.linkableInto),
});

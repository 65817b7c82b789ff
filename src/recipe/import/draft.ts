// SPDX-License-Identifier: Apache-2.0
/** A recipe that was made from the data of others, and what of those data it could not take over. */
import { Document, isMap, isNode, isPair, isScalar, isSeq, visit, YAMLMap, type Node } from 'yaml';
import type { z } from 'zod';
import type { recipeSchema } from '../schema.js';

/** As it is written: without what has a default. */
export type RecipeDraft = z.input<typeof recipeSchema>;

/** Stands as a comment before the value that it is about. */
export interface Todo {
  /** In the recipe; what is not there is told at the nearest value around it. */
  readonly path: readonly (string | number)[];
  /** Of the data of others: `scandelete`. */
  readonly field: string;
  /** What is lost, and why. */
  readonly why: string;
}

export type Tell = (path: Todo['path'], field: string, why: string) => void;

export interface ImportedRecipe {
  readonly recipe: RecipeDraft;
  readonly todos: readonly Todo[];
}

const WIDTH = 110;

export function renderRecipe({ recipe, todos }: ImportedRecipe, head: string): string {
  const document = new Document(recipe, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, node) => {
      // a script is read line by line
      if (typeof node.value === 'string' && node.value.includes('\n')) node.type = 'BLOCK_LITERAL';
    },
  });
  for (const [path, own] of grouped(todos)) comment(document, path, own.map(line).join('\n'));
  const body = document.toString({ lineWidth: WIDTH, singleQuote: true, commentString: commentLines });
  return `# yaml-language-server: $schema=./schema.json\n${commentLines(head)}\n${body}`;
}

const line = ({ field, why }: Todo): string => wrapped(`TODO ${field}: ${why}`);

const commentLines = (text: string): string =>
  text
    .split('\n')
    // a comment ends at whatever YAML takes for a line end
    .map((one) => `# ${one.replace(/[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]/g, '?')}`.trimEnd())
    .join('\n');

function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > WIDTH - 10) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}

function grouped(todos: readonly Todo[]): ReadonlyMap<readonly (string | number)[], readonly Todo[]> {
  const byPath = new Map<string, Todo[]>();
  for (const todo of todos) {
    const key = JSON.stringify(todo.path);
    byPath.set(key, [...(byPath.get(key) ?? []), todo]);
  }
  return new Map([...byPath.values()].map((own) => [own[0]?.path ?? [], own]));
}

/** Before the key of a map, or the item of a list. */
function comment(document: Document, path: readonly (string | number)[], text: string): void {
  let target: Node | undefined;
  let at: unknown = document.contents;
  for (const step of path) {
    let next: unknown;
    if (isMap(at)) {
      const pair = at.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === step);
      next = pair?.value;
      if (pair !== undefined && isNode(pair.key)) target = pair.key;
    } else if (isSeq(at)) {
      next = at.items[Number(step)];
      if (isNode(next)) target = next;
    }
    if (next === undefined) break;
    at = next;
  }
  const node =
    target ?? (document.contents instanceof YAMLMap ? (document.contents.items[0]?.key as Node) : undefined);
  if (node === undefined) return;
  node.commentBefore = [node.commentBefore, text]
    .filter((part) => part !== undefined && part !== null)
    .join('\n');
}

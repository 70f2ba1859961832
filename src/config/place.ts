/** Where in the YAML text a path of keys stands. */
import { isMap, isNode, isPair, isSeq, type Document, type LineCounter, type Node, type Pair } from 'yaml';
import type { FilePath, Finding, Problem } from './problem.js';
import { showPath } from './problem.js';

function pairOf(node: unknown, key: string | number): Pair | undefined {
  if (!isMap(node)) return undefined;
  return node.items.find(
    (pair) => String(isNode(pair.key) ? (pair.key as { value?: unknown }).value : pair.key) === String(key),
  );
}

/** The node at the path, or the deepest one on the way to it. */
function deepest(document: Document, path: FilePath, atKey: boolean): Node | null {
  let node: unknown = document.contents;
  let found: Node | null = document.contents;
  for (const [i, part] of path.entries()) {
    const pair = pairOf(node, part);
    const item = isSeq(node) && typeof part === 'number' ? node.items[part] : undefined;
    const next = pair ? pair.value : isPair(item) ? undefined : item;
    const last = i === path.length - 1;
    if (pair && isNode(pair.key) && ((last && atKey) || !isNode(next))) return pair.key;
    if (!isNode(next)) return found;
    node = found = next;
  }
  return found;
}

export function locate(document: Document, lines: LineCounter, finding: Finding): Problem {
  const node = deepest(document, finding.path, finding.atKey ?? false);
  const offset = node?.range?.[0] ?? 0;
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col), at: showPath(finding.path), text: finding.text };
}

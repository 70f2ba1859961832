/** What packages say of each other, `dependsOn` and `excludes`: can it be at all? */
import type { Package } from './cluster.js';
import type { FilePath, Finding } from './problem.js';

export function bonds(candidate: Package, all: readonly Package[], at: FilePath): Finding[] {
  return [...both(candidate, at), ...unplaceable(candidate, all, at), ...circle(candidate, all, at)];
}

function both({ dependsOn, excludes }: Package, at: FilePath): Finding[] {
  return excludes.flatMap((other, i) =>
    dependsOn.includes(other)
      ? [{ path: [...at, 'excludes', i], text: `${other} is also in dependsOn; expected one of the two` }]
      : [],
  );
}

/** With all that it depends on, and what that depends on, it runs on one node: there must be one that suits them all. */
function unplaceable(candidate: Package, all: readonly Package[], at: FilePath): Finding[] {
  const needed = new Set([candidate.name]);
  for (const name of needed) for (const other of all.find((it) => it.name === name)?.dependsOn ?? []) needed.add(other);
  const group = all.filter(({ name }) => needed.has(name));
  if (group.length < 2) return [];
  const names = group.map(({ name }) => name).join(', ');
  for (const { name, excludes } of group)
    for (const other of excludes)
      if (needed.has(other) && !group.find((it) => it.name === name)!.dependsOn.includes(other))
        return [
          { path: [...at, 'dependsOn'], atKey: true, text: `${names} run on one node, but ${name} excludes ${other}` },
        ];
  if (candidate.nodes.some((node) => group.every(({ nodes }) => nodes.includes(node)))) return [];
  return [
    {
      path: [...at, 'dependsOn'],
      atKey: true,
      text: `${names} run on one node, but there is none on which all of them may run`,
    },
  ];
}

/** Told once, at the package of the circle that comes first in the file. */
function circle(start: Package, all: readonly Package[], at: FilePath): Finding[] {
  const order = all.map(({ name }) => name);
  const way = [start.name];
  let found: string[] | null = null;
  const walk = (from: Package): void => {
    for (const name of from.dependsOn) {
      if (found) return;
      if (name === start.name) found = [...way, name];
      const next = all.find((it) => it.name === name);
      if (!next || way.includes(name) || order.indexOf(name) < order.indexOf(start.name)) continue;
      way.push(name);
      walk(next);
      way.pop();
    }
  };
  walk(start);
  const steps = found as string[] | null;
  if (!steps || steps.length < 3) return [];
  return [
    {
      path: [...at, 'dependsOn'],
      atKey: true,
      text: `packages depend on each other in a circle: ${steps.join(' → ')}`,
    },
  ];
}

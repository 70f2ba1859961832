/** What operators still wait for. */
import { isUp } from './order.js';
import { decide } from './placement.js';
import type { Picture, Task } from './state.js';

/** What is not yet as the request wants it; empty: it is done. */
export function missing(picture: Picture, { request, targets }: Pick<Task, 'request' | 'targets'>): string[] {
  const moves = Object.entries(targets).flatMap(([name, { to }]) => awaited(picture, name, to));
  switch (request.ask) {
    case 'cluster-run':
      return picture.packages.flatMap(({ name }) => startingOf(picture, name));
    case 'cluster-halt':
      return picture.packages.flatMap(({ name }) => held(picture, name, Object.keys(picture.nodes)));
    case 'node-halt':
      return [
        ...picture.packages.flatMap(({ name }) => held(picture, name, [request.node])),
        ...picture.packages.flatMap(({ name }) => startingOf(picture, name)),
      ];
    case 'node-remove':
      return [
        ...(isVoting(picture, request.node) ? [`${request.node} still has its vote`] : []),
        ...picture.packages.flatMap(({ name }) => startingOf(picture, name)),
      ];
    case 'node-run':
    case 'package-enable':
      return picture.packages.flatMap(({ name }) => startingOf(picture, name));
    case 'node-fenced':
      return picture.packages.flatMap(({ name }) => startingOf(picture, name));
    case 'node-unfence':
      return picture.document.fences?.[request.node] === undefined ? [] : [`${request.node} is not open again yet`];
    case 'package-disable':
      return [];
    case 'package-halt':
      return held(picture, request.package, Object.keys(picture.nodes));
    case 'package-start':
    case 'package-move':
    case 'takeover':
    case 'surrender':
      return moves;
  }
}

function isVoting({ document: { voters } }: Picture, node: string): boolean {
  return [...voters.next, ...(voters.previous ?? [])].some(({ name }) => name === node);
}

function awaited(picture: Picture, name: string, to: string): string[] {
  const placement = picture.document.placements[name];
  if (placement?.node !== to) {
    const still = placement?.node == null ? '' : `, it is being halted on ${placement.node}`;
    return [`${name} is not placed on ${to} yet${still}`];
  }
  return isUp(picture, name, to) ? [] : [`${name} has not started on ${to} yet`];
}

/** A package that is placed on a living node, but does not run there yet; or may be placed in a moment. */
function startingOf(picture: Picture, name: string): string[] {
  const { verdicts } = decide(picture, picture.document.orders);
  const verdict = verdicts[name];
  if (verdict?.to !== 'node' || picture.nodes[verdict.node]?.health !== 'alive') return [];
  return awaited(picture, name, verdict.node);
}

/** Nodes that still have it; of one that is lost nothing can be known. */
function held(picture: Picture, name: string, nodes: readonly string[]): string[] {
  return nodes
    .filter((node) => {
      const there = picture.nodes[node];
      if (there?.health !== 'alive' && there?.health !== 'suspect') return false;
      const placement = picture.document.placements[name];
      const halts = placement?.node === node && placement.state === 'run';
      return halts || there.jobs[name]?.held === true;
    })
    .map((node) => `${name} is not halted on ${node} yet`);
}

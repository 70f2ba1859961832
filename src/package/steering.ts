/** The coordinator's step: what should be, compared with the document, and at most one change proposed. */
import { journal, record } from '../health/account.js';
import * as health from '../health/monitor.js';
import { showVersion, type Orders } from '../membership/document.js';
import * as membership from '../membership/member.js';
import type { Placements } from './candidate.js';
import { gather, type Holding } from './picture.js';
import { countsAsMove, decide, type Decided, type Verdict } from './placement.js';
import type { Picture, Turn } from './state.js';
import { followTasks, planTasks, postpone } from './task.js';

/** Null: the document cannot be changed now. */
export function steer(turn: Turn, holding: Holding): { picture: Picture; decided: Decided } | null {
  const document = membership.changeable(turn.world, turn.membership, turn.now);
  if (document === null) return null;
  const picture = gather(turn, document, holding);
  followTasks(turn, picture);
  const beginning = planTasks(turn, picture);
  const decided = decide(picture, beginning.orders);
  const orders = sameOrders(beginning.orders, document.orders) ? null : beginning.orders;
  if (orders === null && Object.keys(decided.change).length === 0) {
    for (const task of beginning.tasks) task.begun = true;
    if (beginning.tasks.length > 0) followTasks(turn, picture);
    return { picture, decided };
  }
  const causes = Object.keys(decided.change).map((name) => decided.verdicts[name]!.cause);
  const cause = causes[0] ?? 'operator';
  const change = { ...(orders === null ? {} : { orders }), placements: decided.change };
  const version = membership.propose(turn.world, turn.membership, turn.now, change, cause, turn.out);
  if (version === null) postpone(turn, beginning);
  else {
    for (const task of beginning.tasks) task.begun = true;
    book(turn, picture, decided, showVersion(version));
  }
  return { picture, decided };
}

function sameOrders(a: Orders, b: Orders): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Journal, reasons and counts of what was proposed. */
function book(turn: Turn, picture: Picture, { verdicts, change }: Decided, version: string): void {
  for (const [name, next] of Object.entries(change)) {
    const verdict = verdicts[name]!;
    const before = picture.document.placements[name] ?? null;
    if (next.state === 'run') bookRun(turn, name, before?.node ?? null, next, verdict, version);
    else {
      const evidence = { version, why: verdict.why };
      journal(turn, {
        event: 'placed',
        package: name,
        from: `${next.node ?? 'nowhere'}`,
        to: 'halt',
        cause: verdict.cause,
        evidence,
      });
      record(turn, name, haltText(name, next.node, verdict), verdict.cause, evidence);
    }
    if (verdict.cause === 'not-started' && before?.node != null) {
      const { movesWindowMs } = picture.packages.find((one) => one.name === name)!;
      turn.state.failed[`${name}@${before.node}`] = turn.now + movesWindowMs;
    }
  }
}

function haltText(name: string, node: string | null, verdict: Verdict): string {
  const next = verdict.to === 'node' ? `, to go on to ${verdict.node}` : '';
  return `${name} is halted on ${node ?? 'no node'}${next}: ${verdict.why.join('; ')}`;
}

function bookRun(
  turn: Turn,
  name: string,
  from: string | null,
  next: Placements[string],
  verdict: Verdict,
  version: string,
): void {
  const { state, now } = turn;
  const to = next.node!;
  const evidence = { version, why: verdict.why, nodes: nodesSeen(turn) };
  const origin = from === null ? {} : { from };
  journal(turn, { event: 'placed', package: name, ...origin, to, cause: verdict.cause, evidence });
  const way = from === null || from === to ? `on ${to}` : `on ${to}, before on ${from}`;
  record(turn, name, `${name} is placed ${way}: ${verdict.why.join('; ') || verdict.cause}`, verdict.cause, evidence);
  if (from !== to && countsAsMove(verdict.cause)) {
    const { movesWindowMs } = turn.world.cluster.packages.find((one) => one.name === name)!;
    const before = (state.moves[name] ?? []).filter((at) => now - at < movesWindowMs);
    state.moves[name] = [...before, now];
  }
}

function nodesSeen({ world, health: seen }: Turn): Record<string, string> {
  const others = world.cluster.nodes.filter(({ name }) => name !== world.self.name);
  return Object.fromEntries(others.map(({ name }) => [name, health.peer(seen, name).health]));
}

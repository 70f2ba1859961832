/** An orderly stop: this node wants to be rid of its packages, and waits for it as long as that makes sense. */
import type { Ms } from '../input.js';
import * as membership from '../membership/member.js';
import { journal } from './account.js';
import { choose } from './candidate.js';
import { gather } from './picture.js';
import type { Turn } from './state.js';

const LEAVE_LATEST_MS: Ms = 5000;

export function leave(turn: Turn): void {
  const { world, state, now } = turn;
  if (state.leaving !== null) return;
  state.leaving = { since: now, departed: false };
  if ((world.cluster.packages ?? []).length === 0) state.leaving.departed = true;
  else membership.leave(world, turn.membership);
}

/** Looks whether there is anything left to wait for. */
export function depart(turn: Turn): void {
  const { world, state, now } = turn;
  const { leaving } = state;
  if (leaving === null || leaving.departed) return;
  const held = Object.keys(world.jobs).filter((name) => world.jobs[name]!.held);
  const late = now - leaving.since >= LEAVE_LATEST_MS;
  if (held.length > 0 && !late && held.some((name) => canGo(turn, name))) return;
  leaving.departed = true;
  if (held.length === 0) return;
  const cause = late ? 'too-late' : 'nobody-can-receive';
  journal(turn, { event: 'node-stopping', cause, evidence: { kept: held } });
}

/** A halted or disabled package is on its way to nobody, and nobody moves anything without a coordinator. */
function canGo(turn: Turn, name: string): boolean {
  const { world, membership: met } = turn;
  const document = membership.document(met);
  const candidate = world.cluster.packages?.find((one) => one.name === name);
  if (document === null || candidate === undefined || membership.coordinator(met) === null) return false;
  if (document.placements[name]?.state === 'halt') return true;
  const { orders, placements } = document;
  if (!(orders.packages[name]?.enabled ?? candidate.enabled)) return false;
  if (candidate.failover === 'manual' || candidate.failover === 'never') return false;
  const others = candidate.nodes.filter((node) => node !== world.self.name);
  const picture = gather(turn, document, { since: {}, dueAt: Infinity });
  return choose(picture, orders, placements, candidate, others).node !== null;
}

/** An orderly stop: this node wants to be rid of its packages, and waits for it as long as that makes sense. */
import { journal } from '../health/account.js';
import type { Ms } from '../input.js';
import * as membership from '../membership/member.js';
import { choose } from './choice.js';
import { gather } from './picture.js';
import type { Turn } from './state.js';

const LEAVE_LATEST_MS: Ms = 5000;

export function leave(turn: Turn): void {
  const { world, state, now, membership: met } = turn;
  if (state.leaving !== null) return;
  const names = world.cluster.packages.map(({ name }) => name);
  const placements = membership.document(met)?.placements ?? {};
  const packages = names.filter(
    (name) => placements[name]?.node === world.self.name || world.jobs[name]?.held === true,
  );
  state.leaving = { since: now, packages, departed: names.length === 0 };
  membership.leave(world, met);
}

/** Looks whether there is anything left to wait for. */
export function depart(turn: Turn): void {
  const { state, now } = turn;
  const { leaving } = state;
  if (leaving === null || leaving.departed) return;
  const late = now - leaving.since >= LEAVE_LATEST_MS;
  const open = leaving.packages.filter((name) => isOnItsWay(turn, name));
  if (open.length > 0 && !late) return;
  leaving.departed = true;
  const { jobs } = turn.world;
  const kept = Object.keys(jobs).filter((name) => jobs[name]!.held);
  if (kept.length === 0) return;
  journal(turn, { event: 'node-stopping', cause: late ? 'too-late' : 'nobody-can-receive', evidence: { kept } });
}

/**
 * Until it runs elsewhere: a coordinator that went as soon as it holds nothing, would leave the new holder without a
 * lease. Nobody moves anything without a coordinator, and a halted or disabled package goes nowhere.
 */
function isOnItsWay(turn: Turn, name: string): boolean {
  const { world, membership: met, now } = turn;
  const document = membership.document(met);
  const candidate = world.cluster.packages.find((one) => one.name === name);
  if (document === null || candidate === undefined || membership.coordinator(met) === null) return false;
  const { orders, placements } = document;
  const node = placements[name]?.node ?? null;
  if (node !== null && node !== world.self.name) {
    const there = membership.view(world, met, turn.health, now, node);
    return world.jobs[name]?.held === true || (there.health === 'alive' && there.jobs[name]?.state !== 'running');
  }
  if (orders.clusterHalted || orders.packages[name]?.halted === true) return world.jobs[name]?.held === true;
  if (!(orders.packages[name]?.enabled ?? candidate.enabled)) return false;
  if (candidate.failover === 'manual' || candidate.failover === 'never') return false;
  const others = candidate.nodes.filter((other) => other !== world.self.name);
  const picture = gather(turn, document, { since: {}, dueAt: Infinity });
  return choose(picture, orders, placements, candidate, others).node !== null;
}

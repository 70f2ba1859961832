/** What is decided of a NIC: entered only through `become`, which keeps the journal. */
import type { Action } from '../action.js';
import type { Net } from '../config/cluster.js';
import type { Ms } from '../input.js';
import type { HealthReason, NicHealth } from '../status.js';
import { record } from './account.js';
import { countDown } from './flap.js';
import type { HealthState, NicState, Verdict } from './state.js';

const RANK_SUSPECT = 3;
const RANK_DOWN = 4;

function rankOf(health: NicHealth, reason: HealthReason | undefined): number {
  if (health === 'down') return RANK_DOWN;
  if (health === 'suspect') return RANK_SUSPECT;
  if (reason === undefined) return 0;
  return reason === 'unproven' ? 1 : 2;
}

/** `up`, `up split`, `suspect missed`, `down carrier`. */
export function describe({ health, reason }: Pick<Verdict, 'health' | 'reason'>): string {
  return reason === undefined ? health : `${health} ${reason}`;
}

/** Returns whether anything changed. */
export function become(
  state: HealthState,
  net: Net,
  nic: NicState,
  health: NicHealth,
  reason: HealthReason | undefined,
  cause: string,
  evidence: Record<string, unknown>,
  now: Ms,
  out: Action[],
): boolean {
  const old = nic.verdict;
  if (old.health === health && old.reason === reason) return false;
  const { holdUntil } = old;
  const since = old.health === health ? old.since : now;
  nic.verdict = { health, ...(reason === undefined ? {} : { reason }), since, rank: rankOf(health, reason), holdUntil };
  const from = describe(old);
  const to = describe(nic.verdict);
  const entry = { at: now, event: 'nic-health', net: nic.net, nic: nic.nic, from, to, cause, evidence } as const;
  out.push({ kind: 'journal', entry });
  record({ state, now, out }, nic.nic, `${nic.nic}: ${from} → ${to}`, cause, evidence);
  if (health === 'down' && old.health !== 'down') countDown(state, net, nic, now, out);
  return true;
}

/**
 * Which NIC should carry a net? Only a NIC that is down is left by itself, for one that is strictly better; and the
 * primary gets its portfolio back when it is up again. Split, one-way, isolated, unproven and suspect move nothing.
 */
import type { NodeNet } from '../config/cluster.js';
import type { Verdict } from '../health/state.js';
import type { Ms, NicObservation } from '../input.js';
import type { World } from '../world.js';
import { type NetState, netOf, nicsOf, type Turn } from './state.js';

/** In windows of light polling. */
const GRACE_WINDOWS = 2;

export type Choice =
  | { do: 'stay' }
  | { do: 'switch'; to: string; cause: string; evidence: Record<string, unknown> }
  | { do: 'refuse'; cause: string; why: string[] };

/** Why this NIC cannot take the portfolio now, whatever its health, or null. */
export function hindrance(turn: Turn, own: NodeNet, nic: string): string | null {
  const { world, state, now } = turn;
  const seen = world.host[nic];
  if (seen === undefined) return 'is missing';
  const enslaved = enslavement(seen);
  if (enslaved !== null) return enslaved;
  if (!seen.admin) return 'is set down';
  const home = world.host[own.primary];
  if (home && home.linkType !== seen.linkType) return `has link type ${seen.linkType}, the primary ${home.linkType}`;
  const unfit = state.unfit[nic];
  if (unfit && unfit.until > now) return 'failed to take over lately';
  const lock = state.locks[nic];
  return lock ? lockText(lock.owner, lock.reason) : null;
}

export function lockText(owner: string, reason: string): string {
  return `is locked by ${owner}${reason === '' ? '' : ` (${reason})`}`;
}

/** A port of a bridge, bond or team has no addresses of its own that could serve; one in a VRF has. */
export function enslavement(seen: NicObservation): string | null {
  if (seen.master === undefined || seen.masterKind === 'vrf') return null;
  return `is a port of the ${seen.masterKind ?? 'device'} ${seen.master}`;
}

export function choose(turn: Turn, own: NodeNet, net: NetState): Choice {
  const current = turn.verdict(net.carrier);
  return current.health === 'down' ? leave(turn, own, net, current) : goHome(turn, own, net, current);
}

function leave(turn: Turn, own: NodeNet, net: NetState, current: Verdict): Choice {
  const lock = turn.state.locks[net.carrier];
  if (lock) return { do: 'refuse', cause: 'locked', why: [`${net.carrier} ${lockText(lock.owner, lock.reason)}`] };
  const { best, why } = bestOther(turn, own, net.carrier, (verdict) => isBetter(verdict, current));
  const cause = current.reason ?? 'down';
  if (best === null) return { do: 'refuse', cause: 'no-fit-standby', why };
  return {
    do: 'switch',
    to: best,
    cause,
    evidence: { [net.carrier]: words(current), [best]: words(turn.verdict(best)) },
  };
}

/** What missed a poll is asked about at this moment: where the other was condemned by judgement, so may this one be. */
function isBetter(verdict: Verdict, current: Verdict): boolean {
  if (verdict.health === 'down') return false;
  return !(isJudged(current) && verdict.health === 'suspect' && verdict.reason === 'missed');
}

/** Condemned by what is heard, not by what the kernel says of the NIC itself. */
export function isJudged({ health, reason }: Verdict): boolean {
  return health === 'down' && reason !== 'missing' && reason !== 'admin' && reason !== 'carrier';
}

/**
 * The NIC with the best health that nothing hinders; and why the others are not it. Among equals one that carries for no
 * other net, so that standbys are used in turn, and then the first in file order.
 */
export function bestOther(
  turn: Turn,
  own: NodeNet,
  carrier: string,
  accepts: (verdict: Verdict) => boolean,
): { best: string | null; why: string[] } {
  const why: string[] = [];
  const fit: { nic: string; rank: number; load: number }[] = [];
  for (const nic of nicsOf(own).filter((candidate) => candidate !== carrier)) {
    const verdict = turn.verdict(nic);
    const reason = hindrance(turn, own, nic) ?? (accepts(verdict) ? null : `is ${words(verdict)}`);
    if (reason === null) fit.push({ nic, rank: verdict.rank, load: loadOf(turn, own, nic) });
    else why.push(`${nic} ${reason}`);
  }
  if (own.standby.length === 0) why.push('there is no standby');
  fit.sort((a, b) => a.rank - b.rank || a.load - b.load);
  return { best: fit[0]?.nic ?? null, why };
}

/** How many other nets it carries for, or is about to. */
function loadOf({ state }: Turn, own: NodeNet, nic: string): number {
  let load = 0;
  for (const { net, carrier, change } of Object.values(state.nets))
    if (net !== own.net && (change?.kind === 'switch' ? change.to : carrier) === nic) load++;
  return load;
}

function goHome(turn: Turn, own: NodeNet, net: NetState, current: Verdict): Choice {
  if (net.carrier === own.primary || net.manual || !netOf(turn.world, own.net)?.autoSwitchBack) return { do: 'stay' };
  const home = turn.verdict(own.primary);
  if (!isHomeFit(turn, own, net) || home.holdUntil > turn.now || turn.state.locks[net.carrier]) return { do: 'stay' };
  const evidence = { [own.primary]: words(home), [net.carrier]: words(current) };
  return { do: 'switch', to: own.primary, cause: 'switch-back', evidence };
}

/** May the addresses go back to the primary? It must be up, no worse than where they are, and known for long enough. */
export function isHomeFit(turn: Turn, own: NodeNet, net: NetState): boolean {
  const home = turn.verdict(own.primary);
  if (home.health !== 'up' || home.rank > turn.verdict(net.carrier).rank) return false;
  return homeKnownAt(turn, own) <= turn.now && hindrance(turn, own, own.primary) === null;
}

/**
 * At start every NIC with carrier counts as up until it is judged, also the primary that an earlier run found silent. Like a
 * repaired one it has its up delay first.
 */
export function homeKnownAt({ world, state }: Turn, own: NodeNet): Ms {
  return state.startedAt + Math.max(netOf(world, own.net)?.upDelayMs ?? 0, startGraceMs(world));
}

/** After a start: links come up, first verdicts are reached. */
export function startGraceMs({ cluster: { timing } }: World): Ms {
  return GRACE_WINDOWS * timing.pollMs * timing.pollMisses;
}

export function words({ health, reason }: Verdict): string {
  return reason === undefined ? health : `${health} ${reason}`;
}

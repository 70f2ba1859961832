/**
 * Somebody else shows an address that this node serves. Another node of the cluster: it has lost it and may not know yet,
 * so the net is told anew at once. A stranger: an alarm, and a defence that can make no loop (RFC 5227 section 2.4(c)).
 */
import type { Ms } from '../input.js';
import { clear, journal, raise } from './account.js';
import { announce, announceOnce } from './announce.js';
import { type Claim, isOwnMac } from './claim.js';
import { type FloatingAddress, floatingOf } from './floating-address.js';
import { allowed } from './job.js';
import { QUIET } from './mending.js';
import { nicFor } from './placing.js';
import { netsOfNic, type Turn } from './state.js';

/** RFC 5227 section 1.1: DEFEND_INTERVAL. */
const DEFEND_INTERVAL: Ms = 10_000;
/** Against a node of the cluster, whose claims end by themselves. */
const REPEAT_MIN: Ms = 1000;

export interface Rival {
  mac: string;
  lastAt: Ms;
  /** When the net was last told because of it. */
  toldAt: Ms;
}

/** A claim that was heard over that NIC. */
export function watchRival(turn: Turn, nic: string, claim: Claim): void {
  const { world } = turn;
  const floating = floatingOf(world.cluster, claim.address);
  if (floating === undefined || !netsOfNic(world.self, nic).some(({ net }) => net === floating.net)) return;
  if (world.jobs[floating.package]?.state !== 'running' || allowed(turn, floating.package) === null) return;
  if (!isOwnMac(world, claim.mac)) defend(turn, floating, claim.mac, nic);
}

/** Another MAC answers for an address of a running package. Told and answered only so often. */
export function defend(turn: Turn, floating: FloatingAddress, mac: string, nic: string): void {
  const { state, now } = turn;
  const { net, prefix } = floating;
  const { address } = prefix;
  const peer = nodeOfMac(turn, mac);
  const known = state.floating.rivals[address];
  const pauseMs = peer === null ? DEFEND_INTERVAL : REPEAT_MIN;
  const isDue = known === undefined || now - known.toldAt >= pauseMs;
  const isNew = known?.mac !== mac;
  state.floating.rivals[address] = { mac, lastAt: now, toldAt: isDue ? now : known.toldAt };
  const about = { net, nic, address, package: floating.package, evidence: { mac } };
  if (peer === null)
    raise(turn, `conflict ${address}`, 'address-conflict', `${address} is claimed by a stranger, ${mac} on ${net}`);
  if (isDue || isNew) {
    if (peer === null) journal(turn, { event: 'address-conflict', cause: 'stranger', ...about });
    else journal(turn, { event: 'rival', cause: 'other-node', peer, ...about });
  }
  const carrier = nicFor(turn, net);
  if (!isDue || carrier === null) return;
  if (peer === null) announceOnce(state.announcer, now, { net, nic: carrier, address, cause: 'address-conflict' });
  else announce(state.announcer, now, { net, nic: carrier, address, cause: 'rival' });
}

function nodeOfMac({ state, peers }: Turn, mac: string): string | null {
  const told = Object.entries(state.floating.macs).find(([, macs]) => macs.includes(mac));
  return told?.[0] ?? peers.nodeOf(mac);
}

export function forgetRivals(turn: Turn): void {
  const { rivals } = turn.state.floating;
  for (const [address, { lastAt }] of Object.entries(rivals)) {
    if (turn.now < lastAt + QUIET) continue;
    delete rivals[address];
    clear(turn, `conflict ${address}`);
  }
}

export function rivalsDeadline({ state }: Turn): Ms {
  return Object.values(state.floating.rivals).reduce((at, { lastAt }) => Math.min(at, lastAt + QUIET), Infinity);
}

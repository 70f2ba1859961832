/**
 * Somebody else shows an address that this node serves. Another node of the cluster: it has lost it and may not know yet,
 * so the net is told anew at once. A stranger: an alarm, and a defence that can make no loop (RFC 5227 section 2.4(c)).
 */
import type { Ms } from '../input.js';
import { clear, journal, raise } from './account.js';
import { announce, announcedAt, announceOnce } from './announce.js';
import { type Claim, isOwnMac } from './claim.js';
import { addressesOf, type FloatingAddress, floatingOf } from './floating-address.js';
import { allowed } from './job.js';
import { QUIET } from './mending.js';
import { nicFor } from './placing.js';
import { netsOfNic, type Turn } from './state.js';

/** RFC 5227 section 1.1: DEFEND_INTERVAL. */
const DEFEND_INTERVAL: Ms = 10_000;
/** RFC 5227 section 1.1: ANNOUNCE_INTERVAL. Longer than a second, for which Linux believes the first of two (locktime). */
const SILENCE: Ms = 2000;
/** A frame of ours that a loop of switches brings back is there sooner. */
const ECHO: Ms = 2000;
/** Against a node of the cluster, whose claims end by themselves. */
const REPEAT_MIN: Ms = 1000;

export interface Rival {
  mac: string;
  lastAt: Ms;
  /** When the net was last told because of it. */
  toldAt: Ms;
  /** When the holder has its last word after a stranger's, should that say no more; null: no word is due. */
  lastWordDue: Ms | null;
  /** When it had it last; null: never. */
  lastWordAt: Ms | null;
}

/** A claim that was heard over that NIC. */
export function watchRival(turn: Turn, nic: string, claim: Claim): void {
  const { world } = turn;
  const floating = floatingOf(world.cluster, claim.address);
  if (floating === undefined || !netsOfNic(world.self, nic).some(({ net }) => net === floating.net)) return;
  if (world.jobs[floating.package]?.state !== 'running' || allowed(turn, floating.package) === null) return;
  if (!isOwnMac(world, claim.mac) || isTwin(turn, floating, claim, nic)) defend(turn, floating, claim.mac, nic);
}

/**
 * Somebody has address and MAC, too: it is announced under our MAC where we announce it ourselves, and no switch shows a card
 * what it sends. The other cards of the net hear that all the time.
 */
function isTwin(turn: Turn, { net, prefix, mac }: FloatingAddress, claim: Claim, nic: string): boolean {
  const { state, now, world } = turn;
  if (!claim.gratuitous || nic !== nicFor(turn, net)) return false;
  if (claim.mac !== mac && claim.mac !== world.host[nic]?.mac) return false;
  return now - announcedAt(state.announcer, net, prefix.address) > ECHO;
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
  const lastWordAt = known?.lastWordAt ?? null;
  const earliest = lastWordAt === null ? 0 : lastWordAt + DEFEND_INTERVAL;
  const lastWordDue = peer === null ? Math.max(now + SILENCE, earliest) : null;
  const toldAt = isDue ? now : known.toldAt;
  state.floating.rivals[address] = { mac, lastAt: now, toldAt, lastWordDue, lastWordAt };
  state.floating.lookAt = Math.min(state.floating.lookAt ?? Infinity, lastWordDue ?? now + QUIET);
  const about = { net, nic, address, package: floating.package, evidence: { mac } };
  if (peer === null) raise(turn, `conflict ${address}`, 'address-conflict', conflictText(turn, address, mac, net));
  if (isDue || isNew) {
    if (peer === null) journal(turn, { event: 'address-conflict', cause: 'stranger', ...about });
    else journal(turn, { event: 'rival', cause: 'other-node', peer, ...about });
  }
  const carrier = nicFor(turn, net);
  if (!isDue || carrier === null) return;
  if (peer === null) announceOnce(state.announcer, now, { net, nic: carrier, address, cause: 'address-conflict' });
  else announce(state.announcer, now, { net, nic: carrier, address, cause: 'rival' });
}

function conflictText({ world }: Turn, address: string, mac: string, net: string): string {
  if (!isOwnMac(world, mac)) return `${address} is claimed by a stranger, ${mac} on ${net}`;
  return `${address} is announced under our own MAC ${mac} by somebody else on ${net}, or ${net} has a loop`;
}

function nodeOfMac({ state, peers }: Turn, mac: string): string | null {
  const told = Object.entries(state.floating.macs).find(([, macs]) => macs.includes(mac));
  return told?.[0] ?? peers.nodeOf(mac);
}

/** A stranger that has gone silent leaves its claim in the caches of the net: who serves the address says so once more. */
export function outlastRivals(turn: Turn): void {
  const { rivals } = turn.state.floating;
  for (const [address, rival] of Object.entries(rivals)) {
    if (rival.lastWordDue !== null && turn.now >= rival.lastWordDue) haveLastWord(turn, address, rival);
    if (turn.now < rival.lastAt + QUIET) continue;
    delete rivals[address];
    clear(turn, `conflict ${address}`);
  }
}

function haveLastWord(turn: Turn, address: string, rival: Rival): void {
  const { world, state, now } = turn;
  Object.assign(rival, { toldAt: now, lastWordAt: now, lastWordDue: null });
  const floating = floatingOf(world.cluster, address);
  const nic = floating === undefined ? null : nicFor(turn, floating.net);
  if (floating === undefined || nic === null) return;
  announceOnce(state.announcer, now, { net: floating.net, nic, address, cause: 'address-conflict' });
}

/**
 * Where each node is its own quorum two may serve one package while they do not hear each other, and the one that lets go of it
 * may have spoken last: the other tells the net once more.
 */
export function outlastHolders(turn: Turn): void {
  const { world, state, now, peers } = turn;
  const before = state.floating.shared;
  const running = world.cluster.packages.filter(({ name }) => world.jobs[name]?.state === 'running');
  const shared = running.filter((one) => peers.mayServe(one));
  state.floating.shared = shared.map(({ name }) => name);
  for (const one of running) {
    if (shared.includes(one) || !before.includes(one.name)) continue;
    for (const { net, prefix } of addressesOf(world.cluster, one.name)) {
      const nic = nicFor(turn, net);
      if (nic !== null) announce(state.announcer, now, { net, nic, address: prefix.address, cause: 'rival' });
    }
  }
}

export function rivalsDeadline({ state }: Turn): Ms {
  const times = Object.values(state.floating.rivals).map((x) => Math.min(x.lastAt + QUIET, x.lastWordDue ?? Infinity));
  return Math.min(Infinity, ...times);
}

/**
 * Floating addresses of this node: takeover and surrender (DESIGN 9, MEMBERSHIP N3 to N7 and 6).
 *
 *   membership ──may serve, lease──▶ job ──▶ gate-order ──▶ write-gate
 *                                     │                       │
 *   local switch ──carrier NIC────────┴──▶ placing ──▶ change-host ──both done──▶ running, announced
 *
 * Each look compares what should be with what is. The lease is looked at first, at every input.
 */
import type { Input, Ms } from '../input.js';
import { PART } from '../frame/part.js';
import { decodeInquiry, decodeSighting } from '../frame/sighting.js';
import type { World } from '../world.js';
import { announce } from './announce.js';
import { claimIn } from './claim.js';
import { addressesOf, floatingAddresses, floatingOf, placeKey } from './floating-address.js';
import type { FloatingState } from './floating-state.js';
import { CLOSED, endGateAlarm, gateDeadline, gateLost, gateWritten, hasGate, orderGate } from './gate-order.js';
import { allowed, awaitsStart, followKernel, followMandate, hasLease, isPlacedHere, isServed } from './job.js';
import { beginInquest, endInquests, inquestDeadline, noteClaim } from './inquest.js';
import { forgetMacvlan, macvlanChanged, macvlansDeadline, macvlansOf, placesOf, tendMacvlans } from './macvlan.js';
import { endAsSeen, lifetimeDeadline } from './lifetime.js';
import { ADDRESS_PROTOCOL } from './ledger.js';
import {
  isThere,
  nicFor,
  type Place,
  placeAddresses,
  placed,
  placesDeadline,
  placesSeen,
  watchPlaces,
} from './placing.js';
import { refreshDeadline, takeRefresh } from './refresh.js';
import { outlastHolders, outlastRivals, rivalsDeadline, watchRival } from './rival.js';
import { standOf } from './stand.js';
import { drop, type Turn } from './state.js';
import { forgetTampering, tamperingDeadline } from './tampering.js';
import { followTrials, placeOf, takeTrials, trialsDeadline } from './trial.js';
import { sighted, takeVerification, verificationDeadline } from './verification.js';

/** Before anything else: no lease, no service. */
export function guardLease(turn: Turn): void {
  if (turn.world.cluster.packages.length === 0) return;
  turn.state.floating.leaseEnd = turn.mandate.leaseEnd;
  if (!hasLease(turn) && turn.state.ready && Object.values(turn.world.jobs).some(isServed)) lookAtAll(turn);
}

/** What an input says of it. */
export function absorbFloating(turn: Turn, input: Input): void {
  if (turn.world.cluster.packages.length === 0) return;
  if (turn.world.heard.length > 0) listen(turn);
  switch (input.kind) {
    case 'gate-written':
      return gateWritten(turn, input.id, input.outcome, input.tookMs);
    case 'gate-lost':
      return gateLost(turn, input.text);
    case 'frame-received':
      return hear(turn, input.nic, input.bytes);
    case 'host-observed':
      for (const nic of input.missing) forgetNic(turn, nic);
      return placesSeen(turn, [...input.nics.map(({ nic }) => nic), ...input.missing]);
    default:
      return;
  }
}

/** Frames are many: only those that may concern an address are opened. */
function hear(turn: Turn, nic: string, bytes: Uint8Array): void {
  const { world, state } = turn;
  const isServing = Object.values(world.jobs).some((job) => job.state === 'running');
  if (!isServing && state.floating.inquests.open.length === 0) return;
  const claim = claimIn(bytes);
  if (claim === null) return;
  noteClaim(turn, claim);
  if (isServing) watchRival(turn, nic, claim);
}

/** Parts of beats that came with this input. */
function listen(turn: Turn): void {
  const { world, state } = turn;
  for (const { node, parts } of world.heard) {
    for (const { kind, bytes } of parts) {
      if (kind !== PART.inquiry && kind !== PART.sighting) continue;
      const told = kind === PART.inquiry ? decodeInquiry(bytes) : decodeSighting(bytes);
      if (told === null) {
        drop(state, kind === PART.inquiry ? 'inquiry-damaged' : 'sighting-damaged');
        continue;
      }
      state.floating.macs[node] = told.macs;
      if ('addresses' in told) beginInquest(turn, node, told);
      else sighted(turn, node, told);
    }
  }
}

/** `host-changed`. False: that id is none of these. */
export function floatingChanged(turn: Turn, { id, failed }: Input & { kind: 'host-changed' }): boolean {
  if (macvlanChanged(turn, id, failed ? `${failed.code} ${failed.text}`.trim() : null)) return true;
  const added = placed(turn, id, failed);
  if (added === null) return false;
  for (const place of added) tellMoved(turn, place);
  return true;
}

/** An address of a running package that lies elsewhere now, or again. */
function tellMoved({ world, state, now }: Turn, { nic, address: { local: address } }: Place): void {
  const floating = floatingOf(world.cluster, address);
  if (floating === undefined || world.jobs[floating.package]?.state !== 'running') return;
  const cause = address in state.floating.tampering ? 'removed-by-other' : 'local-switch';
  announce(state.announcer, now, { net: floating.net, nic: world.host[nic]?.below ?? nic, address, cause });
}

function forgetNic(turn: Turn, nic: string): void {
  const { until } = turn.state.floating;
  for (const key of Object.keys(until)) if (key.startsWith(`${nic} `)) delete until[key];
  forgetMacvlan(turn, nic);
}

/** After the local switch, whose carrier the addresses follow. */
export function lookAtFloating(turn: Turn, input: Input): void {
  const { state, now } = turn;
  if (turn.world.cluster.packages.length === 0 || !state.ready) return;
  const { floating } = state;
  const gist = gistOf(turn);
  const told = TELLING.has(input.kind);
  if (told || gist !== floating.gist || (floating.lookAt !== null && floating.lookAt <= now)) lookAtAll(turn);
  floating.gist = gist;
  floating.stand = standOf(turn.mandate);
  takeRefresh(turn);
  takeVerification(turn);
  endInquests(turn);
}

const TELLING: ReadonlySet<Input['kind']> = new Set([
  'host-observed',
  'host-changed',
  'gate-written',
  'gate-lost',
  'stop-asked',
]);

function gistOf(turn: Turn): string {
  const { world, state, mandate } = turn;
  const { document, may } = mandate;
  let gist = `${mandate.leaseEnd} ${document?.version.term} ${document?.version.revision} ${state.stopping?.phase}`;
  for (const name in may) gist += ` ${name}=${may[name]!.term}.${may[name]!.revision}`;
  for (const { net } of world.self.nets) gist += ` ${nicFor(turn, net)}`;
  for (const [name, { use }] of Object.entries(state.floating.trials.own)) gist += ` ${name}=${use}`;
  return gist;
}

/** The first look: what an earlier run left lies there by our doing, and stays until it is known whether it may (N7). */
export function adoptFloating({ world, state, now }: Turn): void {
  const { floating } = state;
  const left = new Set<string>();
  for (const nic of placesOf(world)) {
    for (const address of world.host[nic]?.addresses ?? []) {
      const known = floatingOf(world.cluster, address.local);
      if (known === undefined || address.protocol !== ADDRESS_PROTOCOL) continue;
      left.add(known.package);
      floating.until[placeKey(nic, address)] = endAsSeen(state.seenAt[nic] ?? now, address);
    }
  }
  floating.adopting = [...left];
}

/** The open gate of the run before is closed by then, and its addresses speak no more. */
function adoptionEnd({ world, state }: Turn): Ms {
  const { nodeTimeoutMs, marginMs } = world.cluster.timing;
  return state.floating.startedAt + nodeTimeoutMs - marginMs;
}

function lookAtAll(turn: Turn): void {
  const { world, state, now } = turn;
  const { floating } = state;
  // No grant is usable before the document that it needs is stored (N2), but a coordinator may have its lease before that is on
  // its own disk: what is placed here may be allowed in a moment.
  const mayWait = now < adoptionEnd(turn) && state.stopping === null;
  floating.adopting = floating.adopting.filter((name) =>
    hasLease(turn) ? allowed(turn, name) !== null || (mayWait && isPlacedHere(turn, name)) : mayWait,
  );
  followMandate(turn);
  const served = Object.keys(world.jobs).filter((name) => isServed(world.jobs[name]!));
  const spared = floating.adopting.filter((name) => !served.includes(name));
  const waits = floating.gate.known === null && floating.gate.pending.length === 0;
  if (!waits) tellGate(turn, served);
  followTrials(turn, new Set(served));
  takeTrials(turn);
  placeAddresses(turn, new Set(served), new Set(spared));
  // N7: what is not allowed is gone before the gate that an earlier run left is written.
  const isLeaving = Object.values(floating.posted).some(({ does, outcome }) => does === 'delete' && outcome === null);
  if (waits && !isLeaving && spared.length === 0) tellGate(turn, served);
  tendMacvlans(turn, wantedPlaces(turn, served));
  followKernel(turn);
  watchPlaces(turn);
  forgetTampering(turn);
  outlastRivals(turn);
  outlastHolders(turn);
  endGateAlarm(turn);
  floating.lookAt = awaitsStart(turn) ? turn.now : nextLook(turn);
}

function wantedPlaces(turn: Turn, served: readonly string[]): Set<string> {
  const mine = served.flatMap((name) => addressesOf(turn.world.cluster, name));
  return new Set(mine.flatMap((floating) => placeOf(turn, floating) ?? []));
}

function tellGate(turn: Turn, served: readonly string[]): void {
  if (!hasGate(turn.world.cluster)) return;
  const held = served.flatMap((name) => addressesOf(turn.world.cluster, name).map(({ prefix }) => prefix.address));
  const { leaseEnd } = turn.mandate;
  orderGate(turn, held.length === 0 || leaseEnd === null ? CLOSED : { held: held.sort(), leaseEnd });
}

function nextLook(turn: Turn): Ms | null {
  const { world, state, now, mandate } = turn;
  const serves = Object.values(world.jobs).some(isServed);
  const times = [
    serves && mandate.leaseEnd !== null ? mandate.leaseEnd : Infinity,
    state.floating.adopting.length > 0 ? adoptionEnd(turn) : Infinity,
    placesDeadline(turn),
    macvlansDeadline(turn),
    lifetimeDeadline(turn),
    tamperingDeadline(turn),
    rivalsDeadline(turn),
    gateDeadline(state.floating.gate, now),
  ];
  const at = Math.min(...times.filter((x) => x > now));
  return at === Infinity ? null : at;
}

export function floatingDeadline(world: World, floating: FloatingState): Ms {
  return Math.min(
    floating.lookAt ?? Infinity,
    refreshDeadline(floating.refresh),
    verificationDeadline(floating.verification, world),
    inquestDeadline(floating.inquests),
    trialsDeadline(floating.trials),
  );
}

/** S9: before every single frame. */
export function mayAnnounce(turn: Turn, nic: string, address: string): boolean {
  const floating = floatingOf(turn.world.cluster, address);
  if (floating === undefined) return false;
  const job = turn.world.jobs[floating.package];
  if (job?.state !== 'running' || allowed(turn, floating.package) === null) return false;
  const place = placeOf(turn, floating);
  return nicFor(turn, floating.net) === nic && place !== null && isThere(turn, place, floating);
}

/** Nothing of any package is here any more, and the gate is closed. */
export function isRid({ world, state }: Turn): boolean {
  if (Object.values(world.jobs).some((job) => job.held || isServed(job))) return false;
  return !hasGate(world.cluster) || state.floating.gate.known?.leaseEnd === null;
}

/** Whether it is on this host, or about to be: for status. */
export function carriedOn({ world }: Pick<Turn, 'world'>, nic: string, nets: readonly string[]): string[] {
  const mine = floatingAddresses(world.cluster).filter(({ net }) => nets.includes(net));
  const places = [nic, ...macvlansOf(world.cluster, world.self).flatMap((one) => (one.nic === nic ? one.name : []))];
  const there = new Set(places.flatMap((place) => world.host[place]?.addresses.map(({ local }) => local) ?? []));
  return mine.flatMap(({ prefix }) => (there.has(prefix.address) ? `${prefix.address}/${prefix.prefixLength}` : []));
}

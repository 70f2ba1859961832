/**
 * Targets: on-link addresses that should always answer. A NIC with an address of the family asks by echo. One without
 * asks by frame: ARP with sender 0.0.0.0, a neighbour solicitation from its link-local address, or from :: where it has
 * none. Never with the stationary address, which is another NIC's.
 */
import { arpProbe, decodeArp, isReply } from '../frame/arp.js';
import { decodeEthernet, etherTypeOf, ETHERTYPE_ARP } from '../frame/ethernet.js';
import { samePrefix, UNSPECIFIED_V4 } from '../frame/ip.js';
import { decodeNdp, neighbourProbe, neighbourSolicitation } from '../frame/ndp.js';
import type { TargetTestimony } from '../frame/poll.js';
import type { Action } from '../action.js';
import type { Address, Ms, NicObservation } from '../input.js';
import type { World } from '../world.js';
import { isShared, netOf } from './bridged.js';
import type { TargetEvidence } from './nic.js';
import { drop, NEVER, type HealthState, type NetState, type NicState, type TargetState } from './state.js';
import { countLoss, framesNeeded, fullPollMs, netLoss } from './window.js';

const IFA_F_TENTATIVE = 0x40;
/** The kernel asks for a neighbour thrice, a second apart, and holds back the echo until it knows (MAX_MULTICAST_SOLICIT, RFC 4861 section 10). */
const RESOLVED_WITHIN: Ms = 3000;
/** More unanswered probes in a row than this were an outage, not random loss. */
const LOST_MAX = 20;

export function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}

function linkLocalOf(observed: NicObservation): string | undefined {
  return observed.addresses.find(
    ({ family, local, flags }) => family === 6 && isLinkLocal(local) && (flags & IFA_F_TENTATIVE) === 0,
  )?.local;
}

/** Asks every target of the net once through that NIC. Returns whether one that answered until now missed its time. */
export function probe(world: World, nic: NicState, now: Ms, out: Action[]): boolean {
  const observed = world.host[nic.nic];
  if (observed === undefined) return false;
  if (nic.nic in world.moving) {
    forgive(nic);
    return false;
  }
  let missed = false;
  for (const { family, address } of netOf(world, nic.net).targets) {
    const target = (nic.targets[address] ??= {
      since: now,
      askedAt: NEVER,
      answeredAt: NEVER,
      missed: 0,
      lossNow: 0,
      lossHeld: 0,
      byProbe: false,
    });
    // Full polling may begin in the very step of a light probe: that one still has its time to be answered.
    if (now - target.askedAt < fullPollMs(world) / 2) continue;
    if (target.askedAt > target.answeredAt) {
      target.missed++;
      if (target.missed === 1 && target.answeredAt > NEVER) missed = true;
    }
    target.askedAt = now;
    const hasAddress = observed.addresses.some((it) => it.family === family && isNear(world, nic, it, address));
    target.byProbe = !hasAddress;
    if (hasAddress) out.push({ kind: 'send-echo', nic: nic.nic, target: address });
    else out.push({ kind: 'send-frame', nic: nic.nic, bytes: probeFrame(observed, family, address) });
  }
  return missed;
}

/** An echo under an address of another net of the file would be answered by way of a router, or not at all. */
function isNear(world: World, nic: NicState, { local, prefixLength }: Address, target: string): boolean {
  if (isLinkLocal(local)) return false;
  return !isShared(world, nic.net) || isLinkLocal(target) || samePrefix(local, target, prefixLength);
}

function probeFrame(observed: NicObservation, family: 4 | 6, target: string): Uint8Array {
  if (family === 4) return arpProbe(observed.mac, target);
  const source = linkLocalOf(observed);
  return source === undefined
    ? neighbourProbe(observed.mac, target)
    : neighbourSolicitation(observed.mac, source, target);
}

/** Books an answer. Returns whether it came after a silence that may have had consequences. */
export function answered(world: World, state: HealthState, nic: NicState, address: string, now: Ms): boolean {
  const target = nic.targets[address];
  if (target === undefined || target.askedAt === NEVER) {
    drop(state, 'target-unasked');
    return false;
  }
  const { missed } = target;
  if (target.answeredAt !== NEVER) countLoss(target, missed, LOST_MAX);
  const isNews = missed >= world.cluster.timing.pollMisses || target.answeredAt === NEVER;
  target.answeredAt = now;
  target.missed = 0;
  return isNews;
}

/** A frame of ARP or neighbour discovery: the target that answers our probe with it, or null. */
export function answerIn(world: World, nic: NicState, bytes: Uint8Array, now: Ms): string | null {
  // Most that comes is a question to others.
  if (etherTypeOf(bytes) === ETHERTYPE_ARP && !isReply(bytes)) return null;
  const observed = world.host[nic.nic];
  const frame = decodeEthernet(bytes);
  if (observed === undefined || typeof frame === 'string') return null;
  const toUs = frame.destination === observed.mac;
  if (frame.etherType === ETHERTYPE_ARP) {
    const arp = decodeArp(frame.payload);
    // Only a reply to 0.0.0.0 is the answer to a probe of ours; any other frame proves but one direction.
    if (typeof arp === 'string' || !toUs || arp.op !== 'reply' || arp.tpa !== UNSPECIFIED_V4) return null;
    return arp.spa in nic.targets ? arp.spa : null;
  }
  const ndp = decodeNdp(frame.payload);
  if (typeof ndp === 'string' || ndp.type !== 'neighbour-advertisement') return null;
  const target = nic.targets[ndp.target];
  if (target === undefined) return null;
  // From :: the answer goes to all nodes (RFC 4861 section 7.2.4): it is ours only if it comes right after our probe.
  const ours = toUs || (linkLocalOf(observed) === undefined && now - target.askedAt <= fullPollMs(world) / 2);
  return ours ? ndp.target : null;
}

/**
 * What was asked while its addresses moved, under an address that it may have lost meanwhile, counts for nothing. What was
 * missed before still counts: a NIC that was dead before the move has not answered since.
 */
function forgive(nic: NicState): void {
  for (const target of Object.values(nic.targets)) target.askedAt = Math.min(target.askedAt, target.answeredAt);
}

/** Silence before a stall, or before full polling began, is not counted. */
export function restartTargets(nic: NicState): void {
  for (const target of Object.values(nic.targets)) target.missed = Math.min(target.missed, 1);
}

/** Probes are dropped somewhere: none was ever answered, though the NIC hears the net well and a target lives. */
export function isProbeBlocked(world: World, state: HealthState, nic: NicState, target: TargetState): boolean {
  if (!target.byProbe || target.answeredAt !== NEVER || nic.heardAnyAt === NEVER) return false;
  if (target.missed < world.cluster.timing.pollMisses) return false;
  return state.nets[nic.net]!.nics.some((name) => name !== nic.nic && answersNow(world, state.nics[name]!));
}

function answersNow(world: World, nic: NicState): boolean {
  return nic.link === 'up' && Object.values(nic.targets).some((target) => answers(world, target));
}

function answers(world: World, target: TargetState): boolean {
  return target.answeredAt !== NEVER && target.missed < world.cluster.timing.pollMisses;
}

/** What our frames say of that NIC. */
export function targetTestimony(
  world: World,
  state: HealthState,
  net: NetState,
  nic: NicState,
  now: Ms,
): TargetTestimony {
  const asked = Object.values(nic.targets).filter(
    (it) => (it.answeredAt !== NEVER || !it.byProbe) && !isYoung(it, now),
  );
  if (asked.length === 0) return 'not-asked';
  if (asked.some((target) => answers(world, target))) return 'answers';
  const enough = probesNeeded(world, state, net, asked, now);
  return asked.every((target) => target.missed >= enough) ? 'silent' : 'not-asked';
}

/** It may wait for its neighbour: the first answer is still to come. */
function isYoung({ answeredAt, byProbe, since }: TargetState, now: Ms): boolean {
  return answeredAt === NEVER && !byProbe && now - since < RESOLVED_WITHIN;
}

/** Nothing can be said of it before it was asked long enough, and until then it must be asked. */
export function awaitsTarget(nic: NicState, now: Ms): boolean {
  return Object.values(nic.targets).some((target) => isYoung(target, now));
}

/** A question and its answer cross the net twice, and the target may have losses of its own. */
function probesNeeded(world: World, state: HealthState, net: NetState, asked: TargetState[], now: Ms): number {
  const both = 1 - (1 - netLoss(world, state, net, now)) ** 2;
  const loss = asked.reduce((worst, target) => Math.max(worst, target.lossHeld), both);
  return Math.max(world.cluster.timing.pollMisses + 1, framesNeeded(world, loss));
}

/**
 * A peer says by heartbeat that a target answered it since this NIC should have been answered: not just before, or a net
 * that dies for all would condemn the NIC that noticed first.
 */
function answersPeer(world: World, state: HealthState, nic: NicState, now: Ms): boolean {
  const { pollMs, nodeTimeoutMs } = world.cluster.timing;
  const lastAnswer = Object.values(nic.targets).reduce((latest, it) => Math.max(latest, it.answeredAt), NEVER);
  const after = Math.max(lastAnswer + 2 * pollMs, now - nodeTimeoutMs - pollMs);
  for (const name in state.peers) if ((state.peers[name]!.targetAt[nic.net] ?? NEVER) > after) return true;
  return false;
}

/** The target's part of the evidence on one NIC. */
export function targetEvidence(
  world: World,
  state: HealthState,
  net: NetState,
  nic: NicState,
  now: Ms,
): TargetEvidence {
  const own = targetTestimony(world, state, net, nic, now);
  if (own === 'answers') return 'answers';
  const freshAfter = now - 2 * world.cluster.timing.pollMs;
  const elsewhere =
    net.nics.some((name) => name !== nic.nic && answersNow(world, state.nics[name]!)) ||
    answersPeer(world, state, nic, now) ||
    Object.values(net.reports).some((report) => report.target === 'answers' && report.at >= freshAfter);
  if (!elsewhere) return 'none';
  if (own === 'silent') return 'unreachable';
  const judged = Object.values(nic.targets).some((it) => it.answeredAt !== NEVER || !it.byProbe);
  return judged ? 'undecided' : 'none';
}

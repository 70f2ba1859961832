/**
 * Did the net learn where an address lives now? The holder asks peers, who ask the net, and tell which MAC answered.
 *
 *   holder ──inquiry──▶ peer ──ARP probe, solicitation from ::──▶ net ──answers──▶ peer ──sighting──▶ holder
 *
 * Nothing waits for it. A wrong answer, or none: announced and asked again; in the end an alarm, and asked on.
 */
import { encodeInquiry, INQUIRED_MAX, type Sighting } from '../frame/sighting.js';
import { PART } from '../frame/part.js';
import type { Ms } from '../input.js';
import { nicNames } from '../health/place.js';
import { clear, journal, raise } from './account.js';
import { announce } from './announce.js';
import { isOwnMac } from './claim.js';
import { addressesOf, floatingOf } from './floating-address.js';
import { macAt } from './macvlan.js';
import { nicFor } from './placing.js';
import { defend } from './rival.js';
import { netOf, type Turn } from './state.js';
import { placeOf } from './trial.js';

/** Peers that are asked: one may have a deaf NIC. */
const ASKED_PEERS = 2;
const ANSWER_WITHIN: Ms = 500;
const TRIES_UNTIL_ALARM = 3;
const ASK_ON: Ms = 5000;

/** One address that is not confirmed. */
export interface Unconfirmed {
  package: string;
  /** When it was announced. */
  since: Ms;
  tries: number;
  askAt: Ms;
  /** MACs that answered instead. */
  others: string[];
}

export interface VerificationState {
  /** By address. */
  unconfirmed: Record<string, Unconfirmed>;
  /** Net → the inquiry under way. */
  rounds: Record<string, { token: number; until: Ms; waiting: string[] }>;
  token: number;
}

/** The package has just been announced. */
export function verifyPackage({ world, state, now }: Turn, name: string): void {
  for (const { prefix } of addressesOf(world.cluster, name)) {
    const fresh = { package: name, since: now, tries: 0, askAt: now, others: [] };
    state.floating.verification.unconfirmed[prefix.address] = fresh;
  }
}

export function takeVerification(turn: Turn): void {
  const { world, state } = turn;
  const { unconfirmed } = state.floating.verification;
  for (const [address, { package: name }] of Object.entries(unconfirmed)) {
    if (world.jobs[name]?.state !== 'running') letGo(turn, address);
  }
  for (const { net } of world.self.nets) inquire(turn, net);
}

/** The next inquiry of that net: one at a time, so that hundreds of addresses are no storm of probes. */
function inquire(turn: Turn, net: string): void {
  const { world, state, now, peers } = turn;
  const { verification } = state.floating;
  const round = verification.rounds[net];
  if (round !== undefined) {
    if (now < round.until) return;
    delete verification.rounds[net];
    for (const address of round.waiting) missed(turn, address);
  }
  const due = Object.entries(verification.unconfirmed).filter(
    ([address, { askAt }]) => askAt <= now && floatingOf(world.cluster, address)?.net === net,
  );
  if (due.length === 0) return;
  const asked = peers.askable(net).slice(0, ASKED_PEERS);
  if (asked.length === 0) {
    // Nobody is there to ask, and nobody who could be wrong.
    for (const [address, { tries }] of due) if (tries === 0) letGo(turn, address);
    for (const [, each] of due) each.askAt = now + ASK_ON;
    return;
  }
  const rate = netOf(world, net)?.announceRate ?? Infinity;
  const addresses = due.slice(0, Math.max(1, Math.min(INQUIRED_MAX, Math.floor(rate)))).map(([address]) => address);
  verification.token = (verification.token + 1) % 2 ** 32;
  const { token } = verification;
  // A switch that counts ARP frames counts those of the peers as well.
  const withinMs = rate === Infinity ? ANSWER_WITHIN : Math.max(ANSWER_WITHIN, (addresses.length / rate) * 1000);
  verification.rounds[net] = { token, until: now + withinMs, waiting: addresses };
  for (const address of addresses) {
    const each = verification.unconfirmed[address];
    if (each) each.tries++;
  }
  const bytes = encodeInquiry({ token, macs: ownMacs(turn), addresses });
  for (const node of asked) peers.tell(node, { kind: PART.inquiry, bytes });
}

/** MACs of this node's NICs, told to whom it asks and answers: they know a rival of the cluster from a stranger by it. */
export function ownMacs({ world }: Turn): string[] {
  return nicNames(world.self).flatMap((nic) => world.host[nic]?.mac ?? []);
}

export function sighted(turn: Turn, node: string, { token, seen }: Sighting): void {
  const { world, state } = turn;
  const { verification } = state.floating;
  const net = Object.keys(verification.rounds).find((each) => verification.rounds[each]?.token === token);
  const round = net === undefined ? undefined : verification.rounds[net];
  if (net === undefined || round === undefined) return;
  for (const { address, mac } of seen) {
    const floating = floatingOf(world.cluster, address);
    const open = verification.unconfirmed[address];
    if (floating === undefined || open === undefined || !round.waiting.includes(address)) continue;
    const nic = nicFor(turn, net);
    if (mac === macAt(turn, placeOf(turn, floating))) confirm(turn, address, node);
    else if (!isOwnMac(world, mac)) {
      if (!open.others.includes(mac)) open.others = [...open.others, mac].slice(-4);
      if (nic !== null) defend(turn, floating, mac, nic);
    }
  }
  round.waiting = round.waiting.filter((address) => address in verification.unconfirmed);
  if (round.waiting.length === 0) round.until = turn.now;
}

function confirm(turn: Turn, address: string, by: string): void {
  const { world, state, now } = turn;
  const { unconfirmed } = state.floating.verification;
  const open = unconfirmed[address];
  if (open === undefined) return;
  letGo(turn, address);
  const left = Object.values(unconfirmed).some((other) => other.package === open.package);
  if (left) return;
  const addresses = addressesOf(world.cluster, open.package).length;
  const evidence = { by, addresses, lastMs: Math.round((now - open.since) * 1000) / 1000, tries: open.tries };
  journal(turn, { event: 'announce-confirmed', package: open.package, cause: 'sighted', evidence });
}

function missed(turn: Turn, address: string): void {
  const { world, state, now } = turn;
  const open = state.floating.verification.unconfirmed[address];
  const floating = floatingOf(world.cluster, address);
  if (open === undefined || floating === undefined) return;
  open.askAt = open.tries < TRIES_UNTIL_ALARM ? now : now + ASK_ON;
  const nic = nicFor(turn, floating.net);
  if (nic !== null) announce(state.announcer, now, { net: floating.net, nic, address, cause: 'unconfirmed' });
  if (open.tries < TRIES_UNTIL_ALARM) return;
  const why = open.others.length > 0 ? `${open.others.join(', ')} answers for it` : 'nobody answers for it';
  raise(
    turn,
    `unconfirmed ${address}`,
    'announce-unconfirmed',
    `${address} on ${nic ?? 'no NIC'}: ${why}, as other nodes see`,
  );
}

function letGo(turn: Turn, address: string): void {
  delete turn.state.floating.verification.unconfirmed[address];
  clear(turn, `unconfirmed ${address}`);
}

export function verificationDeadline({ rounds, unconfirmed }: VerificationState, world: Turn['world']): Ms {
  let at = Infinity;
  for (const { until } of Object.values(rounds)) at = Math.min(at, until);
  for (const [address, { askAt }] of Object.entries(unconfirmed)) {
    const net = floatingOf(world.cluster, address)?.net ?? '';
    if (!(net in rounds)) at = Math.min(at, askAt);
  }
  return at;
}

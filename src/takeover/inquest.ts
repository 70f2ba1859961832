/** On the asked node: who answers the net for these addresses? Probes that pollute no cache, then what they brought. */
import { arpProbe } from '../frame/arp.js';
import { neighbourProbe } from '../frame/ndp.js';
import { PART } from '../frame/part.js';
import { encodeSighting, type Inquiry } from '../frame/sighting.js';
import type { Ms } from '../input.js';
import type { Claim } from './claim.js';
import { floatingOf } from './floating-address.js';
import { nicFor } from './placing.js';
import { drop, netOf, type Turn } from './state.js';
import { ownMacs } from './verification.js';

/** Answers come within a round trip of the net. */
const ANSWERS_WITHIN: Ms = 100;
/** After the first answer there may be a second, of somebody who should not. */
const SECOND_WITHIN: Ms = 5;
/** Of all askers together: more is not asked for by a sane cluster. */
const INQUESTS_MAX = 64;

export interface Inquest {
  node: string;
  token: number;
  addresses: string[];
  seen: { address: string; mac: string }[];
  endAt: Ms;
}

export interface InquestState {
  open: Inquest[];
  /** Net → moments of the latest probes, as many as its rate allows in a second. */
  probedAt: Record<string, Ms[]>;
}

export function beginInquest(turn: Turn, node: string, { token, addresses }: Inquiry): void {
  const { state, now } = turn;
  const { inquests } = state.floating;
  if (inquests.open.length >= INQUESTS_MAX) return drop(state, 'inquiry-too-many');
  if (inquests.open.some((x) => x.node === node && x.token === token)) return;
  const asked = addresses.filter((address) => probe(turn, address));
  if (asked.length > 0) inquests.open.push({ node, token, addresses: asked, seen: [], endAt: now + ANSWERS_WITHIN });
}

function probe(turn: Turn, address: string): boolean {
  const { world, state, out } = turn;
  const floating = floatingOf(world.cluster, address);
  if (floating === undefined) {
    drop(state, 'inquiry-foreign-address');
    return false;
  }
  const nic = nicFor(turn, floating.net);
  const seen = nic === null ? undefined : world.host[nic];
  if (nic === null || !seen?.carrier || !isWithinRate(turn, floating.net)) return false;
  const { family } = floating.prefix;
  const bytes = family === 4 ? arpProbe(seen.mac, address) : neighbourProbe(seen.mac, address);
  out.push({ kind: 'send-frame', nic, bytes });
  return true;
}

/** A switch that inspects ARP shuts the port of whoever sends too many. */
function isWithinRate({ world, state, now }: Turn, net: string): boolean {
  const rate = netOf(world, net)?.announceRate;
  if (rate === undefined) return true;
  const most = Math.max(1, Math.floor(rate));
  const probedAt = (state.floating.inquests.probedAt[net] ?? []).filter((at) => now - at < (most / rate) * 1000);
  const isFree = probedAt.length < most;
  if (isFree) probedAt.push(now);
  else drop(state, 'inquiry-rate');
  state.floating.inquests.probedAt[net] = probedAt;
  return isFree;
}

/** A claim that was heard: perhaps the answer to a probe. */
export function noteClaim({ state, now }: Turn, { address, mac, answers }: Claim): void {
  if (!answers) return;
  for (const inquest of state.floating.inquests.open) {
    if (!inquest.addresses.includes(address)) continue;
    if (inquest.seen.some((x) => x.address === address && x.mac === mac)) continue;
    inquest.seen.push({ address, mac });
    const answered = new Set(inquest.seen.map((x) => x.address));
    if (answered.size === inquest.addresses.length) inquest.endAt = Math.min(inquest.endAt, now + SECOND_WITHIN);
  }
}

export function endInquests(turn: Turn): void {
  const { state, now, peers } = turn;
  const { inquests } = state.floating;
  for (const { node, token, seen } of inquests.open.filter(({ endAt }) => endAt <= now)) {
    peers.tell(node, { kind: PART.sighting, bytes: encodeSighting({ token, macs: ownMacs(turn), seen }) });
  }
  inquests.open = inquests.open.filter(({ endAt }) => endAt > now);
}

export function inquestDeadline({ open }: InquestState): Ms {
  return open.reduce((at, { endAt }) => Math.min(at, endAt), Infinity);
}

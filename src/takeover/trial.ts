/**
 * May this node speak under the MAC of a floating address? Switches with port security and hypervisors take frames under
 * one MAC a port only. Before an address is put on its macvlan a test frame goes out, and peers tell whether they heard it.
 *
 *   holder ──trial────────────────────────▶ peer
 *          ──ARP probe, solicitation from ::─▶ net ──▶ peer ──heard──▶ holder
 *
 *   wait ──heard──▶ mac        no answer from anybody, nobody to ask ──▶ mac, asked again later
 *     └──heard nothing──▶ plain: on the NIC itself, under its MAC, with an alarm; asked again later
 *
 * With nobody to ask the MAC is used: clients believe in it, and what speaks against it is a guess.
 */
import { arpProbe, decodeArp } from '../frame/arp.js';
import { decodeEthernet, ETHERTYPE_ARP, ETHERTYPE_IPV6 } from '../frame/ethernet.js';
import { ipFamily, UNSPECIFIED_V4, UNSPECIFIED_V6 } from '../frame/ip.js';
import { readMac } from '../frame/mac.js';
import { macvlanName } from '../frame/macvlan.js';
import { decodeNdp, neighbourProbe } from '../frame/ndp.js';
import { PART } from '../frame/part.js';
import { decodeTrial, encodeTrial, type Trial as TrialWords } from '../frame/trial.js';
import type { Input, Ms } from '../input.js';
import { clear, journal, raise, record } from './account.js';
import { claimIn } from './claim.js';
import { type FloatingAddress, floatingAddresses, floatingMacs, floatingOf } from './floating-address.js';
import { ADDRESS_PROTOCOL } from './ledger.js';
import { isInUse, isPrepared, isSilentElsewhere } from './macvlan.js';
import { nicFor } from './placing.js';
import { drop, netOf, netsOfNic, type Turn } from './state.js';

/** Test frames after the first question: one may be lost. */
const ROUNDS: readonly Ms[] = [0, 50, 150];
/** So long a peer listens before it says that it heard nothing. */
const LISTENS: Ms = 250;
const ANSWER_WITHIN: Ms = 400;
/** A frame may overtake the question about it. */
const HEARD_BEFORE: Ms = 200;
const ASK_AGAIN: Ms = 30_000;
const ASK_SOON: Ms = 5000;
/** Targets and nodes that a test frame asks. */
const ASKED_NEIGHBOURS = 4;
/** MACs of probes that are kept in mind. */
const HEARD_MAX = 64;
/** Of all askers together. */
const LISTENING_MAX = 64;

/** One MAC on one NIC. */
export interface Trial {
  /** Of a floating address, or of the primary's MAC in a local switch. */
  of: 'floating' | 'follow';
  net: string;
  nic: string;
  mac: string;
  /** An address of this node that it is to carry: the test asks whether somebody has that. */
  address: string;
  use: 'wait' | 'mac' | 'plain';
  /** Null: nothing is asked now. */
  asking: { token: number; since: Ms; sent: number; deafTo: string[]; asked: string[] } | null;
  /** When it is asked again; null: it is proven. */
  nextAt: Ms | null;
}

export interface TrialState {
  /** By name of the macvlan. */
  own: Record<string, Trial>;
  token: number;
  /** MAC → when a test frame under it was heard last. */
  heardAt: Record<string, Ms>;
  /** Questions of peers that are open. */
  listening: { node: string; token: number; macs: string[]; endAt: Ms }[];
}

export function startTrials(): TrialState {
  return { own: {}, token: 0, heardAt: {}, listening: [] };
}

/** Begins and ends trials, as the addresses of `served` packages come and go. */
export function followTrials(turn: Turn, served: ReadonlySet<string>): void {
  const { world, state } = turn;
  if (floatingMacs(world.cluster).size === 0) return;
  const { own } = state.floating.trials;
  const wanted = new Map<string, FloatingAddress>();
  for (const floating of floatingAddresses(world.cluster)) {
    const nic = served.has(floating.package) && floating.mac !== undefined ? nicFor(turn, floating.net) : null;
    if (nic !== null) wanted.set(macvlanName(nic, floating.mac ?? ''), floating);
  }
  for (const [name, trial] of Object.entries(own)) {
    if (trial.of === 'follow' || wanted.has(name)) continue;
    delete own[name];
    clear(turn, alarmOf(trial));
  }
  for (const [name, { net, mac, prefix }] of wanted) {
    const nic = nicFor(turn, net);
    if (name in own || nic === null || mac === undefined || !isSilentElsewhere(turn, mac, name)) continue;
    const use = usedBefore(turn, name, nic, mac);
    const { address } = probedOf(turn, mac, net) ?? prefix;
    // S13: its addresses stay where they are for as long as the lease of that run may last.
    const nextAt = use === 'plain' ? turn.now + Math.max(ASK_SOON, world.cluster.timing.nodeTimeoutMs) : turn.now;
    own[name] = { of: 'floating', net, nic, mac, address, use, asking: null, nextAt };
    journal(turn, {
      event: 'mac-taken',
      net,
      nic,
      cause: use === 'wait' ? 'placed' : 'left-by-earlier-run',
      evidence: { mac },
    });
  }
}

/** What an earlier run left on the macvlan was proven then; what it left on the NIC itself was not. */
function usedBefore(turn: Turn, name: string, nic: string, mac: string): Trial['use'] {
  if (isInUse(turn, name)) return 'mac';
  const { cluster, host } = turn.world;
  const isLeft = host[nic]?.addresses.some(
    ({ local, protocol }) => protocol === ADDRESS_PROTOCOL && floatingOf(cluster, local)?.mac === mac,
  );
  return isLeft === true ? 'plain' : 'wait';
}

/** One of IPv4 if there is one. */
function probedOf({ world }: Turn, mac: string, net: string): FloatingAddress['prefix'] | undefined {
  const mine = floatingAddresses(world.cluster).filter((x) => x.mac === mac && x.net === net);
  return mine.find(({ prefix }) => prefix.family === 4)?.prefix;
}

/** The primary's MAC on a standby that takes its place, and has it already. */
export function beginTrial(turn: Turn, key: string, { net, nic, mac }: Pick<Trial, 'net' | 'nic' | 'mac'>): void {
  const { own } = turn.state.floating.trials;
  own[key] = { of: 'follow', net, nic, mac, address: '', use: 'wait', asking: null, nextAt: turn.now };
  takeTrials(turn);
}

/** Its outcome is taken over. The alarm of one that failed stays until the MAC moves. */
export function endTrial(turn: Turn, key: string): void {
  delete turn.state.floating.trials.own[key];
}

function alarmOf({ of, net, mac, nic }: Pick<Trial, 'of' | 'net' | 'mac' | 'nic'>): string {
  return of === 'follow' ? `mac ${net}` : `mac ${mac} ${nic}`;
}

export function isTried({ state }: Turn, name: string): boolean {
  return name in state.floating.trials.own;
}

/** Null: not yet. */
export function trialOf({ state }: Turn, name: string): 'mac' | 'plain' | null {
  const use = state.floating.trials.own[name]?.use;
  return use === undefined || use === 'wait' ? null : use;
}

/** What is due: test frames, questions, and their ends. */
export function takeTrials(turn: Turn): void {
  const { state, now } = turn;
  for (const [name, trial] of Object.entries(state.floating.trials.own)) {
    if (trial.asking === null && trial.nextAt !== null && trial.nextAt <= now) ask(turn, name, trial);
    if (trial.asking !== null) goOn(turn, name, trial, trial.asking);
  }
  endListening(turn);
}

function ask(turn: Turn, name: string, trial: Trial): void {
  const { state, now, peers } = turn;
  const asked = peers.askable(trial.net);
  if (asked.length === 0 && (trial.of === 'floating' || neighboursOf(turn, trial.net).length === 0)) {
    trial.nextAt = now + ASK_SOON;
    if (trial.use === 'wait') settle(turn, name, trial, 'mac', 'nobody-to-ask', {});
    return;
  }
  const { trials } = state.floating;
  trials.token = (trials.token + 1) % 2 ** 32;
  trial.asking = { token: trials.token, since: now, sent: 0, deafTo: [], asked };
}

type Asking = NonNullable<Trial['asking']>;

function goOn(turn: Turn, name: string, trial: Trial, asking: Asking): void {
  const { now } = turn;
  if (asking.deafTo.length > 0 && asking.deafTo.length === asking.asked.length)
    return refuse(turn, name, trial, asking);
  if (now >= asking.since + ANSWER_WITHIN) {
    if (asking.deafTo.length > 0 || trial.of === 'follow') return refuse(turn, name, trial, asking);
    trial.asking = null;
    trial.nextAt = now + ASK_SOON;
    if (trial.use === 'wait') settle(turn, name, trial, 'mac', 'nobody-answers', { asked: asking.asked });
    return;
  }
  const due = ROUNDS[asking.sent];
  if (due === undefined || now < asking.since + due) return;
  asking.sent++;
  const bytes = encodeTrial({ token: asking.token, macs: [trial.mac] });
  for (const node of asking.asked) turn.peers.tell(node, { kind: PART.trial, bytes });
  sendTest(turn, trial);
}

/** A probe for one of the addresses: it enters no cache, and a fabric that carries addresses carries it. */
function sendTest(turn: Turn, { of, nic, mac, net, address }: Trial): void {
  const { mandate, out } = turn;
  if (of === 'follow') {
    for (const one of neighboursOf(turn, net)) out.push({ kind: 'send-frame', nic, bytes: probeFor(mac, one) });
    return;
  }
  const until = mandate.leaseEnd;
  out.push({ kind: 'send-frame', nic, bytes: probeFor(mac, address), ...(until !== null && { until }) });
}

function probeFor(mac: string, address: string): Uint8Array {
  return ipFamily(address) === 4 ? arpProbe(mac, address) : neighbourProbe(mac, address);
}

/** Who can answer a test frame itself, to the MAC that it came from: other nodes and targets. Of a dead NIC no heartbeat asks. */
function neighboursOf({ world }: Turn, net: string): string[] {
  const others = world.cluster.nodes.filter(({ name }) => name !== world.self.name);
  const nodes = others.flatMap(({ nets }) => nets.filter((own) => own.net === net).flatMap((own) => own.addresses));
  const known = [...(netOf(world, net)?.targets ?? []), ...nodes];
  const sorted = [...known.filter(({ family }) => family === 4), ...known.filter(({ family }) => family === 6)];
  return sorted.slice(0, ASKED_NEIGHBOURS).map(({ address }) => address);
}

/** An answer to a test frame came in on that NIC. */
function noteAnswer(turn: Turn, nic: string, bytes: Uint8Array): void {
  const own = Object.entries(turn.state.floating.trials.own);
  const found = own.find(([, { of, asking, nic: tested }]) => of === 'follow' && asking !== null && tested === nic);
  const claim = found && claimIn(bytes);
  if (!found || !claim?.answers || !neighboursOf(turn, found[1].net).includes(claim.address)) return;
  const [name, trial] = found;
  // A neighbour answers a solicitation from :: to all nodes (RFC 4861 section 7.2.4).
  const isMine = readMac(bytes, 0) === trial.mac || ipFamily(claim.address) === 6;
  if (isMine) pass(turn, name, trial, { address: claim.address });
}

function refuse(turn: Turn, name: string, trial: Trial, asking: Asking): void {
  const { mac, nic, net } = trial;
  trial.asking = null;
  trial.nextAt = turn.now + ASK_AGAIN;
  const who = asking.deafTo.length > 0 ? asking.deafTo.join(', ') : 'nobody';
  const heard = asking.deafTo.length > 0 ? 'did not hear' : 'answered';
  const text = `${who} ${heard} ${mac} from ${nic} on ${net}: announced is the NIC's own MAC; does a switch or hypervisor bind the port to one MAC?`;
  raise(turn, alarmOf(trial), 'mac-refused', text);
  if (trial.use !== 'plain') settle(turn, name, trial, 'plain', 'unheard', { by: asking.deafTo });
}

function settle(
  turn: Turn,
  name: string,
  trial: Trial,
  use: 'mac' | 'plain',
  cause: string,
  evidence: Record<string, unknown>,
): void {
  const { net, nic, mac } = trial;
  trial.use = use;
  journal(turn, { event: 'mac-tested', net, nic, to: use, cause, evidence: { mac, macvlan: name, ...evidence } });
  record(turn, nic, use === 'mac' ? `speaks under ${mac}` : `does not speak under ${mac}`, cause, evidence);
}

/** A peer's answer. */
export function heardTrial(turn: Turn, node: string, { token, macs }: TrialWords): void {
  const found = Object.entries(turn.state.floating.trials.own).find(([, { asking }]) => asking?.token === token);
  if (found === undefined) return;
  const [name, trial] = found;
  const { asking } = trial;
  if (asking === null) return;
  if (!macs.includes(trial.mac)) {
    if (asking.asked.includes(node) && !asking.deafTo.includes(node)) asking.deafTo.push(node);
    return;
  }
  pass(turn, name, trial, { by: node });
}

function pass(turn: Turn, name: string, trial: Trial, evidence: Record<string, unknown>): void {
  const tookMs = Math.round((turn.now - (trial.asking?.since ?? turn.now)) * 1000) / 1000;
  trial.asking = null;
  trial.nextAt = null;
  clear(turn, alarmOf(trial));
  settle(turn, name, trial, 'mac', 'heard', { ...evidence, tookMs });
}

/** On the asked node. */
export function beginListening(turn: Turn, node: string, { token, macs }: TrialWords): void {
  const { state, now } = turn;
  const { trials } = state.floating;
  if (trials.listening.some((x) => x.node === node && x.token === token)) return;
  if (trials.listening.length >= LISTENING_MAX) return drop(state, 'trial-too-many');
  trials.listening.push({ node, token, macs, endAt: now + LISTENS });
  endListening(turn);
}

/** May a MAC move along with the addresses of a net that this NIC belongs to? */
function mayTest(world: Turn['world'], nic: string): boolean {
  return netsOfNic(world.self, nic).some(({ net }) => netOf(world, net)?.mac === 'follow');
}

/** May frames that come in there be tests, or answers to own ones? */
export function awaitsTests(world: Turn['world'], { own }: TrialState, nic: string): boolean {
  if (floatingMacs(world.cluster).size > 0 || mayTest(world, nic)) return true;
  for (const _ in own) return true;
  return false;
}

/** A frame came in: a test of another node's? */
export function noteTest(turn: Turn, nic: string, bytes: Uint8Array): void {
  const { world, state, now } = turn;
  const macs = floatingMacs(world.cluster);
  const mayFollow = mayTest(world, nic);
  if ((macs.size === 0 && !mayFollow) || bytes.length < 12) return;
  const mac = readMac(bytes, 6);
  if (!(mayFollow || macs.has(mac)) || !isProbe(bytes)) return;
  const { heardAt } = state.floating.trials;
  // Whoever probes may be anybody: only the newest are of use.
  for (const [known, at] of Object.entries(heardAt)) if (now - at > HEARD_BEFORE + LISTENS) delete heardAt[known];
  if (mac in heardAt || Object.keys(heardAt).length < HEARD_MAX) heardAt[mac] = now;
  endListening(turn);
}

/** What a holder sends in service is no test: it may be the one before. */
function isProbe(bytes: Uint8Array): boolean {
  const frame = decodeEthernet(bytes);
  if (typeof frame === 'string') return false;
  if (frame.etherType === ETHERTYPE_ARP) {
    const arp = decodeArp(frame.payload);
    return typeof arp !== 'string' && arp.op === 'request' && arp.spa === UNSPECIFIED_V4;
  }
  if (frame.etherType !== ETHERTYPE_IPV6) return false;
  const ndp = decodeNdp(frame.payload);
  return typeof ndp !== 'string' && ndp.type === 'neighbour-solicitation' && ndp.source === UNSPECIFIED_V6;
}

function endListening(turn: Turn): void {
  const { state, now, peers } = turn;
  const { trials } = state.floating;
  trials.listening = trials.listening.filter(({ node, token, macs, endAt }) => {
    const since = endAt - LISTENS - HEARD_BEFORE;
    const heard = macs.filter((mac) => (trials.heardAt[mac] ?? -Infinity) >= since);
    if (heard.length < macs.length && now < endAt) return true;
    peers.tell(node, { kind: PART.heard, bytes: encodeTrial({ token, macs: heard }) });
    return false;
  });
}

/** Parts of beats that came with this input, and test frames. */
export function absorbTrials(turn: Turn, input: Input): void {
  const { world, state } = turn;
  if (input.kind === 'frame-received') {
    noteTest(turn, input.nic, input.bytes);
    noteAnswer(turn, input.nic, input.bytes);
  }
  for (const { node, parts } of world.heard) {
    for (const { kind, bytes } of parts) {
      if (kind !== PART.trial && kind !== PART.heard) continue;
      const told = decodeTrial(bytes);
      if (told === null) drop(state, 'trial-damaged');
      else if (kind === PART.trial) beginListening(turn, node, told);
      else heardTrial(turn, node, told);
    }
  }
  takeTrials(turn);
}

export function trialsDeadline({ own, listening }: TrialState): Ms {
  let at = listening.reduce((earliest, { endAt }) => Math.min(earliest, endAt), Infinity);
  for (const { asking, nextAt } of Object.values(own)) {
    if (asking === null) at = Math.min(at, nextAt ?? Infinity);
    else at = Math.min(at, asking.since + Math.min(ROUNDS[asking.sent] ?? Infinity, ANSWER_WITHIN));
  }
  return at;
}

/**
 * Where the address belongs: on its macvlan, or on the NIC itself; null: nowhere yet. `asLeft`: it may lie on a macvlan that an
 * earlier run made and that this one has yet to go through.
 */
export function placeOf(turn: Turn, floating: FloatingAddress, asLeft = false): string | null {
  const nic = nicFor(turn, floating.net);
  if (nic === null || floating.mac === undefined) return nic;
  const name = macvlanName(nic, floating.mac);
  const use = trialOf(turn, name);
  if (use !== 'mac') return use === 'plain' ? nic : null;
  return isPrepared(turn, name) || (asLeft && turn.world.host[name]?.mac === floating.mac) ? name : null;
}

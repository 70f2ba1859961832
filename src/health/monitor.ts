/**
 * The health of every NIC of this node (DESIGN 4) and of every other node (DESIGN 6). The only file of this stage that
 * others call.
 *
 *   host-observed, carrier-changed ─▶ link ──────────────┐
 *   counters-read ─▶ counter                             ▼
 *   frame-received ─▶ session ─▶ hearing ─▶ judgement ─▶ verdict ─▶ flap, readiness, poller
 *                        └▶ cabling            ▲
 *   echo-answered, probe replies ─▶ target ────┘
 *   woke ─▶ poller (light, full), expectation (a missed poll)
 *
 *   datagram-received, serial-received ─▶ admission ─▶ session, path, reroute, peer ─▶ world.heard, testimony
 *   woke ─▶ heartbeat ─▶ peer (suspect, lost), reroute, path, stranger ─▶ beat
 *   speak ─▶ beat
 *
 * The intuition: while all is well, one NIC a node and net speaks up now and then, and everybody knows when its next
 * word is due. The first word that fails to come makes all of them speak, fast, and say whom they hear. Whoever is
 * then neither heard nor hears for a whole window, while others hear each other, is broken, and it is known which half
 * of it. Silence alone proves nothing.
 */
import type { Action } from '../action.js';
import { ETHERTYPE_POLL, etherTypeOf } from '../frame/ethernet.js';
import { isMacvlanName } from '../frame/macvlan.js';
import { decodePoll, senderIn, type Poll, type PollDrop } from '../frame/poll.js';
import { readMac } from '../frame/mac.js';
import type { Input, Ms } from '../input.js';
import type { World } from '../world.js';
import { netOf } from './bridged.js';
import { takeDatagram, takeSerial } from './admission.js';
import { forgetSightings, sight } from './cabling.js';
import { readCounters } from './counter.js';
import { expectNext, overdue, postpone, type Miss } from './expectation.js';
import { endHold } from './flap.js';
import { bridgedNet } from './bridged.js';
import { beatOn, forgiveSilence, planBeats } from './heartbeat.js';
import { locatePaths } from './path.js';
import { bookFrame, bookRows, heardThereAt } from './hearing.js';
import { endWaits, judgeLink, judgeNet } from './judgement.js';
import { hearKeys, reviewKeys, takeKeys, takenKeys } from './keys.js';
import { followPorts } from './lag-port.js';
import { observeLink, pollLink } from './link.js';
import { doubt, enterFull, followPoller, leaveFull, pollFully, pollLightly, send } from './poller.js';
import { reviewReadiness } from './readiness.js';
import { followLine } from './serial.js';
import { admit } from './session.js';
import { plan, replan } from './start.js';
import { drop, FAR, NEVER, nicKey, type HealthState, type NetState, type NicState, type Verdict } from './state.js';
import { answered, answerIn, restartTargets } from './target.js';
import { become } from './verdict.js';
import { fullPollMs, graceMs } from './window.js';

export type { HealthState, Verdict } from './state.js';
export { reachesTarget } from './reach.js';
export { takenKeys } from './keys.js';
export { start } from './start.js';
export { leave, netUp, nodeOfMac, peer, setWords, speak, type PeerView } from './voice.js';
export { status, type HealthNetStatus, type HealthNicStatus, type HealthStatus } from './status.js';

/** With more nets, to be woken once too often costs less than to look at all of them with each frame. */
const EXACT_NETS_MAX = 16;

/** Infinity: never. */
export function deadline(_world: World, state: HealthState): Ms {
  const dueAt = Math.min(state.dueAt, state.beatDueAt);
  return dueAt >= FAR ? Infinity : dueAt;
}

/** What is decided of an own NIC; one that is not in the cluster file is missing. */
export function verdict(state: HealthState, nic: string): Verdict {
  return state.nics[nic]?.verdict ?? { health: 'down', reason: 'missing', since: 0, rank: 4, holdUntil: NEVER };
}

/** Full polling of one net, or of all, for at least one window. Its first frames go out at the next wake-up, which is due. */
export function pollNow(world: World, state: HealthState, now: Ms, out: Action[], name?: string): void {
  for (const net of Object.values(state.nets)) {
    if (name !== undefined && net.name !== bridgedNet(world, name)) continue;
    const windowMs = (world.cluster.timing.pollMisses + 2) * fullPollMs(world);
    enterFull(world, state, net, windowMs, 'operator', {}, now, out);
    net.pollDueAt = now;
    plan(state, net);
  }
}

function answerPollNow(
  world: World,
  state: HealthState,
  now: Ms,
  id: number,
  name: string | undefined,
  out: Action[],
): void {
  const known = world.self.nets.map(({ net }) => net);
  if (name !== undefined && !known.includes(name)) {
    const text = `this node has no net ${name}; it has ${known.join(', ')}`;
    out.push({ kind: 'answer-operator', id, answer: { ok: false, text } });
    return;
  }
  pollNow(world, state, now, out, name);
  out.push({ kind: 'answer-operator', id, answer: { ok: true, text: `full polling of ${name ?? known.join(', ')}` } });
}

export function take(world: World, state: HealthState, now: Ms, input: Input, out: Action[]): void {
  switch (input.kind) {
    case 'host-observed':
      for (const nic of [...input.nics.map((it) => it.nic), ...input.missing])
        takeObservation(world, state, nic, now, out);
      pathsChanged(world, state, now, out);
      return;
    case 'carrier-changed': {
      const nic = state.nics[input.nic];
      if (nic === undefined) return drop(state, 'unknown-nic');
      let changed = false;
      // What was lost and regained between two looks was both.
      for (const link of input.state === 'blinked' ? (['down', 'up'] as const) : [input.state]) {
        if (!pollLink(nic, link, now)) continue;
        linkChanged(world, state, nic, now, out);
        changed = true;
      }
      if (changed) pathsChanged(world, state, now, out);
      return;
    }
    case 'counters-read':
      readCounters(state, input.counters, now);
      return;
    case 'frame-received':
      takeFrame(world, state, input.nic, input.bytes, now, out);
      return;
    case 'datagram-received':
      takeDatagram(world, state, input, now, out);
      return;
    case 'serial-received':
      takeSerial(world, state, input.bytes, now, out);
      return;
    case 'serial-changed':
      followLine(state, input);
      pathsChanged(world, state, now, out);
      return;
    case 'echo-answered': {
      const nic = state.nics[input.nic];
      if (nic === undefined) drop(state, 'unknown-nic');
      else takeAnswer(world, state, nic, input.target, now, out);
      return;
    }
    case 'keys-read':
      takeKeys(world, state, now, input, out);
      return;
    case 'stalled':
      takeStall(world, state, now);
      forgiveSilence(state, input.forMs, now);
      planBeats(world, state);
      return;
    case 'woke':
      wake(world, state, now, out);
      beatOn(world, state, now, out);
      reviewKeys(world, state, now, out);
      return;
    case 'operator-asked':
      if (input.request.ask === 'poll-now') answerPollNow(world, state, now, input.id, input.request.net, out);
      return;
    case 'stop-asked':
      state.stopping = input.how === 'stop';
      return;
    case 'started':
    case 'host-changed':
    case 'persisted':
    case 'arbiter-answered':
    case 'agent-exited':
    case 'gate-written':
    case 'gate-lost':
      return;
  }
}

/** Where the own addresses lie may have changed. */
function pathsChanged(world: World, state: HealthState, now: Ms, out: Action[]): void {
  locatePaths(world, state, now, out);
  planBeats(world, state);
}

function takeObservation(world: World, state: HealthState, name: string, now: Ms, out: Action[]): void {
  const nic = state.nics[name];
  // A macvlan is as well as its NIC.
  if (nic === undefined) return isMacvlanName(name) ? undefined : drop(state, 'unknown-nic');
  followPorts(state, nic, world.host[name]?.ports, now, out);
  if (observeLink(nic, world.host[name], now)) linkChanged(world, state, nic, now, out);
  else reviewReadiness(world, state, state.nets[nic.net]!, now, out);
}

function linkChanged(world: World, state: HealthState, nic: NicState, now: Ms, out: Action[]): void {
  const net = state.nets[nic.net]!;
  judgeLink(world, state, nic, now, out);
  verdictsChanged(world, state, net, now, out);
}

/** All that follows from a verdict. */
function verdictsChanged(world: World, state: HealthState, net: NetState, now: Ms, out: Action[]): void {
  followPoller(world, state, net, now, out);
  reviewReadiness(world, state, net, now, out);
  plan(state, net);
}

function takeFrame(world: World, state: HealthState, name: string, bytes: Uint8Array, now: Ms, out: Action[]): void {
  const nic = state.nics[name];
  if (nic === undefined) return drop(state, 'unknown-nic');
  if (etherTypeOf(bytes) !== ETHERTYPE_POLL) {
    if (!hasAny(nic.targets)) return;
    const target = answerIn(world, nic, bytes, now);
    if (target !== null) takeAnswer(world, state, nic, target, now, out);
    return;
  }
  const poll = readPoll(world, state, bytes);
  if (typeof poll === 'string') return drop(state, poll);
  const key = nicKey(poll.node, poll.nic);
  if (state.netOf[key] === undefined) return drop(state, 'poll-unknown-sender');
  const refused = admit(world, state, nic, key, poll, now);
  if (refused !== null) return drop(state, refused);
  hearPollKeys(state, poll, now);
  if (poll.net !== nic.net) return sight(state, nic, poll, now, out);
  if (state.netOf[key] !== nic.net) return drop(state, 'poll-unknown-sender');
  if (poll.node !== world.self.name) state.macs[key] = readMac(bytes, 6);
  takePoll(world, state, nic, key, poll, now, out);
}

function hasAny(record: Readonly<Record<string, unknown>>): boolean {
  for (const _ in record) return true;
  return false;
}

/** Heartbeats tell more, and in order; frames tell of those that send none, and at first. */
function hearPollKeys(state: HealthState, { node, keys }: Poll, now: Ms): void {
  const peer = state.peers[node];
  if (peer !== undefined && (peer.paths.length === 0 || peer.keys.length === 0)) hearKeys(peer, keys, now);
}

function readPoll(world: World, state: HealthState, bytes: Uint8Array): Poll | PollDrop {
  const { polls, seal } = world;
  if (polls) return polls.decode(bytes, state.clusterTag, seal, takenKeys(state));
  return ownPoll(world, state, bytes) ?? decodePoll(bytes, state.clusterTag, seal, takenKeys(state));
}

/** A frame that we have just sent, byte for byte, needs no seal to be believed: most frames of an idle net are such. */
function ownPoll(world: World, state: HealthState, bytes: Uint8Array): Poll | null {
  const sent = state.nics[senderIn(bytes, world.self.name) ?? '']?.sent;
  if (sent == null || bytes.length < sent.text.length) return null;
  for (let i = 0; i < sent.text.length; i++) if (bytes[i] !== sent.text.charCodeAt(i)) return null;
  return sent.poll;
}

function takePoll(
  world: World,
  state: HealthState,
  nic: NicState,
  key: string,
  poll: Poll,
  now: Ms,
  out: Action[],
): void {
  const net = state.nets[nic.net]!;
  const { pollMs } = world.cluster.timing;
  const isNew = bookFrame(world, nic, key, poll, now);
  const isOwn = poll.node === world.self.name;
  if (!isOwn && poll.kind !== 'answer') takeRows(world, state, net, key, poll, now, out);
  if (!isOwn && poll.asks) {
    net.askedUntil = now + 2 * pollMs;
    if (net.polling === 'light') enterFull(world, state, net, 0, 'asked', { by: key }, now, out);
  }
  if (isNew && isNews(state, nic, isOwn ? poll.nic : null))
    doubt(world, state, net, 'heard-again', { nic: nic.key, heard: key }, now, out);
  expectNext(world, state, net, nic, key, poll, now);
  if (isOwn && poll.kind === 'poll' && poll.nic === net.poller && net.polling === 'light')
    send(world, state, net, nic, 'answer', now, out);
  if (world.self.nets.length <= EXACT_NETS_MAX) replan(state);
  else plan(state, net);
}

/** A mute NIC cannot know by itself that it is heard again: whoever hears it says so. */
function takeRows(
  world: World,
  state: HealthState,
  net: NetState,
  by: string,
  poll: Poll,
  now: Ms,
  out: Action[],
): void {
  if (!net.nics.some((name) => state.nics[name]!.verdict.reason === 'mute')) return bookRows(world, net, poll, now);
  const mute = net.nics.map((name) => state.nics[name]!).filter(({ verdict }) => verdict.reason === 'mute');
  const before = mute.map(({ key }) => heardThereAt(net, poll.node, key));
  bookRows(world, net, poll, now);
  const longAgo = 2 * (world.cluster.timing.pollMs + graceMs(world));
  const again = mute.find(({ key }, i) => heardThereAt(net, poll.node, key) - before[i]! > longAgo);
  if (again) doubt(world, state, net, 'heard-again', { nic: by, heard: again.key }, now, out);
}

/** A word after a long silence matters where a verdict stands that it may change. */
function isNews(state: HealthState, nic: NicState, ownSender: string | null): boolean {
  const plain = ({ verdict: { health, reason } }: NicState): boolean => health === 'up' && reason === undefined;
  return !plain(nic) || (ownSender !== null && !plain(state.nics[ownSender]!));
}

function takeAnswer(world: World, state: HealthState, nic: NicState, target: string, now: Ms, out: Action[]): void {
  const net = state.nets[nic.net]!;
  if (!answered(world, state, nic, target, now)) return;
  doubt(world, state, net, 'target-answers', { nic: nic.key, target }, now, out);
  plan(state, net);
}

/** Silence during the own stall is evidence against nobody. */
function takeStall(world: World, state: HealthState, now: Ms): void {
  for (const net of Object.values(state.nets)) {
    postpone(world, state, net, now);
    for (const name of net.nics) {
      const nic = state.nics[name]!;
      nic.windowFrom = now;
      restartTargets(nic);
    }
  }
}

function wake(world: World, state: HealthState, now: Ms, out: Action[]): void {
  if (now < state.dueAt) return;
  state.dueAt = FAR;
  for (const net of Object.values(state.nets)) {
    if (now >= Math.min(net.pollDueAt, net.checkDueAt)) {
      if (net.polling === 'light') wakeLight(world, state, net, now, out);
      // Not else: a missed poll starts full polling in the same step.
      if (net.polling === 'full') wakeFull(world, state, net, now, out);
    }
    plan(state, net);
  }
  if (Object.keys(state.cabling).length > 0) forgetSightings(world, state, now, out);
}

function wakeLight(world: World, state: HealthState, net: NetState, now: Ms, out: Action[]): void {
  const misses = now >= net.checkDueAt ? overdue(state, net, now) : [];
  if (misses.length > 0) return missed(world, state, net, misses, now, out);
  if (now < net.pollDueAt) return;
  net.pollDueAt = nextDue(net.pollDueAt, world.cluster.timing.pollMs, now);
  if (pollLightly(world, state, net, now, out)) {
    doubt(world, state, net, 'target-missed', {}, now, out);
    return;
  }
  lookAfter(world, state, net, now, out);
}

/** A poll that was due did not come. Whoever hears nobody any more is suspect until a window of full polls is over. */
function missed(world: World, state: HealthState, net: NetState, misses: Miss[], now: Ms, out: Action[]): void {
  const evidence = { missed: misses.map(({ nic, of }) => `${nic.key} has not heard ${of}`) };
  doubt(world, state, net, 'missed', evidence, now, out);
  const { pollMs } = world.cluster.timing;
  const hearsNobody = (nic: NicState): boolean => now - nic.heardAnyAt >= pollMs + graceMs(world) / 2;
  for (const { nic, of } of misses) {
    const sibling = Object.values(state.nics).find(({ key }) => key === of);
    // If it hears others, the silence is the other's.
    const accused = hearsNobody(nic) ? nic : sibling;
    if (accused === undefined || accused.link !== 'up' || accused.verdict.health !== 'up') continue;
    const about = { ...evidence, heardAgoMs: now - accused.heardAnyAt };
    become(state, netOf(world, net.name), accused, 'suspect', 'missed', 'missed', about, now, out);
  }
}

function wakeFull(world: World, state: HealthState, net: NetState, now: Ms, out: Action[]): void {
  const fullMs = fullPollMs(world);
  if (now >= net.checkDueAt) {
    const before = out.length;
    const restless = judgeNet(world, state, net, now, out);
    if (restless) net.doubtUntil = Math.max(net.doubtUntil, now + (world.cluster.timing.pollMisses + 2) * fullMs);
    if (out.length > before) verdictsChanged(world, state, net, now, out);
    net.checkDueAt = FAR;
  }
  if (now < net.pollDueAt) return;
  if (now >= net.doubtUntil && now >= net.askedUntil) {
    leaveFull(world, state, net, now, out);
    return;
  }
  net.pollDueAt = nextDue(net.pollDueAt, fullMs, now);
  net.checkDueAt = now + fullMs / 2;
  pollFully(world, state, net, now, out);
  lookAfter(world, state, net, now, out);
}

/** Up delays and holds, at each poll of a net that has such. */
function lookAfter(world: World, state: HealthState, net: NetState, now: Ms, out: Action[]): void {
  for (const name of net.nics) {
    const nic = state.nics[name]!;
    if (nic.downs.length > 0) endHold(state, nic, now, out);
  }
  if (net.unsettled && endWaits(world, state, net, now, out)) verdictsChanged(world, state, net, now, out);
}

/** Keeps the phase, unless that moment has passed as well. */
function nextDue(dueAt: Ms, everyMs: Ms, now: Ms): Ms {
  return dueAt + everyMs > now ? dueAt + everyMs : now + everyMs;
}

/**
 * Light and full polling of one bridged net.
 *
 *            missed · news · a peer asks · operator
 *   light ──────────────────────────────────────────▶ full
 *     ▲  poller: one group frame each `poll`            every NIC with carrier: a group frame each `poll`/4,
 *     │  others: an answer to the local poller          with all that it hears
 *     └──────────────────────────────────────────────────┘
 *              nobody has been in doubt for a while
 *
 * A NIC that does not hear the local poller cannot answer it; it polls by itself instead, so that both sides of a cut
 * trunk stay watched and a repaired NIC is noticed.
 */
import type { Action } from '../action.js';
import { encodePoll, POLL_GROUP, type Poll, type PollKind } from '../frame/poll.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { rowsOf } from './hearing.js';
import { keyToAll, keyWord } from './keys.js';
import { sessionsOf } from './session.js';
import { carryingNics, NEVER, nicKey, type HealthState, type NetState, type NicState } from './state.js';
import { probe, restartTargets } from './target.js';
import { fullPollMs, graceMs } from './window.js';

/** First healthy standby in file order, else the first primary that can; one without carrier cannot poll. */
export function choosePoller(state: HealthState, net: NetState): string {
  const nics = net.nics.map((name) => state.nics[name]!);
  const isLit = (nic: NicState): boolean => nic.link === 'up';
  const isPrimary = (nic: NicState): boolean => nic.role === 'primary';
  const healthy = nics.find((nic) => !isPrimary(nic) && isLit(nic) && nic.verdict.health === 'up');
  const primary = nics.find((nic) => isPrimary(nic) && isLit(nic));
  return (healthy ?? primary ?? nics.find(isLit) ?? nics[0]!).nic;
}

/** Follows the verdicts. A new poller of a net under light polling polls at once, before anybody misses the old one. */
export function followPoller(world: World, state: HealthState, net: NetState, now: Ms, out: Action[]): void {
  const poller = choosePoller(state, net);
  if (poller === net.poller) return;
  net.poller = poller;
  for (const name of net.nics) {
    const nic = state.nics[name]!;
    for (const other of net.nics) delete nic.expects[nicKey(world.self.name, other)];
  }
  if (net.polling === 'light') send(world, state, net, state.nics[poller]!, 'poll', now, out);
}

export function send(
  world: World,
  state: HealthState,
  net: NetState,
  nic: NicState,
  kind: PollKind,
  now: Ms,
  out: Action[],
): void {
  const observed = world.host[nic.nic];
  if (observed === undefined || nic.link !== 'up') return;
  const destination = kind === 'answer' ? world.host[net.poller]?.mac : POLL_GROUP;
  if (destination === undefined) return;
  nic.sequence++;
  if (kind !== 'answer') nic.round = (nic.round + 1) % 2 ** 32;
  // The own node knows all that already.
  const forPeers = kind !== 'answer' && net.members.length > net.nics.length;
  const key = keyToAll(state);
  const poll: Poll = {
    kind,
    asks: net.polling === 'full' && now < net.doubtUntil,
    poller: nic.nic === net.poller,
    node: world.self.name,
    nic: nic.nic,
    net: net.name,
    incarnation: world.incarnation,
    sequence: nic.sequence,
    round: nic.round,
    keys: keyWord(state, key),
    sessions: forPeers ? sessionsOf(world, state, net) : [],
    rows: forPeers ? rowsOf(world, state, net, nic, now) : [],
  };
  const bytes = encodePoll(poll, world.cluster.name, destination, observed.mac, world.seal, key);
  nic.sent = {
    text: String.fromCharCode.apply(null, bytes as unknown as number[]),
    poll: { ...poll, sessions: [], rows: [] },
  };
  out.push({ kind: 'send-frame', nic: nic.nic, bytes });
}

/** One due time of light polling. Returns whether a target missed its time. */
export function pollLightly(world: World, state: HealthState, net: NetState, now: Ms, out: Action[]): boolean {
  const { pollMs } = world.cluster.timing;
  const pollerKey = nicKey(world.self.name, net.poller);
  let missed = false;
  for (const nic of carryingNics(state, net)) {
    const hearsPoller = now - (nic.hears[pollerKey]?.at ?? NEVER) < 1.5 * pollMs;
    if (nic.nic === net.poller || !hearsPoller) send(world, state, net, nic, 'poll', now, out);
    missed = probe(world, nic, now, out) || missed;
  }
  return missed;
}

/** One due time of full polling. */
export function pollFully(world: World, state: HealthState, net: NetState, now: Ms, out: Action[]): void {
  for (const nic of carryingNics(state, net)) {
    send(world, state, net, nic, 'full', now, out);
    probe(world, nic, now, out);
  }
}

/** Starts full polling, or prolongs it. `forMs`: how long this node itself will be in doubt, at least. */
export function enterFull(
  world: World,
  state: HealthState,
  net: NetState,
  forMs: Ms,
  cause: string,
  evidence: Record<string, unknown>,
  now: Ms,
  out: Action[],
): void {
  net.doubtUntil = Math.max(net.doubtUntil, now + forMs);
  if (net.polling === 'full') return;
  net.polling = 'full';
  net.pollDueAt = now;
  net.checkDueAt = now + fullPollMs(world) / 2;
  for (const name of net.nics) {
    const nic = state.nics[name]!;
    nic.windowFrom = now;
    nic.expects = {};
    restartTargets(nic);
  }
  const entry = { at: now, event: 'polling', net: net.name, from: 'light', to: 'full', cause, evidence } as const;
  out.push({ kind: 'journal', entry });
}

/** Own doubt: as long as the last one and twice as long where doubts follow each other closely, as on a lossy net. */
export function doubt(
  world: World,
  state: HealthState,
  net: NetState,
  cause: string,
  evidence: Record<string, unknown>,
  now: Ms,
  out: Action[],
): void {
  const { pollMs } = world.cluster.timing;
  if (net.polling === 'light') {
    const close = now - net.leftFullAt < 50 * pollMs;
    net.holdMs = close ? Math.min(2 * net.holdMs, 50 * pollMs) : 2 * pollMs;
  }
  enterFull(world, state, net, net.holdMs, cause, evidence, now, out);
}

/** Back to light polling. From the pairs that work a next frame is expected. */
export function leaveFull(world: World, state: HealthState, net: NetState, now: Ms, out: Action[]): void {
  const { pollMs } = world.cluster.timing;
  net.polling = 'light';
  net.leftFullAt = now;
  net.pollDueAt = now;
  const dueAt = now + pollMs + 2 * graceMs(world);
  const recently = now - pollMs - graceMs(world);
  const pollerKey = nicKey(world.self.name, net.poller);
  for (const nic of carryingNics(state, net)) {
    for (const [key, heard] of Object.entries(nic.hears)) {
      const own = key.startsWith(`${world.self.name}/`);
      const counted = own ? nic.nic === net.poller || key === pollerKey : state.senders[key]?.poller === true;
      if (counted && heard.at > recently) nic.expects[key] = dueAt;
    }
  }
  net.checkDueAt = dueAt;
  const entry = { at: now, event: 'polling', net: net.name, from: 'full', to: 'light', cause: 'settled' } as const;
  out.push({ kind: 'journal', entry });
}

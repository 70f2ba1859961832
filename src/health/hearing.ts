/**
 * Who heard whom. Own NICs: from the frames they received. NICs of other nodes: from the rows of their frames, which
 * say what they heard and, as plainly, what they did not.
 */
import { NOT_HEARD, type HearingEntry, type HearingRow, type Poll } from '../frame/poll.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import {
  carryingNics,
  NEVER,
  nicKey,
  type HealthState,
  type NetState,
  type NicKey,
  type NicState,
  type Report,
} from './state.js';
import { targetTestimony } from './target.js';
import { countLoss, fullPollMs, graceMs, heldLoss, nicLoss } from './window.js';

/** Books one frame. Returns whether this NIC had not heard that sender for longer than a light poll takes. */
export function bookFrame(world: World, nic: NicState, key: NicKey, poll: Poll, now: Ms): boolean {
  const { pollMs, pollMisses } = world.cluster.timing;
  const heard = (nic.hears[key] ??= { at: NEVER, sequence: 0, round: 0, lossNow: 0, lossHeld: 0 });
  const isNew = now - heard.at > 2 * (pollMs + graceMs(world));
  if (poll.kind !== 'answer') {
    if (heard.round > 0 && poll.round > heard.round) countLoss(heard, poll.round - heard.round - 1, 2 * pollMisses);
    heard.round = poll.round;
  }
  heard.sequence = poll.sequence;
  heard.at = now;
  if (now - nic.heardAnyAt > 5 * pollMs) nic.receivingSince = now;
  nic.heardAnyAt = now;
  nic.proven = true;
  return isNew;
}

/** What a row had no room to say again still counts for so many frames: on a large net NICs are named in turns. */
const TURNS_MAX = 10;

/** Takes what a frame of another node says. */
export function bookRows(world: World, net: NetState, poll: Pick<Poll, 'node' | 'kind' | 'rows'>, now: Ms): void {
  const saidAfter = now - TURNS_MAX * world.cluster.timing.pollMs;
  net.peers[poll.node] = poll.kind === 'full' ? 'full' : 'light';
  for (const row of poll.rows) {
    const { target, lossPermille, heard } = row;
    const key = nicKey(poll.node, row.nic);
    // It names all others, but itself.
    const isWhole = heard.length >= net.members.length - 1;
    const older = isWhole ? [] : unnamed(net.reports[key]?.words ?? [], heard, saidAfter);
    net.reports[key] = { at: now, target, lossPermille, words: [{ at: now, heard }, ...older] };
  }
}

/** What older words say of those whom the new ones do not name: each NIC is in one of them, so that they never grow. */
function unnamed(words: Report['words'], named: readonly HearingEntry[], saidAfter: Ms): Report['words'] {
  const keys = new Set(named.map(({ node, nic }) => nicKey(node, nic)));
  return words
    .filter(({ at }) => at >= saidAfter)
    .map(({ at, heard }) => ({ at, heard: heard.filter(({ node, nic }) => !keys.has(nicKey(node, nic))) }))
    .filter(({ heard }) => heard.length > 0);
}

/** A report never changes, and in doubt it is asked at every frame. */
const toldIn = new WeakMap<Report, Record<NicKey, { at: Ms; said: Ms }>>();

/** Of a report: whom that NIC heard when, in this node's time, and when it said so. Put together when asked for: in peace nobody asks. */
export function heardIn(report: Report): Record<NicKey, { at: Ms; said: Ms }> {
  const known = toldIn.get(report);
  if (known) return known;
  const all: Record<NicKey, { at: Ms; said: Ms }> = {};
  for (const { at: said, heard } of report.words)
    for (const { node, nic, agoMs } of heard)
      all[nicKey(node, nic)] = { at: agoMs === NOT_HEARD ? NEVER : said - agoMs, said };
  toldIn.set(report, all);
  return all;
}

/** When a NIC of that node last heard this one, as far as it said. */
export function heardThereAt(net: NetState, node: string, of: NicKey): Ms {
  let latest = NEVER;
  for (const by in net.reports)
    if (by.startsWith(`${node}/`)) latest = Math.max(latest, heardIn(net.reports[by]!)[of]?.at ?? NEVER);
  return latest;
}

/** What a frame of `first` says: its own row, then its siblings', each with the silent ones first and then the latest. */
export function rowsOf(world: World, state: HealthState, net: NetState, first: NicState, now: Ms): HearingRow[] {
  const siblings = net.nics.map((name) => state.nics[name]!).filter((nic) => nic !== first && nic.link === 'up');
  return [first, ...siblings].map((nic) => ({
    nic: nic.nic,
    target: targetTestimony(world, state, net, nic, now),
    lossPermille: Math.min(
      1000,
      Math.round(1000 * (net.polling === 'full' ? nicLoss(world, nic, now) : heldLoss(nic))),
    ),
    heard: entriesOf(net, nic, now),
  }));
}

function entriesOf(net: NetState, nic: NicState, now: Ms): HearingEntry[] {
  const entries: HearingEntry[] = [];
  for (const member of net.members) {
    if (member.key === nic.key) continue;
    const agoMs = Math.min(NOT_HEARD, now - (nic.hears[member.key]?.at ?? NEVER));
    entries.push({ node: member.node, nic: member.nic, agoMs });
  }
  return entries.sort((a, b) => Number(b.agoMs === NOT_HEARD) - Number(a.agoMs === NOT_HEARD) || a.agoMs - b.agoMs);
}

/** Own NICs are judged half a full poll after the last frame of the window was due, or a little less by the clock's rounding. */
export const LATE_PART = 0.4;

/** Did one NIC hear the other within the window? `undecided`: not yet for the whole of it; `unknown`: nobody says, or it owed no frames. */
export type Relation = 'hears' | 'not' | 'undecided' | 'unknown';

/** The hearing of a net over one window that ends now. */
export interface Hearing {
  /** NICs whose own hearing is known: own ones with carrier, others with a fresh report. */
  known: NicKey[];
  relation(by: NicKey, of: NicKey): Relation;
  /** Who is heard by a known NIC. */
  heardOf(by: NicKey): NicKey[];
}

export function hearingOf(world: World, state: HealthState, net: NetState, frames: number, now: Ms): Hearing {
  const fullMs = fullPollMs(world);
  const windowMs = frames * fullMs;
  const freshAfter = now - Math.max(windowMs + fullMs, world.cluster.timing.pollMs + graceMs(world));
  const own: Record<NicKey, NicState> = {};
  let windowFrom = NEVER;
  for (const nic of carryingNics(state, net)) {
    own[nic.key] = nic;
    windowFrom = Math.max(windowFrom, nic.windowFrom);
  }

  // Under light polling only who polls can be counted on, and at a quarter of the rate.
  const isLight = (of: NicKey): boolean => net.peers[of.slice(0, of.indexOf('/'))] === 'light';
  const spanOf = (of: NicKey): Ms => frames * (isLight(of) ? world.cluster.timing.pollMs : fullMs);
  const owesFrames = (of: NicKey): boolean => {
    const sender = state.senders[of];
    return !isLight(of) || sender?.poller === true || sender?.polls === true;
  };
  const silence = (of: NicKey, whole: boolean): Relation => {
    if (!owesFrames(of)) return 'unknown';
    return whole ? 'not' : 'undecided';
  };
  const ownRelation = (by: NicState, of: NicKey): Relation => {
    const at = by.hears[of]?.at ?? NEVER;
    const limit = spanOf(of) + LATE_PART * fullMs;
    // What was heard before the window began says nothing about now.
    if (now - at < limit && at >= by.windowFrom) return 'hears';
    return silence(of, now - by.windowFrom >= limit);
  };
  const theirRelation = (by: NicKey, of: NicKey): Relation => {
    const report = net.reports[by];
    if (report === undefined || report.at < freshAfter) return 'unknown';
    const word = heardIn(report)[of];
    if (word === undefined) return 'unknown';
    const { at, said } = word;
    if (said < report.at - TURNS_MAX * (isLight(by) ? world.cluster.timing.pollMs : fullMs)) return 'unknown';
    const since = own[of]?.windowFrom ?? windowFrom;
    if (said - at < spanOf(of) && at >= since - fullMs / 2) return 'hears';
    // Their ticks follow ours by the time that our first full poll took to reach them.
    return silence(of, said - Math.max(at, since) >= spanOf(of) - fullMs / 4);
  };
  const relation = (by: NicKey, of: NicKey): Relation => {
    const nic = own[by];
    return nic === undefined ? theirRelation(by, of) : ownRelation(nic, of);
  };
  const known = [...Object.keys(own), ...Object.keys(net.reports).filter((key) => net.reports[key]!.at >= freshAfter)];
  const heardOf = (by: NicKey): NicKey[] => {
    const report = net.reports[by];
    const named = own[by]?.hears ?? (report === undefined ? {} : heardIn(report));
    return Object.keys(named).filter((of) => relation(by, of) === 'hears');
  };
  return { known, relation, heardOf };
}

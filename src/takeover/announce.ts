/**
 * Tells the net where an address lives now: a burst of gratuitous ARP or unsolicited neighbour advertisements.
 *
 *   announce ──▶ burst of rounds at 0, 0.2, 1.2, 2.3, 3.4 s ──still ours?──▶ frame out of the NIC
 *
 * Before every single frame stands the question whether the address is still ours on that NIC, and a newer burst of
 * the same address takes the place of the older one: so the last word on the wire is the holder's.
 * Where the net limits announcements, first rounds go before repeats, and the longest waiting goes first.
 */
import type { Action } from '../action.js';
import type { Ms } from '../input.js';
import { gratuitousReply, gratuitousRequest } from '../frame/arp.js';
import { ipFamily } from '../frame/ip.js';
import { unsolicitedAdvertisement } from '../frame/ndp.js';
import type { World } from '../world.js';

/** Pauses before each round, milliseconds after the one before it: 0, 0.2, 1.2, 2.3 and 3.4 s after the first. */
const PAUSES: readonly Ms[] = [0, 200, 1000, 1100, 1100];

/** Moments of the rounds of a burst that nothing holds up. */
export const ROUNDS: readonly Ms[] = PAUSES.map((_, i) => PAUSES.slice(0, i + 1).reduce((sum, pause) => sum + pause));

export interface Announcement {
  net: string;
  nic: string;
  /** Canonical text without prefix length. */
  address: string;
  /** The named cause of the move, for the journal. */
  cause: string;
}

interface Burst extends Announcement {
  round: number;
  /** Frames of this round that are out: ARP has two forms. */
  form: number;
  dueAt: Ms;
  /** How many in all; a single one is a refresh, which is nothing new to tell. */
  rounds: number;
  /** Rises with each burst: of two that are equal otherwise the older goes first. */
  order: number;
}

export type AnnounceDrop = 'announcement-not-ours' | 'announcement-nic-missing' | 'announcement-superseded';

export interface AnnouncerState {
  /** By net and address: an address is announced from one NIC at a time. */
  bursts: Record<string, Burst>;
  /** Net → moments of the latest frames, as many as its rate allows in a second. */
  sentAt: Record<string, Ms[]>;
  /** By net and address: when the last frame of it left. */
  lastAt: Record<string, Ms>;
  order: number;
  dropped: Record<string, number>;
}

/** Is the address on that NIC of this host, and may this node serve it? A moment: until then. */
export type StillOurs = (nic: string, address: string) => boolean | Ms;

/** Under which MAC that address is known on that NIC; absent: under the NIC's own. */
export type MacOf = (nic: string, address: string) => string | undefined;

export function startAnnouncer(): AnnouncerState {
  return { bursts: {}, sentAt: {}, lastAt: {}, order: 0, dropped: {} };
}

/** Begins a burst; the frames leave by `takeAnnouncements`, the first with the next one. Replaces any burst of that address. */
export function announce(state: AnnouncerState, now: Ms, what: Announcement): void {
  const key = keyOf(what.net, what.address);
  if (key in state.bursts) {
    delete state.bursts[key];
    drop(state, 'announcement-superseded');
  }
  const { net, nic, address, cause } = what;
  const rounds = PAUSES.length;
  state.bursts[key] = { net, nic, address, cause, rounds, round: 0, form: 0, dueAt: now, order: state.order++ };
}

/** One round, unless a burst of that address is under way. */
export function announceOnce(state: AnnouncerState, now: Ms, { net, nic, address, cause }: Announcement): void {
  const key = keyOf(net, address);
  if (key in state.bursts) return;
  state.bursts[key] = { net, nic, address, cause, rounds: 1, round: 0, form: 0, dueAt: now, order: state.order++ };
}

/** The address is leaving: not one more frame. */
export function withdraw(state: AnnouncerState, net: string, address: string): void {
  delete state.bursts[keyOf(net, address)];
}

/** When a frame of it last left; -Infinity: none did. */
export function announcedAt(state: AnnouncerState, net: string, address: string): Ms {
  return state.lastAt[keyOf(net, address)] ?? -Infinity;
}

/** When `takeAnnouncements` next has something to send; Infinity: never. */
export function announceDeadline(world: World, state: AnnouncerState): Ms {
  let deadline = Infinity;
  for (const burst of Object.values(state.bursts)) {
    deadline = Math.min(deadline, Math.max(burst.dueAt, allowedAt(world, state, burst.net)));
  }
  return deadline;
}

/** Sends what is due, as far as the rate of each net allows. */
export function takeAnnouncements(
  world: World,
  state: AnnouncerState,
  now: Ms,
  stillOurs: StillOurs,
  out: Action[],
  macOf: MacOf = () => undefined,
): void {
  const due = Object.values(state.bursts).filter((burst) => burst.dueAt <= now);
  if (due.length === 0) return;
  const frames = due.flatMap((burst) => formsLeft(burst).map((form) => ({ burst, form })));
  frames.sort(
    (a, b) =>
      a.burst.round - b.burst.round ||
      a.form - b.form ||
      a.burst.dueAt - b.burst.dueAt ||
      a.burst.order - b.burst.order,
  );
  for (const { burst, form } of frames) {
    if (state.bursts[keyOf(burst.net, burst.address)] !== burst) continue;
    if (allowedAt(world, state, burst.net) > now) continue;
    const nic = world.host[burst.nic];
    const ours = stillOurs(burst.nic, burst.address);
    if (nic === undefined) end(state, burst, 'announcement-nic-missing');
    else if (ours === false) end(state, burst, 'announcement-not-ours');
    else {
      const mac = macOf(burst.nic, burst.address) ?? nic.mac;
      if (burst.rounds > 1 && burst.round === 0 && form === 0) journal(burst, mac, now, out);
      const router = nic.settings['ipv6/conf/{nic}/forwarding'] === '1';
      const bytes = frameOf(burst.address, form, mac, router);
      out.push({ kind: 'send-frame', nic: burst.nic, bytes, ...(ours === true ? {} : { until: ours }) });
      countSent(world, state, burst.net, now);
      state.lastAt[keyOf(burst.net, burst.address)] = now;
      advance(state, burst, now);
    }
  }
}

function keyOf(net: string, address: string): string {
  return `${net} ${address}`;
}

function formCount(address: string): number {
  return ipFamily(address) === 4 ? 2 : 1;
}

function formsLeft(burst: Burst): number[] {
  return [0, 1].slice(burst.form, formCount(burst.address));
}

function frameOf(address: string, form: number, mac: string, router: boolean): Uint8Array {
  if (ipFamily(address) === 6) return unsolicitedAdvertisement(mac, address, router);
  return form === 0 ? gratuitousRequest(mac, address) : gratuitousReply(mac, address);
}

function advance(state: AnnouncerState, burst: Burst, now: Ms): void {
  burst.form++;
  if (burst.form < formCount(burst.address)) return;
  burst.form = 0;
  burst.round++;
  const pause = PAUSES[burst.round];
  if (pause === undefined || burst.round >= burst.rounds) delete state.bursts[keyOf(burst.net, burst.address)];
  else burst.dueAt = now + pause;
}

function end(state: AnnouncerState, burst: Burst, reason: AnnounceDrop): void {
  delete state.bursts[keyOf(burst.net, burst.address)];
  drop(state, reason);
}

function drop(state: AnnouncerState, reason: AnnounceDrop): void {
  state.dropped[reason] = (state.dropped[reason] ?? 0) + 1;
}

/** Frames that may leave in any window, and its length: 0.5 a second is one in two seconds. */
function limitOf(world: World, net: string): { frames: number; windowMs: Ms } | null {
  const rate = world.cluster.nets.find((candidate) => candidate.name === net)?.announceRate;
  if (rate === undefined) return null;
  const frames = Math.max(1, Math.floor(rate));
  return { frames, windowMs: (frames / rate) * 1000 };
}

/** Earliest moment of the next frame: a switch that inspects ARP counts frames a second, both forms. */
function allowedAt(world: World, state: AnnouncerState, net: string): Ms {
  const limit = limitOf(world, net);
  const sentAt = state.sentAt[net];
  if (limit === null || sentAt === undefined || sentAt.length < limit.frames) return -Infinity;
  return (sentAt[sentAt.length - limit.frames] ?? -Infinity) + limit.windowMs;
}

function countSent(world: World, state: AnnouncerState, net: string, now: Ms): void {
  const limit = limitOf(world, net);
  if (limit === null) return;
  const sentAt = (state.sentAt[net] ??= []);
  sentAt.push(now);
  if (sentAt.length > limit.frames) sentAt.shift();
}

function journal(burst: Burst, mac: string, now: Ms, out: Action[]): void {
  const { net, nic, address, cause } = burst;
  out.push({
    kind: 'journal',
    entry: { at: now, event: 'announced', net, nic, address, cause, evidence: { mac, rounds: PAUSES.length } },
  });
}

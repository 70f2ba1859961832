/** What the health stage remembers, as plain data. Each part is kept by the file of its name. */
import type { HearingEntry, Poll, TargetTestimony } from '../frame/poll.js';
import type { LagPort, Ms } from '../input.js';
import type { Alarm, Decision, HealthReason, NicHealth, PeerHealth } from '../status.js';
import type { KeyId } from '../world.js';
import type { ClockState } from './clock-rate.js';

/** Long before everything: state must survive JSON, which knows no -Infinity. */
export const NEVER: Ms = -1e15;
/** Long after everything. */
export const FAR: Ms = 1e15;

/** `alpha/eth0`: one NIC of the cluster. */
export type NicKey = string;

export type Link = 'unseen' | 'up' | 'down' | 'admin' | 'missing';

export interface Verdict {
  health: NicHealth;
  reason?: HealthReason;
  since: Ms;
  /** Order of health, best first: 0 up · 1 unproven · 2 one-way, isolated, split or condemned only in name · 3 suspect · 4 down. */
  rank: number;
  /** Until then no switch *back* to this NIC, for it flaps. */
  holdUntil: Ms;
}

/** Random loss: of the last frames, and the slowly forgotten worst. */
export interface Loss {
  lossNow: number;
  lossHeld: number;
}

/** One direction between two NICs, seen at its end. */
export interface Heard extends Loss {
  at: Ms;
  sequence: number;
  round: number;
}

export interface TargetState extends Loss {
  /** First question. */
  since: Ms;
  askedAt: Ms;
  answeredAt: Ms;
  /** Probes since the last answer that had their time and got none. */
  missed: number;
  /** Probed by ARP or neighbour discovery, for want of an address. */
  byProbe: boolean;
}

export interface NicState {
  nic: string;
  key: NicKey;
  net: string;
  role: 'primary' | 'standby';
  link: Link;
  /** Last word of the lock-free poll; it is ahead of what an observation says. */
  polled: 'unknown' | 'up' | 'down' | 'admin';
  /** What the last observation said. */
  observed: 'unknown' | 'up' | 'down' | 'admin';
  ifindex: number;
  /** Heard somebody since its last carrier-up. */
  proven: boolean;
  /** Silence before it is evidence of nothing. */
  windowFrom: Ms;
  /** Frames came without a long pause since. */
  receivingSince: Ms;
  heardAnyAt: Ms;
  /** When it stopped being down; it is up again after frames were received on it for `upDelay`. */
  waitingSince: Ms;
  sequence: number;
  round: number;
  /** The last frame it sent, one character a byte, and what it says apart from rows and sessions. */
  sent: { text: string; poll: Poll } | null;
  hears: Record<NicKey, Heard>;
  /** Light polling: when the next frame of that NIC is overdue. */
  expects: Record<NicKey, Ms>;
  targets: Record<string, TargetState>;
  rxPackets: number;
  txPackets: number;
  rxLinkLocal: number;
  /** Its received count rose, link-local groups aside; seen at that reading. */
  movedAt: Ms;
  /** When it went down, within `flapWindow`. */
  downs: Ms[];
  flapHoldMs: Ms;
  verdict: Verdict;
  readiness: string[];
  /** Of a bond or team, as last observed; null: it is none, or was not looked at yet. */
  ports: LagPort[] | null;
}

/** What a NIC of another node said last. */
export interface Report {
  at: Ms;
  target: TargetTestimony;
  lossPermille: number;
  /** What it said of whom, and when, the newest first; older words count for those whom newer ones had no room to name. */
  words: { at: Ms; heard: readonly HearingEntry[] }[];
}

export interface NetState {
  name: string;
  /** Own NICs in file order, the primary first. */
  nics: string[];
  /** All NICs of the net, over all nodes. */
  members: { node: string; nic: string; key: NicKey }[];
  polling: 'light' | 'full';
  poller: string;
  /** Own doubt lasts until then. */
  doubtUntil: Ms;
  /** A peer's doubt lasts until then. */
  askedUntil: Ms;
  /** Length of the next own doubt; doubles while doubts follow each other closely. */
  holdMs: Ms;
  leftFullAt: Ms;
  pollDueAt: Ms;
  checkDueAt: Ms;
  /** A NIC waits for its up delay or there is something else to look at while polling is light. */
  unsettled: boolean;
  reports: Record<NicKey, Report>;
  /** How each other node polled when it was last heard. One under light polling owes no frames at the full rate. */
  peers: Record<string, 'light' | 'full'>;
}

export interface PeerSession {
  /** Incarnation that proved itself by naming ours; '' before. */
  accepted: string;
  /** Incarnation that it claims and that we name, so that it can prove itself; '' if there is none. */
  claimed: string;
  /** The highest sequences of our beats to it and of our frames when that claim was first seen. */
  claimedFrom: { beat: number; frame: number };
  /** The highest sequence in frames of `accepted`, and of `claimed`, that were heard. */
  heard: number;
  claimedHeard: number;
  retired: string[];
}

/** Of one sending NIC, whichever of our NICs heard it. */
export interface Sender {
  /** A sequence, and since when it is known. */
  mark: number;
  markedAt: Ms;
  /** Frames up to this sequence are old news on every NIC. */
  settled: number;
  /** It is its node's poller. */
  poller: boolean;
  /** Its last frame was a light poll, so the next one is due. */
  polls: boolean;
}

export interface Sighting {
  at: Ms;
  nic: string;
  net: string;
  from: NicKey;
  fromNet: string;
}

/** Numbers of a rising sequence that were seen: the highest, and which of the 64 up to it; bit i of `low` is highest − i, of `high` highest − 32 − i. */
export interface Seen64 {
  highest: number;
  low: number;
  high: number;
}

/** This end of the serial line. */
export interface SerialState {
  /** The device is open. */
  isUp: boolean;
  /** Why not; '' if it is. */
  text: string;
  /** When it has had its share of the line for what was sent. */
  freeAt: Ms;
  /** When a beat of this daemon's own came back over it. */
  ownAt: Ms;
}

/** One net, or serial line, over which heartbeats to one peer can travel. */
export interface PathState {
  peer: string;
  net: string;
  kind: 'private' | 'public' | 'serial';
  /** Own address and the peer's, of one family; '' over a serial line. */
  from: string;
  to: string;
  /** Own NIC that has the address now; '' if none has, and over a serial line. */
  nic: string;
  /** That NIC has carrier; the line's device is open. */
  usable: boolean;
  /** Sequences of the peer's that came over it. */
  seen: Seen64;
  heardAt: Ms;
  /** Silence before it is evidence of nothing. */
  silentFrom: Ms;
  /** When the peer last heard us over it, as it says. */
  echoedAt: Ms;
  /** It carries no heartbeats now but a standing check, which is due then. */
  checkDueAt: Ms;
  state: 'up' | 'down';
  since: Ms;
}

export interface PeerState {
  node: string;
  health: PeerHealth | 'unheard';
  since: Ms;
  heardAt: Ms;
  /** Silence before it is evidence of nothing. */
  silentFrom: Ms;
  /** When the next beat is due. */
  dueAt: Ms;
  /** Of the last beat to it. */
  sequence: number;
  /** Sequences of its beats that were admitted, whichever path they took. */
  seen: Seen64;
  paths: string[];
  hasPrivate: boolean;
  /** As `silentFrom`, over private paths. */
  privateSilentFrom: Ms;
  /** Private paths were heard without a pause since. */
  privateRunFrom: Ms;
  /** Since when the private paths are silent here; null: they are not. */
  reroutedAt: Ms | null;
  /** The journal has it. */
  rerouteTold: boolean;
  /** It says that its private paths to us are silent. */
  asksReroute: boolean;
  /** When it was last asked to prove a new incarnation. */
  challengedAt: Ms;
  /** Net → places of its NICs of that net in `nics`. */
  nets: Record<string, number[]>;
  /** Its NICs in file order as it last said, one number each; -1: not said yet. */
  nics: number[];
  nicCount: number;
  /** Net → when a target last answered it there, as it says. */
  targetAt: Record<string, Ms>;
  /** Bad seals under its name in a row, and the last of them. */
  badSeals: number;
  badSealAt: Ms;
  otherFileAt: Ms;
  /** Cluster keys that it takes, as it last said, the newest last; none: it has not said yet. */
  keys: KeyId[];
  keysSince: Ms;
  /** As `KeyState.settled`, of it. */
  keysSettled: boolean;
  /** Its last message, admitted or not; '' before the first. */
  sealedWith: KeyId;
  clock: ClockState;
}

export interface KeyState {
  /** What the key file holds, the newest last, and since when. */
  file: KeyId[];
  since: Ms;
  /** Of those, the ones that are in use: without the older one once that is given up. */
  taken: KeyId[];
  /** Every node of the cluster file takes the newest. */
  settled: boolean;
  /** Since when the older one may be given up; null: it may not. */
  readySince: Ms | null;
  /** Keys that are out of the file → until when they are taken all the same. */
  leaving: Record<KeyId, Ms>;
  /** What is wrong with the key file. */
  trouble: string | null;
  reviewAt: Ms;
}

export interface HealthState {
  keys: KeyState;
  peers: Record<string, PeerState>;
  /** `beta/hb0` → the path to beta over net hb0. */
  paths: Record<string, PathState>;
  serial: SerialState;
  /** What every beat says besides what this stage says: one character a byte. */
  words: { kind: number; text: string }[];
  /** A clean stop is under way. */
  stopping: boolean;
  /** Every beat says that this node stops on purpose. */
  leaving: boolean;
  beatDueAt: Ms;
  otherClusterAt: Ms;
  dropped: Record<string, number>;
  nets: Record<string, NetState>;
  nics: Record<string, NicState>;
  /** Every NIC of the cluster file → its net. */
  netOf: Record<NicKey, string>;
  /** NIC of another node → MAC under which it last polled. */
  macs: Record<NicKey, string>;
  sessions: Record<string, PeerSession>;
  senders: Record<NicKey, Sender>;
  cabling: Record<string, Sighting>;
  alarms: Record<string, Alarm>;
  /** The last verdicts, newest last. */
  decisions: Decision[];
  clusterTag: number;
  dueAt: Ms;
}

export function drop(state: HealthState, reason: string): void {
  state.dropped[reason] = (state.dropped[reason] ?? 0) + 1;
}

const keysByNode = new Map<string, Map<string, NicKey>>();

/** The same text each time: one put together anew has to be looked up among all texts before it can serve as a key. */
export function nicKey(node: string, nic: string): NicKey {
  let keys = keysByNode.get(node);
  if (keys === undefined) keysByNode.set(node, (keys = new Map<string, NicKey>()));
  let key = keys.get(nic);
  if (key === undefined) keys.set(nic, (key = `${node}/${nic}`));
  return key;
}

/** Own NICs of a net that have carrier. */
export function carryingNics(state: HealthState, net: NetState): NicState[] {
  return net.nics.map((nic) => state.nics[nic]!).filter((nic) => nic.link === 'up');
}

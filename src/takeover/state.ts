/** State of the local switch, plain data, and what every part of it is handed. */
import type { Action, Step } from '../action.js';
import type { ClusterNode, Net, NodeNet } from '../config/cluster.js';
import type { Verdict } from '../health/state.js';
import type { Ms, NicObservation } from '../input.js';
import type { Alarm, Decision, NicHealth } from '../status.js';
import type { World } from '../world.js';
import { type AnnouncerState, startAnnouncer } from './announce.js';
import { type FloatingState, type Mandate, type Peers, startFloating } from './floating-state.js';
import { emptyLedger, type Ledger } from './ledger.js';
import type { CardMac, Following } from './mac-follow.js';
import { emptyPortfolio, type Portfolio } from './portfolio.js';
import type { RunSwitch } from './run-record.js';
import type { SettingRecord } from './settings.js';

/** What the local switch asks of the health stage. */
export type Verdicts = (nic: string) => Verdict;

/** `switch`: the carrier changes. `mend`: it stays, and what is missing or astray is put right. */
export interface Change {
  id: number;
  kind: 'switch' | 'mend';
  from: string;
  to: string;
  cause: string;
  at: Ms;
  steps: Step[];
  /** Addresses to announce once it is done. */
  addresses: string[];
  /** The operator who waits for the outcome. */
  operator: number | null;
  /** Has its lateness been told? */
  late: boolean;
}

export interface Mending {
  /** In a row, without a quiet time between. */
  times: number;
  lastAt: Ms;
  /** Not again before. */
  holdUntil: Ms;
}

export interface NetState {
  net: string;
  /** NIC that carries, or should carry, the portfolio. */
  carrier: string;
  portfolio: Portfolio;
  /** Thing of the portfolio → since when it is missing on the carrier. */
  missingSince: Record<string, Ms>;
  change: Change | null;
  /** A change is done, and these NICs were not looked at since. */
  unseen: string[];
  unseenSince: Ms;
  /** NIC that must get the whole portfolio whatever the health: a plan to it was cut short, or it is a new card. */
  unfinished: string | null;
  /** `mac: follow`: the cards' own MACs. */
  macs: Record<string, CardMac>;
  /** `mac: follow`: a switch that waits for its MAC. */
  following: Following | null;
  /** MAC that the last change gave the carrier, until that was looked at; null: none. */
  macSet: string | null;
  /** The operator put it where it is: no switch back by itself. */
  manual: boolean;
  switches: number;
  /** The last refusal journalled, null if there is no reason to switch. */
  refused: string | null;
  /** Why this net is not served at all. */
  unsuitable: string | null;
  /** What is on the carrier and does not move, as last named. */
  notMoved: string;
  mending: Mending;
  /** After a failure that was not the standby's. */
  retryAt: Ms;
  retries: number;
  /** All defended addresses were on the carrier at some moment of this run. */
  served: boolean;
  /** The carrier NIC was seen working at some moment of this run. */
  wasUp: boolean;
  /** A NIC of the net changed and that was not looked into yet. */
  dirty: boolean;
  /** Verdict of the carrier at the last look; empty texts: there was none, or no reason. */
  health: NicHealth | '';
  reason: string;
  /** When time alone may change something; null: never. */
  lookAt: Ms | null;
}

export interface Lock {
  owner: string;
  reason: string;
  until?: Ms;
}

export interface TakeoverState {
  startedAt: Ms;
  /** What an earlier run left, until the first look at all NICs. */
  run: RunSwitch | null;
  /** All NICs of the cluster file were looked at once. */
  ready: boolean;
  /** NIC → when it was last looked at. */
  seenAt: Record<string, Ms>;
  nets: Record<string, NetState>;
  ledger: Ledger;
  locks: Record<string, Lock>;
  /** NIC that failed as target → not before, and how often in a row. */
  unfit: Record<string, { until: Ms; times: number }>;
  /** `change-host` id → settings that it sets. */
  settings: Record<string, SettingRecord[]>;
  /** `nic ifindex` whose settings were cared for. */
  settingsDone: string[];
  /** NICs whose MAC is being changed, until they were looked at. */
  remade: string[];
  stopping: Stopping | null;
  floating: FloatingState;
  /** The earliest `lookAt` of all nets; null: none. */
  lookAt: Ms | null;
  /** When time alone makes something due, as of the last turn; null: never. */
  dueAt: Ms | null;
  alarms: Record<string, Alarm>;
  decisions: Decision[];
  announcer: AnnouncerState;
  nextId: number;
  dropped: Record<string, number>;
}

export interface Stopping {
  since: Ms;
  phase: 'departing' | 'surrendering' | 'homeward' | 'cleaning' | 'announcing' | 'done';
  /** Nets that were asked home once. */
  asked: string[];
  /** `change-host` that puts settings back. */
  id: number | null;
  /** What that does. */
  cleaned: { steps: Step[]; free: string[]; settings: SettingRecord[] } | null;
  exitAt: Ms;
}

/** One call of the stage. */
export interface Turn {
  readonly world: World;
  readonly state: TakeoverState;
  readonly now: Ms;
  readonly verdict: Verdicts;
  readonly mandate: Mandate;
  readonly peers: Peers;
  readonly out: Action[];
}

export function startState(world: World, now: Ms): TakeoverState {
  const nets: Record<string, NetState> = {};
  for (const { net, primary } of world.self.nets) nets[net] = startNet(net, primary, now);
  return {
    startedAt: now,
    run: null,
    ready: false,
    seenAt: {},
    nets,
    ledger: emptyLedger(),
    locks: {},
    unfit: {},
    settings: {},
    settingsDone: [],
    remade: [],
    stopping: null,
    floating: startFloating(now),
    lookAt: null,
    dueAt: null,
    alarms: {},
    decisions: [],
    announcer: startAnnouncer(),
    nextId: 1,
    dropped: {},
  };
}

function startNet(net: string, carrier: string, now: Ms): NetState {
  return {
    net,
    carrier,
    portfolio: emptyPortfolio(now),
    missingSince: {},
    change: null,
    unseen: [],
    unseenSince: 0,
    unfinished: null,
    macs: {},
    following: null,
    macSet: null,
    manual: false,
    switches: 0,
    refused: null,
    unsuitable: null,
    notMoved: '',
    mending: { times: 0, lastAt: 0, holdUntil: 0 },
    retryAt: 0,
    retries: 0,
    served: false,
    wasUp: false,
    dirty: true,
    health: '',
    reason: '',
    lookAt: null,
  };
}

export function nicsOf(own: NodeNet): string[] {
  return [own.primary, ...own.standby];
}

const netsByNic = new WeakMap<ClusterNode, Map<string, NodeNet[]>>();

/** The nets that a NIC belongs to; two nets may share a standby. Found at once, for every frame asks. */
export function netsOfNic(self: ClusterNode, nic: string): readonly NodeNet[] {
  let nets = netsByNic.get(self);
  if (nets === undefined) {
    nets = new Map();
    for (const own of self.nets) for (const each of nicsOf(own)) nets.set(each, [...(nets.get(each) ?? []), own]);
    netsByNic.set(self, nets);
  }
  return nets.get(nic) ?? [];
}

export function homesOf(self: ClusterNode): string[] {
  return self.nets.map((own) => own.primary);
}

export function netOf(world: World, name: string): Net | undefined {
  return world.cluster.nets.find((net) => net.name === name);
}

/** The NICs of this net that exist, but for `target`. */
export function othersOf(world: World, own: NodeNet, target: string): NicObservation[] {
  return nicsOf(own)
    .filter((nic) => nic !== target)
    .flatMap((nic) => world.host[nic] ?? []);
}

export function drop(state: TakeoverState, reason: string): void {
  state.dropped[reason] = (state.dropped[reason] ?? 0) + 1;
}

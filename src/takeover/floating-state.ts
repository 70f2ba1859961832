/** State of this node's floating addresses, plain data, and what the stages before say of them. */
import type { Package } from '../config/cluster.js';
import type { Part } from '../frame/part.js';
import type { Address, Ms } from '../input.js';
import type { Document, Version } from '../membership/document.js';
import type { InquestState } from './inquest.js';
import type { MacvlanState } from './macvlan.js';
import type { Refresh } from './refresh.js';
import type { Rival } from './rival.js';
import type { Stand } from './stand.js';
import { startTrials, type TrialState } from './trial.js';
import type { VerificationState } from './verification.js';

/** What membership allows, as of this very step. */
export interface Mandate {
  /** MEMBERSHIP N3: packages that this node may serve, with their epoch. */
  may: Readonly<Record<string, Version>>;
  /** On this node's clock; null: no lease. */
  leaseEnd: Ms | null;
  document: Document | null;
  /** After `stop-asked`: nobody will take anything from here any more. */
  departed: boolean;
}

/** The other nodes. */
export interface Peers {
  /** Alive, and with a NIC of that net that works. */
  askable: (net: string) => string[];
  tell: (node: string, part: Part) => void;
  /** Whose NIC has that MAC, as far as it was heard polling. */
  nodeOf: (mac: string) => string | null;
  /** May one of them serve that package beside this node, as far as is known? */
  mayServe: (one: Package) => boolean;
}

/** What the gate lets speak; `leaseEnd` null: it is closed. */
export interface GateWish {
  held: string[];
  leaseEnd: Ms | null;
}

export interface GateState {
  /** As last acknowledged; null: not since the daemon's start. */
  known: GateWish | null;
  /** Asked for and not answered; a later one's answer stands for those before it. */
  pending: (GateWish & { id: number })[];
  /** Addresses that a failed write may have let through all the same, since the last acknowledged one. */
  doubtful: string[];
  /** The last ones in a row were refused. */
  refusals: number;
  retryAt: Ms;
  /** Held addresses of the refused write: another wish need not wait. */
  refused: string;
  /** The rules were lost while a write was under way: what came of it is unknown. */
  again: boolean;
  lostAt: Ms | null;
}

/** The newest change of one address on one NIC, until it was seen. */
export interface Posted {
  change: number;
  /** Index of its step there. */
  step: number;
  nic: string;
  address: Address;
  does: 'add' | 'delete';
  /** It was there already. */
  renew: boolean;
  /** Null: not answered. */
  outcome: 'done' | 'failed' | null;
  /** Of posting, then of the answer. */
  at: Ms;
}

export interface Refusal {
  times: number;
  until: Ms;
}

export interface Tampering {
  times: number;
  holdUntil: Ms;
}

export interface FloatingState {
  startedAt: Ms;
  /** Packages whose addresses an earlier run left: they stay until there is a lease, or can be none of that run any more. */
  adopting: string[];
  /** As last told: the deadline needs it. */
  leaseEnd: Ms | null;
  gate: GateState;
  /** `change-host` under way. */
  changes: number[];
  /** By place (NIC and address). */
  posted: Record<string, Posted>;
  /** By place: until when the kernel keeps it, by our own doing. */
  until: Record<string, Ms>;
  /** By place: the kernel refused. */
  refusals: Record<string, Refusal>;
  /** By address: somebody else adds or removes it. */
  tampering: Record<string, Tampering>;
  /** By net. */
  refresh: Record<string, Refresh>;
  verification: VerificationState;
  inquests: InquestState;
  /** By address. */
  rivals: Record<string, Rival>;
  /** Packages that run here, and that another node may have served, too. */
  shared: string[];
  /** Node → MACs of its NICs, as it said. */
  macs: Record<string, string[]>;
  /** By name. */
  macvlans: Record<string, MacvlanState>;
  trials: TrialState;
  /** What the last look stood on. */
  gist: string;
  /** And the mandate of the last turn that compared it; null: it is another one by now. */
  stand: Stand | null;
  /** When time alone changes something; null: never. */
  lookAt: Ms | null;
}

export function startFloating(now: Ms): FloatingState {
  return {
    startedAt: now,
    adopting: [],
    leaseEnd: null,
    gate: { known: null, pending: [], doubtful: [], refusals: 0, retryAt: 0, refused: '', again: false, lostAt: null },
    changes: [],
    posted: {},
    until: {},
    refusals: {},
    tampering: {},
    refresh: {},
    verification: { unconfirmed: {}, rounds: {}, token: 0 },
    inquests: { open: [], probedAt: {} },
    rivals: {},
    shared: [],
    macs: {},
    macvlans: {},
    trials: startTrials(),
    gist: '',
    stand: null,
    lookAt: null,
  };
}

/** What this stage keeps, and what it decides from. All of it is plain data. */
import type { Action } from '../action.js';
import type { Package } from '../config/cluster.js';
import type { HealthState } from '../health/state.js';
import type { Ms } from '../input.js';
import type { Document } from '../membership/document.js';
import type { MembershipState, NodeView } from '../membership/member.js';
import type { Alarm, ClusterRequest, Decision, OperatorAnswer, PackageStatus } from '../status.js';
import type { World } from '../world.js';
import type { Rest } from './rest.js';

/** A request that this node was asked and has not answered yet. */
export interface Asked {
  id: number;
  request: ClusterRequest;
  /** Package → where this node knew it to be placed when it was asked. */
  at: Record<string, string>;
  since: Ms;
  /** When it was last sent to the coordinator. */
  sentAt: Ms;
  /** Since when no coordinator is known; null: one is. */
  aloneSince: Ms | null;
}

/** A request that the coordinator carries out. */
export interface Task {
  /** The node that was asked. */
  node: string;
  request: ClusterRequest;
  at: Record<string, string>;
  since: Ms;
  /** Its orders and wishes stand in a document. */
  begun: boolean;
  /** What is done, in words. */
  text: string;
  /** Package → the node that it is to run on, and the one it comes from. */
  targets: Record<string, { to: string; from: string | null }>;
  answer: OperatorAnswer | null;
  answeredAt: Ms;
}

export interface PackagesState {
  dropped: Record<string, number>;
  asked: Asked[];
  /** `node/incarnation/id` → task; answered ones are kept for a while, to answer the same again. */
  tasks: Record<string, Task>;
  /** Package → where an operator wants it, until it is there. */
  wishes: Record<string, string>;
  /** Package → when it was moved without an operator, within `movesWindow`. */
  moves: Record<string, Ms[]>;
  /** `package@node` → until when it is not tried there again: it did not start. */
  failed: Record<string, Ms>;
  /** Condition → since when it holds without a break. */
  since: Record<string, Ms>;
  /** Package → what this node last saw of it. */
  seen: Record<string, Seen>;
  /** The orderly stop, with the packages that were here then; `departed`: nothing more is to be waited for. */
  leaving: { since: Ms; packages: string[]; departed: boolean } | null;
  alarms: Record<string, Alarm>;
  decisions: Decision[];
  /** A node that does not coordinate looks once a heartbeat: for alarms, that is soon enough. */
  lookedAt: Ms;
  /** A coordinator need not look again before, while of its own node this is so; null: it has to. */
  rest: Rest | null;
  dueAt: Ms;
}

export interface Seen {
  state: PackageStatus['state'];
  since: Ms;
  node: string | null;
  epoch: string | null;
}

/** One step of this stage. */
export interface Turn {
  world: World;
  state: PackagesState;
  now: Ms;
  health: HealthState;
  membership: MembershipState;
  out: Action[];
}

export interface NodePicture extends NodeView {
  /** Net → has it a NIC that is not down? Null: not known. */
  nets: Record<string, boolean | null>;
  /** Nets that are up for so long that one may go there for their sake. */
  steady: string[];
}

/** All that placement is decided from, as the coordinator knows it at one moment. */
export interface Picture {
  now: Ms;
  nodeTimeoutMs: Ms;
  /** How long a net must be down before a package leaves because of it. */
  netDownMs: Ms;
  packages: readonly Package[];
  /** By name, in the order of the file. */
  nodes: Record<string, NodePicture>;
  capacities: Record<string, number>;
  document: Document;
  released: Record<string, boolean>;
  /** Package → the node that is to be shut first, in words; null: none. */
  awaited?: Record<string, string | null>;
  memory: Pick<PackagesState, 'wishes' | 'moves' | 'failed'>;
  /** Holds the condition, which is so now, for that long without a break? */
  lasts: (condition: string, forMs: Ms) => boolean;
}

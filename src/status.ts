/** The words that daemon, command, console and tests share: journal entries, operator requests, the status document. */
import type { LagPort, Ms } from './input.js';

export type NicHealth = 'up' | 'suspect' | 'down';

/** Why a NIC is down, and what is noted of one that is up (DESIGN 4). */
export type DownReason = 'missing' | 'admin' | 'carrier' | 'silent' | 'deaf' | 'mute' | 'unreachable';
export type UpNote = 'split' | 'one-way' | 'isolated' | 'unproven';
/** `waiting`: carrier is back, frames were not yet received for `upDelay`. `missed`: a poll was missed, full polling asks. */
export type SuspectReason = 'missed' | 'waiting';
export type HealthReason = DownReason | UpNote | SuspectReason;

/** One line per transition: old → new, cause, evidence. `at` is the node's own monotonic milliseconds. */
export interface JournalEntry {
  at: Ms;
  /** What kind of thing changed, a closed list; tests and `events` filter by it. */
  event: JournalEvent;
  net?: string;
  nic?: string;
  address?: string;
  /** Name of another node. */
  peer?: string;
  /** Name of a package. */
  package?: string;
  from?: string;
  to?: string;
  /** The named cause. */
  cause: string;
  /** What was seen, for `why`: plain data. */
  evidence?: Record<string, unknown>;
}

export type JournalEvent =
  | 'node-started'
  | 'node-stopping'
  /** from, to: `up`, `up split`, `suspect missed`, `down carrier`. */
  | 'nic-health'
  /** Light ↔ full polling of a net. */
  | 'polling'
  /** Frames of another net were heard: evidence names both ends. */
  | 'cabling'
  /** Addresses begin to move: from NIC, to NIC. */
  | 'switch-started'
  | 'switch-done'
  | 'switch-failed'
  | 'mac-taken'
  | 'mac-tested'
  /** There is a reason to switch but it is not done: locked, no fit standby, flapping. */
  | 'switch-refused'
  /** What something else changed was put right. */
  | 'mended'
  /** The address set of a net was taken over from the kernel by a starting daemon. */
  | 'adopted'
  | 'settings'
  | 'announced'
  /** Things baton does not move are named. */
  | 'not-moved'
  | 'readiness'
  /** A port of a bond or team. from, to: `active`, `backup`, `up`, `down`, `gone`. */
  | 'port'
  | 'alarm-raised'
  | 'alarm-cleared'
  | 'link-locked'
  | 'link-unlocked'
  | 'operator'
  | 'stalled'
  /** Only with --shadow: the steps that were held back. */
  | 'shadow'
  | 'clash'
  /** Of a peer. from, to: `alive`, `suspect`, `lost`, `left`. */
  | 'peer-health'
  /** Cluster keys, by their ids: the file has changed; every node knows the newest; the older one is given up. */
  | 'keys'
  /** Of a way to a peer. from, to: `up`, `down`. */
  | 'path'
  /** To a peer: the private paths are silent; and back. from, to: `private`, `public`. */
  | 'rerouted'
  /** Of this node. from, to: `follower`, `pre-candidate`, `candidate`, `coordinator`. */
  | 'role'
  /** Another coordinator is heard, or none. from, to: node's name. */
  | 'coordinator'
  /** A document was committed: evidence has the version and what it changed. */
  | 'committed'
  /** Who votes, as this node learns of it; cause: `joint` while both the new and the former ones count, then `final`. */
  | 'voters'
  /** This node's lease: from, to `valid`, `over`. */
  | 'lease'
  | 'gate'
  /** The durable record is missing or damaged: this node is a new voter. */
  | 'state-lost'
  /** The coordinator has a lost node shut by fence agents, and opened again. to: `begun`, `done`, `failed`, `given-up`. */
  | 'fencing'
  | 'unfencing'
  | 'formed'
  /** A package here: from, to the state of its job. */
  | 'package'
  /** The coordinator places a package: from, to node's name. */
  | 'placed'
  | 'announce-confirmed'
  | 'address-conflict'
  | 'rival';

export type OperatorRequest =
  /** Move the addresses of a net on this node; `to` absent: the best other NIC. */
  | { ask: 'link-switch'; net: string; to?: string; dryRun?: boolean }
  /** No switch to or from this NIC by itself. */
  | { ask: 'link-lock'; nic: string; owner: string; reason: string; forMs?: Ms; dryRun?: boolean }
  | { ask: 'link-unlock'; nic: string; dryRun?: boolean }
  /** Full polling of one net or all, for one window: for `baton test`. */
  | { ask: 'poll-now'; net?: string }
  | ClusterRequest;

/** What the coordinator does, whichever node is asked. */
export type ClusterRequest =
  /** `force`: with the nodes reachable now; the operator vouches that the others are off (MEMBERSHIP P3). */
  | { ask: 'cluster-run'; force?: boolean; dryRun?: boolean }
  | { ask: 'cluster-halt'; dryRun?: boolean }
  | { ask: 'node-run' | 'node-halt' | 'node-remove'; node: string; dryRun?: boolean }
  /** The operator vouches that the node is off; fence agents are to open it again. */
  | { ask: 'node-fenced' | 'node-unfence'; node: string; dryRun?: boolean }
  | { ask: 'package-halt' | 'package-enable' | 'package-disable'; package: string; dryRun?: boolean }
  | { ask: 'package-start' | 'package-move'; package: string; to?: string; dryRun?: boolean }
  /** All that `node` runs comes to the node that was asked. */
  | { ask: 'takeover'; node: string; dryRun?: boolean }
  /** All that the node that was asked runs goes away. */
  | { ask: 'surrender'; to?: string; dryRun?: boolean };

/** `no-quorum`: nobody may decide now. */
export type OperatorAnswer =
  { ok: true; text: string; data?: unknown } | { ok: false; text: string; why?: 'no-quorum' };

export interface Alarm {
  since: Ms;
  /** Stable word: `cabling`, `flapping`, `rival-manager`, `standby-unfit`, `clash`, `switch-failed`. */
  what: string;
  text: string;
}

export interface NicStatus {
  name: string;
  /** Of several, the first in the file. */
  net: string;
  /** All nets for which it stands by, if there are several. */
  nets?: string[];
  role: 'primary' | 'standby';
  health: NicHealth;
  reason?: HealthReason;
  since: Ms;
  /** Addresses of the net that it carries now, `10.77.0.1/24`. */
  carrying: string[];
  /** Is it the poller of its net on this node? */
  poller: boolean;
  rxPackets: number;
  txPackets: number;
  /** Whom it heard in the last window: `beta/eth0` → milliseconds ago. */
  hears: Record<string, Ms>;
  /** Who says that it heard it, in the same form. */
  heardBy: Record<string, Ms>;
  /** Of a bond or team, or a VLAN on one. */
  ports?: LagPort[];
  /** Target → answered, how long ago. */
  targets: Record<string, { answers: boolean; agoMs?: Ms; note?: 'probe-blocked' }>;
  /** Fit to take over now? If not, why not, in words. Standbys only. */
  ready?: { ok: boolean; why: string[] };
  locked?: { owner: string; reason: string; until?: Ms };
  /**
   * MACs under which it speaks that are not the card's own, of floating addresses or of a net that says `mac: follow`. `wait`: a
   * test frame under it was not answered yet; `plain`: it was not heard, so the card's own is announced instead.
   */
  macs?: { mac: string; of: 'floating' | 'net'; net?: string; use: 'wait' | 'mac' | 'plain' }[];
}

export interface NetStatus {
  name: string;
  polling: 'light' | 'full';
  /** NIC that carries the addresses of the net on this node. */
  carrier?: string;
  switching: boolean;
  switches: number;
  /** Whole hearing of the net as this node knows it: who heard whom, `node/nic`, milliseconds ago. */
  hearing: { from: string; to: string; agoMs: Ms }[];
}

/** Why a NIC has its health, or a net its carrier: the last decisions, newest last. */
export interface Decision {
  at: Ms;
  subject: string;
  text: string;
  cause: string;
  evidence: Record<string, unknown>;
}

export type PeerHealth = 'alive' | 'suspect' | 'lost' | 'left';

export interface PathStatus {
  peer: string;
  net: string;
  kind: 'private' | 'public' | 'serial';
  state: 'up' | 'down';
  /** It carries the heartbeats because the private paths are silent. */
  rerouted: boolean;
}

export interface PeerStatus {
  node: string;
  /** `unheard`: not since this daemon started. */
  health: PeerHealth | 'unheard';
  since: Ms;
  /** NIC → `up`, `down carrier`: as it last said; absent: it has not said yet. */
  nics?: Record<string, string>;
}

export interface PackageStatus {
  name: string;
  /** As the node says that has it, else as the document places it. */
  state: 'running' | 'starting' | 'halting' | 'halted' | 'failed' | 'unclean';
  since: Ms;
  /** Where it runs, or is to run. */
  node: string | null;
  epoch: string | null;
  enabled: boolean;
  locked: boolean;
  addresses: string[];
}

/** What this node knows of the cluster; null in `NodeStatus` where there is none: no packages. */
export interface MembershipStatus {
  coordinator: string | null;
  role: 'follower' | 'pre-candidate' | 'candidate' | 'coordinator';
  term: number;
  /** Is there a coordinator with a majority, as far as this node knows? */
  quorum: boolean;
  /** What it waits for, in words: `waits for beta, gamma`. */
  waiting?: string;
  version: string;
  committed: string | null;
  /** `@arbiter` is one of them. */
  voters: string[];
  /** While they change: the former ones, of which a majority is needed too. */
  previousVoters?: string[];
  /** Nodes that are shut by fence agents, or are to be; the coordinator knows more of it. */
  fences: { node: string; state: 'due' | 'under-way' | 'failed' | 'shut' | 'opening'; agent?: string; text?: string }[];
  /** Is this node, with the storage that it has now, a voter? */
  hasVote: boolean;
  leaseLeftMs: Ms | null;
  arbiter?: {
    reachable: boolean;
    agoMs: Ms | null;
    kind: 'etcd' | 'disk';
    /** Why its newest question came to nothing. */ trouble?: string;
  };
}

export interface NodeStatus {
  cluster: string;
  node: string;
  /** The node's own monotonic now, to which all `at` and `since` belong. */
  now: Ms;
  alarms: Alarm[];
  nics: NicStatus[];
  nets: NetStatus[];
  peers: PeerStatus[];
  paths: PathStatus[];
  membership: MembershipStatus | null;
  gate: 'open' | 'closed' | 'off';
  packages: PackageStatus[];
  /** Node → what it is to the packages (DESIGN 10), for all nodes of the cluster file. */
  roles: Record<string, 'idle' | 'primary' | 'takeover' | 'dual'>;
  /** Nodes that an operator halted or removed. */
  halted: string[];
  decisions: Decision[];
  /** Drop reason → count, over all stages. */
  dropped: Record<string, number>;
  keys: KeysStatus;
}

/** Cluster keys by their ids, 8 hex digits each. Two are in the file while one replaces the other. */
export interface KeysStatus {
  /** Of the key file, the newest last. */
  file: string[];
  /** Of those, the ones that are taken. */
  taken: string[];
  /** What all hear is sealed with it. */
  speaks: string;
  /** While the file holds two: nodes that do not know the newest, and those that were not heard since batond's start. */
  lacking: string[];
  unheard: string[];
  /** Keys that have left the file and are still taken. */
  leaving: string[];
  peers: PeerKeysStatus[];
}

export interface PeerKeysStatus {
  node: string;
  /** As it last said, the newest last; none: it was not heard since batond's start. */
  takes: string[];
  /** Its last message was sealed with it; null: none was heard. */
  sends: string | null;
  /** What goes to it alone is sealed with it next. */
  spokenTo: string;
}

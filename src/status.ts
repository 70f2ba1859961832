/** The words that daemon, command, console and tests share: journal entries, operator requests, the status document. */
import type { Ms } from './input.js';

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
  | 'alarm-raised'
  | 'alarm-cleared'
  | 'link-locked'
  | 'link-unlocked'
  | 'operator'
  | 'stalled'
  /** Only with --shadow: the steps that were held back. */
  | 'shadow'
  | 'clash';

export type OperatorRequest =
  /** Move the addresses of a net on this node; `to` absent: the best other NIC. */
  | { ask: 'link-switch'; net: string; to?: string; dryRun?: boolean }
  /** No switch to or from this NIC by itself. */
  | { ask: 'link-lock'; nic: string; owner: string; reason: string; forMs?: Ms; dryRun?: boolean }
  | { ask: 'link-unlock'; nic: string; dryRun?: boolean }
  /** Full polling of one net or all, for one window: for `baton test`. */
  | { ask: 'poll-now'; net?: string };

export type OperatorAnswer = { ok: true; text: string; data?: unknown } | { ok: false; text: string };

export interface Alarm {
  since: Ms;
  /** Stable word: `cabling`, `flapping`, `rival-manager`, `standby-unfit`, `clash`, `switch-failed`. */
  what: string;
  text: string;
}

export interface NicStatus {
  name: string;
  net: string;
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
  /** Target → answered, how long ago. */
  targets: Record<string, { answers: boolean; agoMs?: Ms; note?: 'probe-blocked' }>;
  /** Fit to take over now? If not, why not, in words. Standbys only. */
  ready?: { ok: boolean; why: string[] };
  locked?: { owner: string; reason: string; until?: Ms };
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

export interface NodeStatus {
  cluster: string;
  node: string;
  /** The node's own monotonic now, to which all `at` and `since` belong. */
  now: Ms;
  alarms: Alarm[];
  nics: NicStatus[];
  nets: NetStatus[];
  decisions: Decision[];
  /** Drop reason → count, over all stages. */
  dropped: Record<string, number>;
}

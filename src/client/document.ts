/** What the control socket says: `status` of one daemon, and one line of its journal. */
import type { JournalEntry, NodeStatus } from '../status.js';

/** How late the engine woke after its deadline, over the last minute and since start. */
export interface Lateness {
  p99Ms: number;
  maxMs: number;
}

export interface DaemonStatus {
  version: string;
  pid: number;
  /** Milliseconds since the daemon started. */
  uptimeMs: number;
  lateness: Lateness;
  shadow: boolean;
  /** Inputs taken and steps made since start. */
  inputs: number;
  status: NodeStatus;
}

/** As it was when the daemon read it. */
export interface ClusterFileText {
  path: string;
  text: string;
}

/** A journal entry as it is kept and shown: with the node's name and the wall clock's time for human eyes. */
export type JournalLine = JournalEntry & { node: string; time: string };

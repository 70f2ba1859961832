/** The cluster file as the machine sees it: every default filled in, durations in milliseconds, addresses canonical. */
import type { Ms } from '../input.js';

export interface Timing {
  pollMs: Ms;
  pollMisses: number;
  carrierPollMs: Ms;
  heartbeatMs: Ms;
  nodeTimeoutMs: Ms;
  marginMs: Ms;
  renewLateMaxMs: Ms;
}

export interface Prefix {
  family: 4 | 6;
  /** Canonical text. */
  address: string;
  prefixLength: number;
}

export interface Net {
  name: string;
  heartbeat?: 'public' | 'private';
  /** On-link addresses that should always answer. */
  targets: { family: 4 | 6; address: string }[];
  failureDetection: 'inonly_or_inout' | 'inout';
  autoSwitchBack: boolean;
  upDelayMs: Ms;
  flapMax: number;
  flapWindowMs: Ms;
  announceEveryMs: Ms;
  /** Announcements a second; absent: no limit. */
  announceRate?: number;
}

/** What one node has of one net. */
export interface NodeNet {
  net: string;
  primary: string;
  standby: string[];
  /** Stationary addresses of the file; may be empty: then what the primary carries is learnt. */
  addresses: Prefix[];
}

export interface ClusterNode {
  name: string;
  nets: NodeNet[];
}

export interface Cluster {
  name: string;
  /** Path of the key file. */
  key: string;
  nets: Net[];
  nodes: ClusterNode[];
  timing: Timing;
  port: number;
  /** Quorum as in the file. Absent: majority of nodes. */
  quorum?: 'none';
  /** Write the flight recording. */
  record: boolean;
  log: { level: 'trace' | 'debug' | 'info' | 'warn' | 'error'; file?: string; keep: number };
  /** Group that may use the control socket. */
  group?: string;
  /** SHA-256 of the canonical content, hex. */
  digest: string;
}

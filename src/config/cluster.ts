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
  /** `follow`: the MAC moves with the addresses in a local switch. Absent: it stays with the NIC. */
  mac?: 'follow';
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
  /** Serial line to the other of two nodes. */
  serial?: { device: string; baud: number };
  /** How much weight of packages it takes; absent: any. */
  capacity?: number;
}

export type Arbiter =
  | { kind: 'etcd'; endpoints: string[]; ca?: string; cert?: string; key?: string }
  /** One or two block devices or files; of two both are needed. */
  | { kind: 'disk'; paths: string[] };

export interface Quorum {
  arbiter?: Arbiter;
  onArbiterLoss: 'surrender' | 'keep';
  startWaitMs: Ms;
}

/** Command with its arguments, no shell. */
export type CommandLine = string[];

export type Resource =
  | {
      kind: 'address';
      /** A floating address, with the prefix length of the file, else /32 or /128. */
      address: Prefix;
      net: string;
      mac?: string;
      /** May it be chosen as source of new connections? */
      source: boolean;
      /** Name to compare with DNS. */
      name?: string;
    }
  | {
      kind: 'exec';
      start: CommandLine;
      stop: CommandLine;
      monitor?: CommandLine;
      everyMs: Ms;
      timeoutMs: Ms;
      restarts: number;
    }
  | { kind: 'ocf'; agent: string; parameters: Record<string, string>; everyMs: Ms; timeoutMs: Ms; restarts: number }
  | { kind: 'systemd'; unit: string; everyMs: Ms; timeoutMs: Ms; restarts: number }
  | { kind: 'script'; path: string; timeoutMs: Ms };

export interface Package {
  name: string;
  /** The first is the primary node, the others are adoptive nodes. */
  nodes: string[];
  failover: 'configured-node' | 'min-package-node' | 'manual' | 'never';
  failback: 'manual' | 'automatic';
  enabled: boolean;
  onLeaseLoss: 'halt' | 'kill' | 'reboot';
  movesMax: number;
  movesWindowMs: Ms;
  priority: number;
  weight: number;
  dependsOn: string[];
  excludes: string[];
  /** Started in this order, halted in the reverse. */
  resources: Resource[];
}

export interface FenceAgent {
  /** Nodes that it can shut; absent in the file: all. */
  nodes: string[];
  /**
   * `agent`: of the fence-agents package, `fence_ipmilan`; in its parameters `{node}` stands for the node's name; `plugs`: node
   * → its plug. `command`: with the action and the node's name as last arguments.
   */
  run: { agent: string; parameters: Record<string, string>; plugs: Record<string, string> } | { command: CommandLine };
  /** `off`: the node stays shut until it is opened again. `reboot`: it comes back by itself. */
  action: 'off' | 'reboot';
  /** When what was shut by `off` is opened again: as soon as the node is heard and has let go of all, or by an operator only. */
  unfence: 'heard' | 'manual';
  timeoutMs: Ms;
}

export type Notification =
  | { kind: 'webhook'; url: string }
  | { kind: 'mail'; to: string[]; from: string; server: string }
  | { kind: 'snmp'; host: string; port: number; community: string }
  | { kind: 'exec'; command: CommandLine };

export interface Cluster {
  name: string;
  /** Path of the key file. */
  key: string;
  nets: Net[];
  nodes: ClusterNode[];
  timing: Timing;
  port: number;
  /** Quorum as in the file. Absent: majority of nodes. */
  quorum?: 'none' | Quorum;
  /** What keeps a node without lease from serving. */
  fence: 'gate' | 'lifetime' | 'none';
  fenceAgents: FenceAgent[];
  packages: Package[];
  /** The web page. Absent: off. */
  console?: { listen: string; control: boolean };
  notify: Notification[];
  /** Which NICs hang on which switch, `alpha.eth0`: hints for `audit`. */
  switches?: Record<string, string[]>;
  /** Write the flight recording. */
  record: boolean;
  log: { level: 'trace' | 'debug' | 'info' | 'warn' | 'error'; file?: string; keep: number };
  /** Group that may use the control socket. */
  group?: string;
  /** SHA-256 of the canonical content, hex. */
  digest: string;
}

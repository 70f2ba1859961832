/**
 * The port between a drill and a world that can be built and broken. Two stand behind it: `namespaces` (this kernel,
 * real daemons, real clients) and `simulator` (memory and virtual time). One scenario runs on both.
 */
import type { Fault, Scenario } from '../src/drill/scenario.js';
import type { Ms } from '../src/input.js';
import type { JournalEntry, NodeStatus } from '../src/status.js';

/** Kernel truth of one node: what its tables say, whatever its daemon thinks. */
export interface NodeTruth {
  /** NIC → addresses `10.77.0.1/24`, link-local ones left out, sorted. */
  addresses: Record<string, string[]>;
  /** `ip route show table all` in canonical text, one line a route, sorted, kernel-made ones (protocol kernel, local table) left out: `default via 10.77.0.254 dev eth0 metric 100`. */
  routes: string[];
}

/** What one client measured against one address. Times are the drill's. */
export interface ProbeReport {
  client: string;
  address: string;
  /** One probe each millisecond: every gap between answers of more than 5 ms, as [start, end). An unfinished one ends at the time of asking. */
  gaps: { fromMs: Ms; toMs: Ms }[];
  sent: number;
  answered: number;
}

export interface TcpReport {
  client: string;
  address: string;
  /** The connection made at the start is still the same one, and bytes went both ways in the last second. */
  alive: boolean;
  /** Longest pause between echoed bytes. */
  pauseMaxMs: Ms;
}

/** A time in which two or more nodes answered for one floating address, as the watcher on the switch saw. */
export interface Overlap {
  address: string;
  nodes: string[];
  fromMs: Ms;
  toMs: Ms;
}

/** A time in which a node answered for a floating address, as the watcher saw. */
export interface Hold {
  address: string;
  node: string;
  fromMs: Ms;
  toMs: Ms;
}

/** A time in which frames under a MAC came from one NIC, and from no other of those in view. */
export interface Stay {
  mac: string;
  node: string;
  nic: string;
  fromMs: Ms;
  toMs: Ms;
}

/** Frames of one client's view: gratuitous ARP and unsolicited neighbour advertisements that arrived at it. */
export interface AnnouncementSeen {
  at: Ms;
  client: string;
  address: string;
  mac: string;
  form: 'arp-request' | 'arp-reply' | 'neighbour-advertisement';
}

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Lab {
  readonly name: 'simulator' | 'kernel';
  /** Lets every run of a daemon write a flight recording, whatever its cluster file says, into that folder, `alpha-000001.jsonl`: all are there once the lab is destroyed. To be asked before `build`. */
  record(folder: string): void;
  /** Builds the topology and its clients; does not start daemons. */
  build(scenario: Scenario): Promise<void>;
  startDaemon(node: string): Promise<void>;
  /** Milliseconds since the drill began, that is since all daemons were ready. */
  now(): Ms;
  /** Zero of `now`. */
  begin(): void;
  /** Lets the world run until that moment of the drill. */
  runUntil(at: Ms): Promise<void>;
  inflict(fault: Fault): Promise<void>;
  heal(fault: Fault): Promise<void>;
  /** An operator's command on that node, `['link', 'switch', ...]`. */
  operate(node: string, command: string[]): Promise<CommandResult>;
  /** The same, but nobody waits for the answer. */
  ask(node: string, command: string[]): void;
  truth(node: string): Promise<NodeTruth>;
  /** Null while no daemon answers. */
  status(node: string): Promise<NodeStatus | null>;
  /** All journal entries of all nodes so far, by time; `at` is the drill's. */
  journal(): (JournalEntry & { node: string })[];
  probes(): ProbeReport[];
  connections(): TcpReport[];
  announcements(): AnnouncementSeen[];
  /** Node that the watcher last saw answer for that floating address, within its last two questions; null: nobody. */
  holder(address: string): string | null;
  /** Every node that the watcher ever saw answer for that floating address, the first one first. */
  holders(address: string): string[];
  /** By address and time; times before the drill's first moment are below 0. */
  holds(): Hold[];
  /** Every question the watcher asked is answered by one node at most, else it is here. */
  overlaps(): Overlap[];
  /** Where MACs that may move were sent from, each MAC's stays by time. */
  stays(): Stay[];
  /** The MAC that the client has for that address; null: none. */
  neighbour(client: string, address: string): Promise<string | null>;
  /** Datagrams of a multicast stream from a client that a receiver on that node got since `since`; see Scenario `multicast`. */
  multicastReceived(node: string, since: Ms): number;
  /** Removes all that was built; safe to call twice, and after a failed build. */
  destroy(): Promise<void>;
}

/** Why a lab cannot run here (`needs root`), or null. */
export type LabRefusal = string | null;

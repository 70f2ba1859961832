/**
 * All that a node may ask for, as one closed union in the imperative. A driver performs them in the order given;
 * what comes of them comes back as inputs. There are no timer actions: deadlines live in the state.
 */
import type { Address, Ms, Neighbour, Route } from './input.js';
import type { ArbiterRequest } from './membership/arbiter-record.js';
import type { JournalEntry, OperatorAnswer } from './status.js';

/** One change of the kernel's state. Each is idempotent: done twice it is done once (the driver takes EEXIST on add, ENOENT, ESRCH and EADDRNOTAVAIL on delete for done). */
export type Step =
  /** `renew`: it is there already, and its flags and lifetimes become these (RTM_NEWADDR with REPLACE; a driver that leaves it as it is does no harm). */
  | { do: 'add-address'; nic: string; address: Address; renew?: true }
  | { do: 'delete-address'; nic: string; address: Address }
  /** RTM_NEWROUTE with CREATE and REPLACE: takes the place of the route with the same key (destination, tos, metric, table). */
  | { do: 'replace-route'; route: Route }
  /** RTM_NEWROUTE with CREATE and APPEND: IPv4, and IPv6 routes without a gateway, which make no multipath. */
  | { do: 'append-route'; route: Route }
  | { do: 'delete-route'; route: Route }
  | { do: 'set-neighbour'; nic: string; neighbour: Neighbour }
  | { do: 'delete-neighbour'; nic: string; neighbour: Neighbour }
  /** Forgets what the NIC has learnt of its neighbours, questions under way among it; permanent entries stay. */
  | { do: 'flush-neighbours'; nic: string }
  | { do: 'join-group'; nic: string; group: string }
  | { do: 'leave-group'; nic: string; group: string }
  /** A macvlan in bridge mode on the NIC `below`, set down. One that is there with that MAC on that NIC counts as done, whatever its state. */
  | { do: 'add-macvlan'; nic: string; below: string; mac: string; alias: string }
  /** Refused (EPERM) for a device without baton's mark in its alias. */
  | { do: 'delete-macvlan'; nic: string }
  /** While it is up, if its driver can; else the NIC is set down for it, which costs what a NIC loses by that. Its learnt neighbours are forgotten. */
  | { do: 'set-mac'; nic: string; mac: string }
  /** IFF_UP. */
  | { do: 'set-link'; nic: string; up: boolean }
  /** A file below /proc/sys/net, `{nic}` already filled in: `ipv4/conf/eth0/arp_ignore`. */
  | { do: 'set-sysctl'; nic: string; name: string; value: string };

/** What a program is run with. */
export interface RunAgentWords {
  command: string[];
  /** All that it can read there. */
  stdin: string;
  /** On top of a clean one. */
  environment: Record<string, string>;
  /** Then its process group is killed. */
  withinMs: Ms;
  /** Bytes of its output that are kept, of the end. */
  outputMax: number;
  /** Masked in the output. */
  secrets: string[];
}

export type Action =
  /**
   * One Ethernet frame out of one NIC, without FCS. `until`: not from that moment on, for the right to say it is over then;
   * asked again right before it is sent (MEMBERSHIP G7).
   */
  | { kind: 'send-frame'; nic: string; bytes: Uint8Array; until?: Ms }
  /** ICMP or ICMPv6 echo request to an on-link target out of a NIC that has an address. */
  | { kind: 'send-echo'; nic: string; target: string }
  /**
   * Done by the hands, in order; `record` is put into the run directory first (write, rename), so that a daemon killed
   * half-way finds it. On a failed step the `undo` of those already done run in reverse, if given.
   * Result: `host-changed` with this id, followed by `host-observed` of the NICs touched.
   */
  | { kind: 'change-host'; id: number; steps: Step[]; undo?: Step[]; record?: RunRecord }
  /** Put into the run directory, in order with `change-host`. */
  | { kind: 'persist'; record: RunRecord }
  /** Out of that NIC, from that local address and the cluster file's port, to the same port of `to`. */
  | { kind: 'send-datagram'; nic: string; from: string; to: string; bytes: Uint8Array }
  /** One frame out of the serial line; what cannot go out soon is lost. */
  | { kind: 'send-serial'; bytes: Uint8Array }
  /**
   * The durable record: whole, into a new file, synced, renamed, directory synced (MEMBERSHIP 2). In the order asked for;
   * of several that wait only the newest need be written, and its `persisted` stands for those before it.
   */
  | { kind: 'store'; id: number; record: unknown }
  /** One at a time; no answer within `withinMs` is the answer `unknown`. */
  | { kind: 'ask-arbiter'; id: number; request: ArbiterRequest; withinMs: Ms }
  /**
   * What the gate lets speak: these floating addresses, until `leaseEnd` of this node's clock. Armed, checked and written
   * as MEMBERSHIP G2 to G4 say; with `leaseEnd` null it is closed at once, unarmed. Of several that wait only the newest is
   * written. Result: `gate-written`.
   */
  | { kind: 'write-gate'; id: number; held: string[]; leaseEnd: Ms | null }
  /**
   * One program with its arguments, without a shell, in a process group of its own. It must be root's alone (DESIGN 13).
   * `id`: the stage that asks, and its count: `fence 3`. Several may run at a time. Result: `agent-exited`.
   */
  | ({ kind: 'run-agent'; id: string } & RunAgentWords)
  /** Its process group is killed; its `agent-exited` comes all the same. */
  | { kind: 'end-agent'; id: string }
  /** Look again at these NICs. */
  | { kind: 'observe'; nics: string[] }
  | { kind: 'journal'; entry: JournalEntry }
  | { kind: 'answer-operator'; id: number; answer: OperatorAnswer }
  /** The last action ever: all before it that went to the hands are done when the process exits. */
  | { kind: 'exit'; code: number };

/** Two files of the run directory: `switch` → switch.json, `ledger` → ledger.json. Absent: leave as it is. */
export interface RunRecord {
  switch?: unknown;
  ledger?: unknown;
}

export type { Ms };

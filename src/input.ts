/**
 * All that can happen to a node, as one closed union in the past tense. The drivers make inputs; `node.ts` takes them.
 *
 *   driver (linux, simulator) ──Input──▶ node.step(now, input) ──Action[]──▶ driver
 *
 * Everything here is plain data: it goes over `postMessage`, into the flight recorder as one JSON line, and back.
 */
import type { ArbiterAnswer } from './membership/arbiter-record.js';
import type { OperatorRequest } from './status.js';

/** Monotonic milliseconds of the reader's own clock. Fractions are allowed; the zero point means nothing. */
export type Ms = number;

/** One address as rtnetlink shows it (RTM_NEWADDR). */
export interface Address {
  family: 4 | 6;
  /** Canonical text without prefix length (RFC 5952 for IPv6). */
  local: string;
  prefixLength: number;
  /** Peer of a point-to-point address; absent when it equals `local`. */
  peer?: string;
  broadcast?: string;
  /** IFA_LABEL as found; the driver renames `eth0:1` to the new NIC's name where the label starts with the NIC's own name. */
  label?: string;
  scope: number;
  /** IFA_F_* bits as the kernel shows them (also tentative, dadfailed, secondary: the planner masks those). */
  flags: number;
  /** Seconds that were left when observed; absent: forever. */
  validS?: number;
  preferredS?: number;
  /** IFA_PROTO (Linux 5.18); absent: 0. */
  protocol?: number;
  /** IFA_RT_PRIORITY: metric of its prefix route. */
  metric?: number;
}

export interface NextHop {
  nic: string;
  gateway?: string;
  /** RTNH_F_* bits that a user sets (onlink, pervasive). */
  flags: number;
  /** rtnh_hops: weight minus one. */
  hops: number;
  /** As `Route.other`, of this leg. */
  other?: Record<string, string>;
}

/** One route as rtnetlink shows it (RTM_NEWROUTE). The text forms are canonical, so equal routes are equal texts. */
export interface Route {
  family: 4 | 6;
  /** `10.0.0.0/8`; a default route is `0.0.0.0/0` or `::/0`. */
  destination: string;
  source?: string;
  table: number;
  protocol: number;
  scope: number;
  /** RTN_UNICAST 1 and so on. */
  type: number;
  tos: number;
  /** RTA_PRIORITY; absent: 0 for IPv4, 1024 for IPv6 (the kernel's own default is filled in by it). */
  metric?: number;
  nic: string;
  /** Next hop of the same family, or of the other one (RTA_VIA). */
  gateway?: string;
  preferredSource?: string;
  /** RTNH_F_* bits that a user sets (onlink 4, pervasive 2). */
  flags: number;
  /** RTAX_* number → value (mtu, advmss, window, ...). RTAX_LOCK (1) is the mask of locked ones. */
  metrics?: Record<string, number>;
  /** RTA_PREF of IPv6 (RFC 4191). */
  preference?: number;
  /** Seconds left when observed; absent: forever. */
  expiresS?: number;
  /** Multipath legs, this NIC's among them; absent for a plain route. */
  nextHops?: NextHop[];
  /** RTA_NH_ID: a nexthop object. Such routes are named, never moved. */
  nextHopId?: number;
  /** Attributes that baton has no name for, kept verbatim: rta_type → payload in hex; a text among the metrics is `8.16`. */
  other?: Record<string, string>;
}

export interface Neighbour {
  family: 4 | 6;
  address: string;
  mac: string;
  /** NUD_* state bits: 0x80 is permanent. */
  state: number;
  /** NTF_* bits (router 0x80, proxy 0x08). */
  flags: number;
  /** NDA_PROTOCOL (Linux 4.20); absent: 0. */
  protocol?: number;
}

/**
 * One port of a bond or team. `active`: it sends for all, alone or with others; `backup`: it waits; `up`: it has carrier, and
 * the kernel does not say which of the two (a team); `down`: no carrier, set down, or the bond has given it up.
 */
export interface LagPort {
  nic: string;
  state: 'active' | 'backup' | 'up' | 'down';
}

/** What the kernel says of one NIC, whole. `settings` holds the sysctls that baton sets or reads, by the names of `takeover/settings`. */
export interface NicObservation {
  nic: string;
  ifindex: number;
  /** `02:00:00:00:00:01`. */
  mac: string;
  mtu: number;
  /** ARPHRD_*: 1 is Ethernet. */
  linkType: number;
  /** IFLA_INFO_KIND (`veth`, `bond`, `vlan`); absent for most physical cards. */
  kind?: string;
  /** The NIC that a macvlan lives on. */
  below?: string;
  /** Name of the bridge, bond, team or VRF it is a port of. */
  master?: string;
  masterKind?: string;
  /** IFF_UP. */
  admin: boolean;
  carrier: boolean;
  addresses: Address[];
  /** Every route with a leg over this NIC, all tables, but those of type local, broadcast, multicast and anycast. */
  routes: Route[];
  /** Permanent ones, and those of gateways and peers. */
  neighbours: Neighbour[];
  /** IPv4 and IPv6 multicast groups joined on the NIC (`/proc/net/igmp`, `igmp6`), without those that the kernel joins by itself. */
  groups: string[];
  settings: Record<string, string>;
  /** Of a bond or team, and of a VLAN on one: its ports, by name. Absent for every other kind of NIC. */
  ports?: LagPort[];
  /** Names of its VLAN, macvlan and ipvlan children: they are named to the operator, not moved. */
  children: string[];
}

/** Lock-free counters of one NIC (sysfs `statistics/*`, `carrier_changes`). */
export interface Counters {
  nic: string;
  rxPackets: number;
  txPackets: number;
  /** Frames received to link-local group addresses 01:80:c2:00:00:0x: not counted as moving. */
  rxLinkLocal: number;
}

export interface SwitchFailure {
  /** Index of the step that failed. */
  step: number;
  /** `EEXIST`. */
  code: string;
  /** The kernel's own text (extended ack) or strerror. */
  text: string;
}

export type GateOutcome = { ok: true } | { ok: false; why: 'late' } | { ok: false; why: 'failed'; text: string };

/**
 * How a program ended. `timed-out`, `ended` (by `end-agent`, or with the daemon): its process group was killed. `refused`: it
 * was not run, and why.
 */
export type AgentOutcome =
  | { how: 'exited'; code: number }
  | { how: 'killed'; signal: string }
  | { how: 'timed-out' }
  | { how: 'ended' }
  | { how: 'refused'; text: string };

export type Input =
  /**
   * First of all. `run` is what an earlier run left in the run directory (`switch.json` and `ledger.json`), null if nothing
   * or damaged. `durable`: the record of the state directory (`state.record`), null if there is none or its checksum fails,
   * which `damaged` tells apart. `hostUpMs`: since the host's start.
   */
  | {
      kind: 'started';
      run: { switch: unknown; ledger: unknown } | null;
      durable: unknown;
      damaged: boolean;
      hostUpMs: Ms;
    }
  /** Fresh truth about the NICs named, macvlans of floating addresses among them; NICs of the cluster file that do not exist are in `missing`. Sent at start, and within milliseconds of any change of it. */
  | { kind: 'host-observed'; nics: NicObservation[]; missing: string[] }
  /**
   * From the lock-free poll, each `carrierPoll`, only when it differs from the last one sent. `blinked`: up, as it was at the
   * last poll, and lost and regained in between.
   */
  | { kind: 'carrier-changed'; nic: string; state: 'up' | 'down' | 'admin' | 'missing' | 'blinked' }
  /** Each `poll`. */
  | { kind: 'counters-read'; counters: Counters[] }
  /** One Ethernet frame of a protocol that baton asked for (poll frames; ARP; NDP), without FCS. */
  | { kind: 'frame-received'; nic: string; bytes: Uint8Array }
  | { kind: 'echo-answered'; nic: string; target: string }
  /** Outcome of `change-host`: all steps done, or the failed one; `undone` tells whether the done ones were taken back. */
  | { kind: 'host-changed'; id: number; failed?: SwitchFailure; undone: boolean }
  /** One UDP datagram to the heartbeat socket of that NIC and local address, from that source address. */
  | { kind: 'datagram-received'; nic: string; to: string; from: string; bytes: Uint8Array }
  /** One frame off the serial line, its checksum right. */
  | { kind: 'serial-received'; bytes: Uint8Array }
  /** The line's device was opened, or it cannot be, or is gone, and why (`ENOENT: no such file or directory`). It is tried again and again. */
  | { kind: 'serial-changed'; state: 'up' | 'down'; text: string }
  /** Outcome of `store`: synced, its directory too; or why not (`ENOSPC`). */
  | { kind: 'persisted'; id: number; failed?: { code: string; text: string } }
  | { kind: 'arbiter-answered'; id: number; answer: ArbiterAnswer }
  /**
   * Outcome of `write-gate`, of the newest of those that waited together. `late`: the kernel refused the batch, or the lease
   * left too little; the gate is as it was. `tookMs`: from the arming to the kernel's answer.
   */
  | { kind: 'gate-written'; id: number; outcome: GateOutcome; tookMs: Ms }
  /** The gate's rules or sets are not as they were written: somebody flushed them. They are put back, closed; the next `write-gate` opens. */
  | { kind: 'gate-lost'; text: string }
  /** Outcome of `run-agent`. `output`: the end of stdout and stderr together, secrets masked. */
  | { kind: 'agent-exited'; id: string; outcome: AgentOutcome; output: string; tookMs: Ms }
  /**
   * What the key file holds now, by ids, the newest last; each can be sealed and opened with from now on. `trouble`: it cannot
   * be read, and why; then there are none.
   */
  | { kind: 'keys-read'; keys: string[]; trouble?: string }
  | { kind: 'operator-asked'; id: number; request: OperatorRequest }
  /** `restart`: everything stays, the next start adopts it. `stop`: addresses go home, settings are put back. */
  | { kind: 'stop-asked'; how: 'stop' | 'restart' }
  /** The engine itself slept; sent before anything that waited meanwhile. */
  | { kind: 'stalled'; forMs: Ms }
  /** The deadline has come, and every socket was drained first. */
  | { kind: 'woke' };

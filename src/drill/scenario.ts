/**
 * The scenario language: topology, cluster file, timed steps, expectations. One YAML file, two labs (DESIGN 14).
 * This file is the schema and the fault grammar; `drill.ts` runs it and judges.
 */
import { z } from 'zod';
import type { Ms } from '../input.js';

/** `250ms`, `2s`, `1m` → milliseconds. */
export const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m)$/, 'a duration such as 250ms, 2s or 1m')
  .transform((text): Ms => parseFloat(text) * (text.endsWith('ms') ? 1 : text.endsWith('s') ? 1000 : 60_000));

const name = z.string().regex(/^[a-z][a-z0-9]{0,11}$/, 'a short lower-case name');

const client = z.strictObject({
  switch: name,
  addresses: z.array(z.string()).min(1),
  /** Addresses that it pings each millisecond. */
  probes: z.array(z.string()).default([]),
  /** Addresses to which it keeps one TCP connection, echoing a line each 10 ms. */
  tcp: z.array(z.string()).default([]),
  /** Its neighbour cache never asks again by itself: it learns a new MAC only when told. */
  stuck: z.boolean().default(false),
});

/** A device that shuts nodes from outside. Its command is `/lab/NAME` of that topology, for `fenceAgents`. */
const fenceDevice = z.strictObject({
  /** `ports`: it closes the node's ports at switches, and opens them again. */
  shuts: z.enum(['power', 'ports']).default('ports'),
  /** Of `ports`: at these switches only; none named: at all. */
  switches: z.array(name).default([]),
  /** From the command to its end. */
  takes: duration.default(50),
});

const topology = z.strictObject({
  switches: z.array(name).min(1),
  /** `left-right` joins two switches. */
  trunks: z.array(z.string().regex(/^[a-z0-9]+-[a-z0-9]+$/)).default([]),
  /** node → NIC → switch. */
  nodes: z.record(name, z.record(z.string(), name)),
  /** node → NIC that is a bond (active-backup, miimon 100) or team → which of the node's cards are its ports. */
  lags: z
    .record(
      name,
      z.record(
        z.string(),
        z.strictObject({ ports: z.array(z.string()).min(1), kind: z.enum(['bond', 'team']).default('bond') }),
      ),
    )
    .default({}),
  clients: z.record(name, client).default({}),
  fences: z.record(name, fenceDevice).default({}),
  /** An etcd (simulator: a register like it) on that client; the cluster file names it by the client's address, port 2379. */
  arbiter: name.optional(),
  /** Further members of that etcd, on these clients. Kernel lab only: the simulator's register is one. */
  members: z.array(name).default([]),
  /**
   * Kernel lab: `plain` veth (iflink differs from ifindex, carrier events at once) or `physical`
   * (iflink = ifindex: the kernel holds carrier events back as on a physical card).
   */
  cards: z.enum(['plain', 'physical']).default('plain'),
  /** node → lines as for `ip route add` / `ip -6 route add`, put in before the daemon starts, after the addresses of the file. */
  routes: z.record(name, z.array(z.string())).default({}),
  /** node → lines as for `ip neigh add` (permanent ones). */
  neighbours: z.record(name, z.array(z.string())).default({}),
  /** node → rules as for `nft -f`, loaded before the daemon starts. Kernel lab only. */
  firewall: z.record(name, z.string()).default({}),
  /** node → addresses that it pings each millisecond out of its own namespace, as a client does. */
  asking: z.record(name, z.array(z.string())).default({}),
  /** A receiver on that node joins the group on its primary NIC, a client sends to it every 20 ms. */
  multicast: z.strictObject({ node: name, nic: z.string(), group: z.string(), from: name }).optional(),
  /** Do the addresses of the cluster file lie on the primaries before the daemon starts? `no`: the daemon must raise them. */
  addressesAtBoot: z.boolean().default(true),
});

const health = z
  .string()
  .regex(/^(up|suspect|down)( [a-z-]+)?$/, 'a health such as "up", "up split" or "down carrier"');

/** What must come true; every line given must. */
const expectation = z.strictObject({
  within: duration.default(2000),
  /** It must hold from the first moment until `within` is over, instead of once. */
  throughout: z.boolean().default(false),
  /** address → `alpha.eth1`: on exactly this NIC and no other of the node. */
  carried: z.record(z.string(), z.string()).optional(),
  /** `alpha.eth0` → `down carrier`: as status says. */
  health: z.record(z.string(), health).optional(),
  /** `alpha.bond0` → its ports, as status says. */
  ports: z.record(z.string(), z.record(z.string(), z.enum(['active', 'backup', 'up', 'down']))).optional(),
  /** Journal events since the step: event → exact count, per node: `alpha switch-done: 1`. */
  events: z.record(z.string(), z.number().int()).optional(),
  /** Routes of these nodes equal those at the beginning, device aside. */
  routesKept: z.array(name).optional(),
  /** Node → words that must all stand among its alarms' `what`. */
  alarms: z.record(name, z.array(z.string())).optional(),
  multicast: z.boolean().optional(),
  /** Clients' probes of that address are answered now. */
  answers: z.array(z.string()).optional(),
  /** `client 10.77.0.100` → the MAC that it has for the address in its neighbour table. */
  neighbour: z.record(z.string(), z.string()).optional(),
  /** Nobody answers for these. */
  dark: z.array(z.string()).optional(),
  /** Package → node that answers for all its addresses, seen on the wire; null: nobody does. */
  holder: z.record(z.string(), z.string().nullable()).optional(),
  /** All daemons that answer name this coordinator; null: there is none; `any`: the same one. */
  coordinator: z.string().nullable().optional(),
  /** `alpha.beta` → what alpha says of beta. */
  peers: z.record(z.string(), z.enum(['alive', 'suspect', 'lost', 'left', 'unheard'])).optional(),
  /** `alpha.beta.private1` → as alpha says: `up`, `down`, `up rerouted`. */
  paths: z.record(z.string(), z.string()).optional(),
  /** Node → words none of which may stand among its alarms' `what`; an empty list: it has no alarm at all. */
  noAlarms: z.record(name, z.array(z.string())).optional(),
  /** Node → who votes, as it says: names, `@arbiter` among them. Voters that are being changed are none of these. */
  voters: z.record(name, z.array(z.string())).optional(),
  /** Node → what it waits for, the beginning of its words. */
  waiting: z.record(name, z.string()).optional(),
  /** Node → its gate. */
  gate: z.record(name, z.enum(['open', 'closed', 'off'])).optional(),
});

const step = z
  .strictObject({
    at: duration,
    /** A sentence for whoever watches. */
    say: z.string().optional(),
    fault: z.string().optional(),
    heal: z.string().optional(),
    /** `alpha: link switch --net public` */
    do: z.string().optional(),
    /** Exit code of `do`. */
    exit: z.number().int().default(0),
    expect: expectation.optional(),
  })
  .refine(
    (s) => [s.say, s.fault, s.heal, s.do, s.expect].some((x) => x !== undefined),
    'a step needs say, fault, heal, do or expect',
  );

/** Bounds per lab where the real clock is noisy: one duration for both, or `{ simulator, kernel }`. */
const bound = z.union([duration, z.strictObject({ simulator: duration, kernel: duration })]);

export const scenarioSchema = z.strictObject({
  title: z.string(),
  /** Labs it is for; both, unless the fault exists on one only: then `why` says so. */
  labs: z.array(z.enum(['simulator', 'kernel'])).default(['simulator', 'kernel']),
  why: z.string().optional(),
  topology,
  /** The cluster file without `cluster` and `key`, which the drill adds. */
  cluster: z.record(z.string(), z.unknown()),
  /** Nodes whose cluster file or key differs: the file's top level keys that are replaced; `key: other` for another key. */
  differs: z.record(name, z.record(z.string(), z.unknown())).default({}),
  /** The file's top level keys that `new-file` replaces. */
  later: z.record(z.string(), z.unknown()).default({}),
  /** Faults in force before the daemons start. */
  before: z.array(z.string()).default([]),
  steps: z.array(step),
  /** Length of the drill. */
  until: duration,
  always: z
    .strictObject({
      /** address → longest gap that any client may see in the whole drill. */
      outage: z.record(z.string(), bound).default({}),
      /** All TCP connections live at the end. */
      tcp: z.boolean().default(true),
      /** No switch at all. */
      still: z.boolean().default(false),
      /** No package moves, no lease is lost. */
      unmoved: z.boolean().default(false),
      /** Two nodes may answer for one floating address for so long in all. */
      twoHolders: duration.default(0),
    })
    .prefault({}),
});

export type Scenario = z.infer<typeof scenarioSchema> & { name: string };
export type ScenarioStep = Scenario['steps'][number];
export type Expectation = z.infer<typeof expectation>;

export interface NicRef {
  node: string;
  nic: string;
}

/** Blows at the arbiter, wherever it is, and those that only disks know. */
export type ArbiterFault = Extract<Fault, { fault: `arbiter-${string}` }>;
const DISK_FAULTS: readonly string[] = [
  ...['arbiter-slow', 'arbiter-torn', 'arbiter-stale'],
  ...['arbiter-read-only', 'arbiter-full', 'arbiter-foreign'],
];
export type DiskOnlyFault = Exclude<
  ArbiterFault,
  { fault: 'arbiter-off' | 'arbiter-freeze' | 'arbiter-forget' | 'arbiter-backup' | 'arbiter-restore' }
>;

export function isArbiterFault(fault: Fault): fault is ArbiterFault {
  return fault.fault.startsWith('arbiter-');
}

export function isDiskOnly(fault: ArbiterFault): fault is DiskOnlyFault {
  return DISK_FAULTS.includes(fault.fault);
}

/** A fence device that hangs, fails, says that it is done and does nothing, or takes so much longer. */
export type FenceFault =
  | { fault: 'fence-hang' | 'fence-fail' | 'fence-lie'; device: string }
  | { fault: 'fence-slow'; device: string; forMs: Ms };

/** Blows at the serial line. */
export type SerialFault = Extract<Fault, { fault: `serial-${string}` }>;

/** A blow, as `inflict` and `heal` take it. */
export type Fault =
  /** The cable is out: carrier lost at the node. */
  | { fault: 'cut'; at: NicRef }
  /** Frames vanish, the carrier stays. `in`: towards the node. */
  | { fault: 'drop'; direction: 'in' | 'out' | 'both'; at: NicRef }
  /** The switch takes frames with the NIC's own MAC only, by that port (port security). */
  | { fault: 'bind-port'; at: NicRef }
  /** Random loss both ways; `at` absent: on every cable. */
  | { fault: 'loss'; percent: number; at?: NicRef }
  | { fault: 'trunk'; trunk: string }
  /** The switch loses power: every port loses its carrier. */
  | { fault: 'switch-off'; switch: string }
  /** The switch forwards nothing, carriers stay. */
  | { fault: 'switch-mute'; switch: string }
  | { fault: 'admin-down'; at: NicRef }
  /** The card is taken out; heal puts a new one with the same name and MAC in. */
  | { fault: 'delete'; at: NicRef }
  | { fault: 'rename'; at: NicRef; to: string }
  /** Cable out and in again, `times` times; ends by itself with the cable in. */
  | { fault: 'flap'; at: NicRef; downMs: Ms; upMs: Ms; times: number }
  /** The client's port is dead both ways: a target that dies. */
  | { fault: 'client-off'; client: string }
  /** SIGKILL to the daemon; heal starts it again. */
  | { fault: 'kill'; node: string }
  /** SIGKILL as the hands are about to make their n-th change (from 1) of the kernel, counted from now; heal starts it again. */
  | { fault: 'kill-at'; node: string; step: number }
  /** SIGHUP, then started again at once. */
  | { fault: 'restart'; node: string }
  /** SIGTERM; heal starts it again. */
  | { fault: 'stop'; node: string }
  /** SIGSTOP; heal is SIGCONT. */
  | { fault: 'freeze'; node: string }
  /** The whole node goes dark without warning: its links are cut and its processes killed. Heal: it boots again, with its disk. */
  | { fault: 'power-off'; node: string }
  /** SIGSTOP for so long; ends by itself. */
  | { fault: 'freeze-for'; node: string; forMs: Ms }
  /** Frames come twice, on every cable or on one. */
  | { fault: 'duplicate'; percent: number; at?: NicRef }
  /** Frames overtake each other. */
  | { fault: 'reorder'; percent: number; at?: NicRef }
  /** All frames of baton that this switch has seen since the drill's start are played again, once. */
  | { fault: 'replay'; switch: string }
  /** No frame from one node reaches the other, on any net; the way back works. `arbiter` may stand for either. */
  | { fault: 'block'; from: string; to: string }
  /** Groups of nodes that do not hear each other, on any net; `arbiter` may stand in one, else all reach it. */
  | { fault: 'split'; groups: string[][] }
  | FenceFault
  /** The serial line is out at one end, and nobody is told. */
  | { fault: 'serial-cut' }
  /** The adapter is taken out of that node: its device is gone. */
  | { fault: 'serial-unplug'; node: string }
  /** So many of all bytes are damaged, lost, or followed by one that nobody sent. */
  | { fault: 'serial-noise'; percent: number }
  /** Heal starts it again, with its data. */
  | { fault: 'arbiter-off'; member?: string }
  | { fault: 'arbiter-freeze'; member?: string }
  /** Its data is lost; ends by itself. */
  | { fault: 'arbiter-forget' }
  /** Etcd only: its data are as they were at the drill's last `arbiter-backup`, which takes it. */
  | { fault: 'arbiter-backup' | 'arbiter-restore' }
  /** Disks only: each write and read takes so much longer. */
  | { fault: 'arbiter-slow'; byMs: Ms }
  /** Disks only: that node's block fails its checksum, until the node writes it again. */
  | { fault: 'arbiter-torn'; node: string }
  /** Disks only: reads show what was there when it began; writes are refused, for want of right or of room; they hold another cluster's arbiter. */
  | { fault: 'arbiter-stale' | 'arbiter-read-only' | 'arbiter-full' | 'arbiter-foreign' }
  /** A stranger, on that client, has this address too, and says so. */
  | { fault: 'claim'; client: string; address: string }
  /** Somebody adds this address to the NIC by hand, with prefix length. Heal: takes it off if it is still there. */
  | { fault: 'add-address'; at: NicRef; address: string }
  /** `nft flush ruleset`, once. */
  | { fault: 'flush-firewall'; node: string }
  /** The clock of the node runs wrong by so many parts per million. Simulator only. */
  | { fault: 'drift'; node: string; ppm: number }
  /** The state directory takes nothing: ENOSPC. */
  | { fault: 'disk-full'; node: string }
  /** The state directory is empty when the daemon next starts. */
  | { fault: 'disk-lost'; node: string }
  /** Its cluster file is replaced by the later one; the daemon reads that when it next starts. */
  | { fault: 'new-file'; node: string }
  /** The key file of one node is copied to another. */
  | { fault: 'copy-key'; from: string; to: string }
  /** Kernel lab only: so many processes that do nothing but run. */
  | { fault: 'cpu-busy'; processes: number }
  /** Kernel lab only: a firewall with a set of 100,000 elements is loaded again and again on that node. */
  | { fault: 'firewall-busy'; node: string }
  /** Another program removes this address once. */
  | { fault: 'remove-address'; node: string; address: string }
  /** A network manager minds this NIC: at carrier loss it strips addresses and routes off it, at carrier return it puts back what it had seen. */
  | { fault: 'manager'; at: NicRef }
  /** Kernel lab only: hundreds of veths are made and deleted, so that rtnl is held for long. */
  | { fault: 'rtnl-busy' };

const NIC = /^([a-z0-9]+)\.([\w-]+)$/;

function nicRef(text: string | undefined): NicRef {
  const match = NIC.exec(text ?? '');
  if (!match) throw new Error(`"${text ?? ''}" is not a NIC; write node.nic, such as alpha.eth0`);
  return { node: match[1]!, nic: match[2]! };
}

function required(text: string | undefined, what: string): string {
  if (text === undefined) throw new Error(`${what} is missing`);
  return text;
}

function percentage(verb: string, text: string | undefined, form = /^(\d{1,3})%$/): number {
  const percent = form.exec(text ?? '')?.[1];
  if (percent === undefined || Number(percent) > 100)
    throw new Error(`${verb} needs a percentage such as 30%, not "${text ?? ''}"`);
  return Number(percent);
}

/** `drop in alpha.eth0` → Fault. Throws an Error whose message says what is wrong. */
export function parseFault(text: string): Fault {
  const words = text.trim().split(/\s+/);
  const [verb, a, b] = words;
  switch (verb) {
    case 'cut':
    case 'bind-port':
    case 'admin-down':
    case 'delete':
    case 'manager':
      return { fault: verb, at: nicRef(a) };
    case 'drop':
      if (a !== 'in' && a !== 'out' && a !== 'both') throw new Error(`drop needs in, out or both, not "${a ?? ''}"`);
      return { fault: 'drop', direction: a, at: nicRef(b) };
    case 'loss': {
      const percent = percentage(verb, a);
      return b === undefined ? { fault: 'loss', percent } : { fault: 'loss', percent, at: nicRef(b) };
    }
    case 'trunk':
      return { fault: 'trunk', trunk: required(a, 'the trunk (left-right)') };
    case 'switch-off':
    case 'switch-mute':
      return { fault: verb, switch: required(a, 'the switch') };
    case 'rename':
      return { fault: 'rename', at: nicRef(a), to: required(b, 'the new name') };
    case 'flap': {
      const [, , down, up, times] = words;
      return {
        fault: 'flap',
        at: nicRef(a),
        downMs: duration.parse(down),
        upMs: duration.parse(up),
        times: Number(required(times, 'the number of times')),
      };
    }
    case 'client-off':
      return { fault: 'client-off', client: required(a, 'the client') };
    case 'kill':
    case 'restart':
    case 'stop':
    case 'freeze':
      return { fault: verb, node: required(a, 'the node') };
    case 'power-off':
    case 'flush-firewall':
    case 'disk-full':
    case 'disk-lost':
    case 'new-file':
    case 'firewall-busy':
      return { fault: verb, node: required(a, 'the node') };
    case 'freeze-for':
      return { fault: 'freeze-for', node: required(a, 'the node'), forMs: duration.parse(b) };
    case 'duplicate':
    case 'reorder': {
      const percent = percentage(verb, a);
      return b === undefined ? { fault: verb, percent } : { fault: verb, percent, at: nicRef(b) };
    }
    case 'replay':
      return { fault: 'replay', switch: required(a, 'the switch') };
    case 'block':
      return { fault: 'block', from: required(a, 'the node that is not heard'), to: required(b, 'the deaf node') };
    case 'split':
      return {
        fault: 'split',
        groups: required(a, 'the groups (alpha,beta|gamma)')
          .split('|')
          .map((g) => g.split(',')),
      };
    case 'arbiter-off':
    case 'arbiter-freeze':
      return a === undefined ? { fault: verb } : { fault: verb, member: a };
    case 'arbiter-forget':
    case 'arbiter-backup':
    case 'arbiter-restore':
    case 'arbiter-stale':
    case 'arbiter-read-only':
    case 'arbiter-full':
    case 'arbiter-foreign':
      return { fault: verb };
    case 'arbiter-slow':
      return { fault: verb, byMs: duration.parse(a) };
    case 'arbiter-torn':
      return { fault: verb, node: required(a, 'the node') };
    case 'serial-cut':
      return { fault: verb };
    case 'serial-unplug':
      return { fault: verb, node: required(a, 'the node') };
    case 'serial-noise':
      return { fault: verb, percent: percentage(verb, a, /^(\d{1,3}(?:\.\d+)?)%$/) };
    case 'fence-hang':
    case 'fence-fail':
    case 'fence-lie':
      return { fault: verb, device: required(a, 'the fence device') };
    case 'fence-slow':
      return { fault: 'fence-slow', device: required(a, 'the fence device'), forMs: duration.parse(b) };
    case 'claim':
      return { fault: 'claim', client: required(a, 'the client'), address: required(b, 'the address') };
    case 'add-address':
      return { fault: 'add-address', at: nicRef(a), address: required(b, 'the address') };
    case 'drift':
      return { fault: 'drift', node: required(a, 'the node'), ppm: Number(required(b, 'the parts per million')) };
    case 'copy-key':
      return { fault: verb, from: required(a, 'the node to copy from'), to: required(b, 'the node to copy to') };
    case 'cpu-busy':
      return { fault: 'cpu-busy', processes: Number(required(a, 'the number of processes')) };
    case 'kill-at':
      return { fault: 'kill-at', node: required(a, 'the node'), step: Number(required(b, 'the number of the step')) };
    case 'remove-address':
      return { fault: 'remove-address', node: required(a, 'the node'), address: required(b, 'the address') };
    case 'rtnl-busy':
      return { fault: 'rtnl-busy' };
    default:
      throw new Error(
        `unknown fault "${verb ?? ''}"; known: cut, drop, bind-port, loss, trunk, switch-off, switch-mute, admin-down, delete, rename, flap, client-off, kill, kill-at, restart, stop, freeze, remove-address, manager, rtnl-busy, power-off, freeze-for, duplicate, reorder, replay, block, split, arbiter-off, arbiter-freeze, arbiter-forget, arbiter-backup, arbiter-restore, arbiter-slow, arbiter-torn, arbiter-stale, arbiter-read-only, arbiter-full, arbiter-foreign, fence-hang, fence-fail, fence-lie, fence-slow, serial-cut, serial-unplug, serial-noise, claim, add-address, flush-firewall, drift, disk-full, disk-lost, new-file, copy-key, cpu-busy, firewall-busy`,
      );
  }
}

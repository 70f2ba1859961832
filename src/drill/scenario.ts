/**
 * The scenario language: topology, cluster file, timed steps, expectations. One YAML file, two labs (DESIGN 14).
 * This file is the schema, `fault.ts` the grammar of faults; `drill.ts` runs it and judges.
 */
import { z } from 'zod';
import { duration } from './fault.js';

export * from './fault.js';

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
  /** That etcd speaks TLS and demands a certificate; the cluster file gets the nodes' files. Kernel lab only. */
  certificates: z.boolean().optional(),
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
  /** Nodes whose kernel has no hook at the egress of packet sockets (before 5.16). Simulator only. */
  oldKernels: z.array(name).optional(),
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
  /** All is over for these nodes: they agree, and what they may run runs; where they are all nodes no alarm remains, either. */
  peace: z.array(name).optional(),
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
    /** As `do`, but nobody waits for the answer. */
    ask: z.string().optional(),
    /** Exit code of `do`. */
    exit: z.number().int().default(0),
    expect: expectation.optional(),
  })
  .refine(
    (s) => [s.say, s.fault, s.heal, s.do, s.ask, s.expect].some((x) => x !== undefined),
    'a step needs say, fault, heal, do, ask or expect',
  );

/** Bounds per lab where the real clock is noisy: one duration for both, or `{ simulator, kernel }`. */
const bound = z.union([duration, z.strictObject({ simulator: duration, kernel: duration })]);

export const scenarioSchema = z.strictObject({
  title: z.string(),
  /** Labs it is for; both, unless the fault exists on one only: then `why` says so. */
  labs: z.array(z.enum(['simulator', 'kernel'])).default(['simulator', 'kernel']),
  why: z.string().optional(),
  topology,
  /** Of the simulated world: its dice, and whether all daemons start in one moment. */
  world: z
    .strictObject({ seed: z.number().int(), start: z.enum(['in-turn', 'together']).default('in-turn') })
    .optional(),
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
      /** From then on nothing but bad weather befalls it: S10 holds (simulator only). */
      mildFrom: duration.optional(),
      /** Invariants that the story breaks on purpose, within bounds that it sets itself: they are not judged. */
      excused: z.array(z.string().regex(/^[SL]\d+$/, 'an invariant such as S1')).default([]),
      /** Two nodes may answer for one floating address for so long in all. */
      twoHolders: duration.default(0),
    })
    .prefault({}),
});

export type Scenario = z.infer<typeof scenarioSchema> & { name: string };
export type ScenarioStep = Scenario['steps'][number];
export type Expectation = z.infer<typeof expectation>;

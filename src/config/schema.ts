/**
 * The form of the cluster file (DESIGN 11): every key, its kind and its default. What spans several keys is in
 * `consistency.ts`. Messages of leaves are what is right, to be read after "expected".
 */
import { z } from 'zod';
import { oneOf } from './problem.js';
import * as word from './words.js';
import { byForm, byName, choice, mapping, oneOrMore, whole, yesNo } from './words.js';

const net = z.preprocess(
  (value) => value ?? {},
  mapping({
    heartbeat: choice('public', 'private').optional(),
    targets: oneOrMore(word.plainAddress).default([]),
    failureDetection: choice('inonly_or_inout', 'inout').default('inonly_or_inout'),
    mac: choice('follow').optional(),
    autoSwitchBack: yesNo.default(true),
    upDelay: word.duration.default(5000),
    flapMax: whole(1, 1000).default(3),
    flapWindow: word.duration.default(600_000),
    announceEvery: word.duration.default(30_000),
    announceRate: whole(1, 100_000).optional(),
  }),
);

const nodeNet = mapping(
  {
    primary: word.nicName,
    standby: oneOrMore(word.nicName).default([]),
    address: oneOrMore(word.hostPrefix).default([]),
  },
  'a mapping such as { primary: eth0, standby: [eth1], address: [10.77.0.1/24] }',
);

/** Keys of a node beside its nets; no net may have such a name. */
const nodeKeys = ['serial', 'capacity'] as const;

const serial = mapping({ device: word.absolutePath, baud: whole(1200, 4_000_000).default(115_200) });

const netName = word.name.refine(
  (name) => !(nodeKeys as readonly string[]).includes(name),
  `a name of letters, digits and dashes, at most 63, but not ${oneOf(nodeKeys)}, which are keys of a node`,
);

function node(nets: readonly string[]) {
  const shape = Object.fromEntries(nets.map((name) => [name, nodeNet.optional()]));
  return mapping(
    { ...(shape as Record<never, never>), serial: serial.optional(), capacity: whole(0).optional() },
    'a mapping from nets to { primary, standby, address }',
  );
}

const timing = byForm('default, fast, calm or a mapping', {
  text: choice('default', 'fast', 'calm'),
  mapping: mapping({
    poll: word.duration.optional(),
    pollMisses: whole(0, 100).optional(),
    carrierPoll: word.duration.optional(),
    heartbeat: word.duration.optional(),
    nodeTimeout: word.duration.optional(),
    margin: word.duration.optional(),
    renewLateMax: word.duration.optional(),
  }),
});

const etcd = mapping({
  endpoints: z.array(word.url, 'a list of URLs').min(1, 'at least one URL'),
  ca: word.absolutePath.optional(),
  cert: word.absolutePath.optional(),
  key: word.absolutePath.optional(),
});

const disk = byForm('a path, or a list of two', {
  text: word.absolutePath.transform((path) => [path]),
  list: z.array(word.absolutePath).min(1, 'one path or two').max(2, 'one path or two'),
});

const quorum = byForm('none, or a mapping such as { arbiter: { etcd: { endpoints: [...] } } }', {
  text: choice('none'),
  mapping: mapping({
    arbiter: mapping({ etcd: etcd.optional(), disk: disk.optional() }, 'etcd or disk')
      .refine(
        (arbiter) => (arbiter.etcd === undefined) !== (arbiter.disk === undefined),
        'exactly one of etcd and disk',
      )
      .optional(),
    onArbiterLoss: choice('surrender', 'keep').default('surrender'),
    startWait: word.duration.default(10_000),
  }),
});

const command = z
  .array(word.someText, 'a list: the program as an absolute path, then its arguments')
  .refine((line) => /^\//.test(line[0] ?? ''), 'a list that begins with an absolute path');

const watched = {
  every: word.duration.default(10_000),
  timeout: word.duration.default(60_000),
  restarts: whole(0, 1000).default(0),
};

const exec = mapping({ start: command, stop: command, monitor: command.optional(), ...watched });

const parameters = byName(
  word.parameterName,
  z.union([z.string(), z.number(), z.boolean()], 'a text').transform(String),
  'a mapping from parameters to texts',
).default({});

const ocf = mapping({ agent: word.ocfAgent, parameters, ...watched });

const systemd = byForm('a unit such as nginx.service, or { unit, every, timeout, restarts }', {
  text: word.unit.transform((unit) => ({ unit, every: 10_000, timeout: 60_000, restarts: 0 })),
  mapping: mapping({ unit: word.unit, ...watched }),
});

const script = byForm('an absolute path, or { path, timeout }', {
  text: word.absolutePath.transform((path) => ({ path, timeout: 60_000 })),
  mapping: mapping({ path: word.absolutePath, timeout: word.duration.default(60_000) }),
});

const kinds = ['address', 'exec', 'ocf', 'systemd', 'script'] as const;

const resource = mapping(
  {
    address: word.floatingAddress.optional(),
    net: word.name.optional(),
    mac: word.mac.optional(),
    source: yesNo.optional(),
    name: word.hostName.optional(),
    exec: exec.optional(),
    ocf: ocf.optional(),
    systemd: systemd.optional(),
    script: script.optional(),
  },
  'a resource: a mapping with address, exec, ocf, systemd or script',
)
  .refine((it) => kinds.filter((kind) => it[kind] !== undefined).length === 1, `exactly one of ${kinds.join(', ')}`)
  .refine((it) => it.address === undefined || it.net !== undefined, 'also the net of the address, such as net: public')
  .refine(
    (it) => it.address !== undefined || [it.net, it.mac, it.source, it.name].every((value) => value === undefined),
    'net, mac, source and name with an address only',
  );

const pack = mapping({
  nodes: z.array(word.name, 'a list of nodes').min(1, 'at least one node'),
  failover: choice('configured-node', 'min-package-node', 'manual', 'never').default('configured-node'),
  failback: choice('manual', 'automatic').default('manual'),
  enabled: yesNo.default(true),
  onLeaseLoss: choice('halt', 'kill', 'reboot').default('halt'),
  movesMax: whole(1, 1000).default(3),
  movesWindow: word.duration.default(600_000),
  priority: whole(-1_000_000, 1_000_000).default(0),
  weight: whole(0).default(0),
  dependsOn: oneOrMore(word.name).default([]),
  excludes: oneOrMore(word.name).default([]),
  resources: z.array(resource, 'a list of resources').min(1, 'at least one resource'),
});

const plug = z.union([z.string(), z.number()], 'a plug: a text or a number').transform(String);

const fenceAgent = mapping({
  agent: word.fenceAgentName.optional(),
  parameters,
  plugs: byName(word.name, plug, 'a mapping from nodes to plugs, such as { alpha: 3, beta: 4 }').optional(),
  command: command.optional(),
  nodes: oneOrMore(word.name).optional(),
  action: choice('off', 'reboot').default('off'),
  unfence: choice('heard', 'manual').default('heard'),
  timeout: word.duration.default(20_000),
})
  .refine((it) => (it.agent === undefined) !== (it.command === undefined), 'exactly one of agent and command')
  .refine(
    (it) => it.agent !== undefined || (it.plugs === undefined && Object.keys(it.parameters).length === 0),
    'parameters and plugs with an agent only: a command gets the action and the node as its last arguments',
  );

const notification = mapping({
  webhook: word.url.optional(),
  mail: mapping({ to: oneOrMore(word.someText), from: word.someText, server: word.someText }).optional(),
  snmp: mapping({
    host: word.someText,
    port: whole(1, 65_535).default(162),
    community: word.someText.default('public'),
  }).optional(),
  exec: command.optional(),
}).refine(
  (it) => Object.values(it).filter((value) => value !== undefined).length === 1,
  'exactly one of webhook, mail, snmp and exec',
);

const webPage = byForm('off, or { listen, control }', {
  text: z.union([z.literal('off'), z.literal(false)], 'off, or { listen, control }').transform(() => undefined),
  mapping: mapping({ listen: word.listen.default('127.0.0.1:7780'), control: yesNo.default(false) }),
});

const log = mapping({
  level: choice('trace', 'debug', 'info', 'warn', 'error').default('info'),
  file: word.absolutePath.optional(),
  keep: whole(1, 1000).default(7),
});

/** The file's schema for these nets: a node's keys are the names of the nets. */
export function clusterSchema(nets: readonly string[]) {
  return mapping(
    {
      cluster: word.name,
      key: word.absolutePath,
      nets: byName(netName, net, 'a mapping from names to nets, such as { public: {} }'),
      nodes: byName(word.name, node(nets), 'a mapping from names to nodes'),
      timing: timing.default('default'),
      quorum: quorum.optional(),
      fence: choice('gate', 'lifetime', 'none').default('gate'),
      fenceAgents: z.array(fenceAgent, 'a list of fence agents').default([]),
      packages: byName(word.name, pack, 'a mapping from names to packages').default({}),
      port: whole(1, 65_535).default(7789),
      log: log.prefault({}),
      group: word.someText.optional(),
      record: yesNo.default(false),
      console: webPage.optional(),
      notify: z.array(notification, 'a list such as [{ webhook: "http://127.0.0.1:9000/alert" }]').default([]),
      switches: byName(
        word.name,
        z.array(word.nicOfNode, 'a list of NICs'),
        'a mapping from switches to lists of NICs',
      ).default({}),
    },
    'a mapping that begins with cluster: and key:',
  );
}

export type NodeNetOfFile = z.output<typeof nodeNet>;
export type ClusterOfFile = z.output<ReturnType<typeof clusterSchema>>;

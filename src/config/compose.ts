/** The file's form → the machine's form: defaults filled in, names instead of nesting. */
import type {
  Arbiter,
  Cluster,
  ClusterNode,
  FenceAgent,
  Net,
  Notification,
  Package,
  Quorum,
  Resource,
  Timing,
} from './cluster.js';
import { digestOf } from './digest.js';
import type { ClusterOfFile, NodeNetOfFile } from './schema.js';
import { completeTiming, profiles } from './timing.js';

type NetOfFile = ClusterOfFile['nets'][string];
type PackageOfFile = ClusterOfFile['packages'][string];
type ResourceOfFile = PackageOfFile['resources'][number];

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Without the keys that are undefined: `exactOptionalPropertyTypes` and the digest want them absent. */
function present<T extends object>(object: T): Present<T> {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) if (value !== undefined) kept[key] = value;
  return kept as Present<T>;
}

function composeNet(name: string, net: NetOfFile): Net {
  const { upDelay, flapWindow, announceEvery, ...rest } = net;
  return present({
    name,
    ...rest,
    upDelayMs: upDelay,
    flapWindowMs: flapWindow,
    announceEveryMs: announceEvery,
  });
}

function composeNode(name: string, node: ClusterOfFile['nodes'][string], nets: readonly string[]): ClusterNode {
  const { serial, capacity } = node;
  const of = node as unknown as Record<string, NodeNetOfFile | undefined>;
  const mine = nets.flatMap((net) => {
    const nics = of[net];
    return nics ? [{ net, primary: nics.primary, standby: nics.standby, addresses: nics.address }] : [];
  });
  return present({ name, nets: mine, serial, capacity });
}

function composeTiming(timing: ClusterOfFile['timing']): Timing {
  if (typeof timing === 'string') return { ...profiles[timing] };
  return completeTiming(
    present({
      pollMs: timing.poll,
      pollMisses: timing.pollMisses,
      carrierPollMs: timing.carrierPoll,
      heartbeatMs: timing.heartbeat,
      nodeTimeoutMs: timing.nodeTimeout,
      marginMs: timing.margin,
      renewLateMaxMs: timing.renewLateMax,
    }),
  );
}

function composeQuorum(quorum: Exclude<ClusterOfFile['quorum'], undefined | string>): Quorum {
  const { etcd, disk } = quorum.arbiter ?? {};
  const arbiter: Arbiter | undefined = etcd
    ? present({ kind: 'etcd' as const, ...etcd })
    : disk && { kind: 'disk', paths: disk };
  return present({ arbiter, onArbiterLoss: quorum.onArbiterLoss, startWaitMs: quorum.startWait });
}

function composeResource(resource: ResourceOfFile): Resource {
  const { address, net, mac, source, name, exec, ocf, systemd, script } = resource;
  if (address && net !== undefined) {
    return present({ kind: 'address' as const, address, net, mac, source: source ?? false, name });
  }
  if (exec) {
    const { every, timeout, ...rest } = exec;
    return present({ kind: 'exec' as const, ...rest, everyMs: every, timeoutMs: timeout });
  }
  if (ocf) {
    const { every, timeout, ...rest } = ocf;
    return { kind: 'ocf', ...rest, everyMs: every, timeoutMs: timeout };
  }
  if (systemd) {
    return {
      kind: 'systemd',
      unit: systemd.unit,
      everyMs: systemd.every,
      timeoutMs: systemd.timeout,
      restarts: systemd.restarts,
    };
  }
  if (script) return { kind: 'script', path: script.path, timeoutMs: script.timeout };
  throw new Error('a resource passed the schema without a kind');
}

function composePackage(name: string, pack: PackageOfFile): Package {
  const { movesWindow, resources, ...rest } = pack;
  return { name, ...rest, movesWindowMs: movesWindow, resources: resources.map(composeResource) };
}

function composeFenceAgent(agent: ClusterOfFile['fenceAgents'][number], nodes: readonly string[]): FenceAgent {
  const { parameters, plugs = {}, action, unfence, timeout } = agent;
  const run = agent.command ? { command: agent.command } : { agent: agent.agent ?? '', parameters, plugs };
  const named = agent.nodes ?? (agent.plugs === undefined ? [...nodes] : Object.keys(agent.plugs));
  return { nodes: named, run, action, unfence, timeoutMs: timeout };
}

function composeNotification(notification: ClusterOfFile['notify'][number]): Notification {
  const { webhook, mail, snmp, exec } = notification;
  if (webhook !== undefined) return { kind: 'webhook', url: webhook };
  if (mail) return { kind: 'mail', ...mail };
  if (snmp) return { kind: 'snmp', ...snmp };
  return { kind: 'exec', command: exec ?? [] };
}

export function compose(file: ClusterOfFile): Cluster {
  const nets = Object.keys(file.nets);
  const nodes = Object.keys(file.nodes);
  const content: Omit<Cluster, 'digest'> = present({
    name: file.cluster,
    key: file.key,
    nets: Object.entries(file.nets).map(([name, net]) => composeNet(name, net)),
    nodes: Object.entries(file.nodes).map(([name, node]) => composeNode(name, node, nets)),
    timing: composeTiming(file.timing),
    quorum: typeof file.quorum === 'object' ? composeQuorum(file.quorum) : file.quorum,
    fence: file.fence,
    fenceAgents: file.fenceAgents.map((agent) => composeFenceAgent(agent, nodes)),
    packages: Object.entries(file.packages).map(([name, pack]) => composePackage(name, pack)),
    port: file.port,
    log: present(file.log),
    group: file.group,
    record: file.record,
    console: file.console,
    notify: file.notify.map(composeNotification),
    switches: file.switches,
  });
  return { ...content, digest: digestOf(content) };
}

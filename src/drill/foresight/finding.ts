/** What an audit names: single points of failure, each with what would cure it. */
import type { Cluster } from '../../config/cluster.js';
import type { Part } from './part.js';
import type { Situation } from './situation.js';
import { lostIn, type Trial } from './trial.js';

export interface Finding {
  /** `quorum` and `heartbeat` are of the cluster as a whole. */
  kind: Part['kind'] | 'quorum' | 'heartbeat';
  /** The part; the nets of a heartbeat. */
  name: string;
  text: string;
  /** Each of these shows it. */
  faults: string[];
  /** Packages, or stationary addresses, that it takes down. */
  subjects: string[];
  cure: string;
}

export function findingsOf(situation: Situation, singles: readonly Trial[]): Finding[] {
  return [...servicesLost(situation, singles), ...heartbeats(situation, singles), ...undecided(situation.cluster)];
}

/** Is what this trial shows a single point of failure? */
export function isHarmful(trial: Trial): boolean {
  return lostIn(trial).length > 0 || trial.twoHolders.length > 0;
}

function servicesLost(situation: Situation, singles: readonly Trial[]): Finding[] {
  const byPart = new Map<string, Trial[]>();
  for (const trial of singles) {
    if (!isHarmful(trial)) continue;
    const [{ kind, name }] = trial.parts as [Trial['parts'][number]];
    byPart.set(`${kind} ${name}`, [...(byPart.get(`${kind} ${name}`) ?? []), trial]);
  }
  return [...byPart.values()].map((trials) => {
    const [part] = trials[0]!.parts as [Trial['parts'][number]];
    const subjects = [...new Set(trials.flatMap(lostIn))];
    const twice = trials.flatMap(({ twoHolders }) => twoHolders);
    const [first] = twice;
    const lost = subjects.length > 0 ? `${subjects.join(', ')} stays out` : '';
    const both = first ? `${first.nodes.join(' and ')} both answer for ${first.address}` : '';
    return {
      kind: part.kind,
      name: part.name,
      text: `${nameOf(part)}: ${[lost, both].filter(Boolean).join(', and ')}`,
      faults: trials.map(({ faults }) => faults.join(', ')),
      subjects,
      cure: both && !lost ? ARBITER_CURE : cureOf(situation, part, trials),
    };
  });
}

export function nameOf({ kind, name }: { kind: Part['kind']; name: string }): string {
  return kind === 'serial line' ? name : `${kind} ${name}`;
}

const ARBITER_CURE = 'an arbiter (etcd on a third machine, or a shared disk): quorum: { arbiter: ... }';

/** By what has no second of its kind, the nearest first. */
function cureOf(situation: Situation, part: Trial['parts'][number], trials: readonly Trial[]): string {
  const { cluster, wiring } = situation;
  switch (part.kind) {
    case 'switch': {
      const { nets, nics } = wiring.switches[part.name]!;
      const needy = nodesWithout(cluster, nets, nics);
      const hint =
        cluster.switches?.[part.name] === undefined ? '; if they hang elsewhere already, say so in switches:' : '';
      const who = needy.length > 0 ? needy.join(', ') : 'each node';
      return `a standby for ${who} on another switch than ${part.name}${hint}`;
    }
    case 'trunk':
    case 'NIC': {
      const nets = netsOfPart(situation, part);
      const bare =
        part.node === undefined ? [] : nodesWithout(cluster, nets, [part.name]).filter((name) => name === part.node);
      if (bare.length > 0) return `a standby NIC for ${part.node!} on net ${nets.join(', ')}, on another switch`;
      const blind = cluster.nets.filter(({ name, targets }) => nets.includes(name) && targets.length === 0);
      if (blind.length > 0)
        return `targets on net ${blind.map(({ name }) => name).join(', ')}, such as its router: they show the better side`;
      return part.kind === 'trunk'
        ? `a second uplink beside ${part.name}`
        : `a further backup node, and a second target`;
    }
    case 'node':
    case 'daemon': {
      const lone = cluster.packages.filter(
        ({ name, nodes }) => trials.some((trial) => lostIn(trial).includes(name)) && nodes.length < 2,
      );
      if (lone.length > 0) return `a further backup node for ${lone.map(({ name }) => name).join(', ')}`;
      return needsArbiter(cluster) ? ARBITER_CURE : 'a further backup node';
    }
    case 'arbiter':
      return 'quorum: { onArbiterLoss: keep }, or a further node, so that nodes are a majority without it';
    case 'target':
      return 'a second target on that net';
    case 'net':
    case 'serial line':
      return SECOND_NET_CURE;
  }
}

const SECOND_NET_CURE = 'a second private net, of other NICs and on another switch';

/** Nodes all of whose NICs on these nets are among `nics`, or hang on the same wire. */
function nodesWithout({ nodes }: Cluster, nets: readonly string[], nics: readonly string[]): string[] {
  return nodes
    .filter((node) => {
      const own = node.nets.filter(({ net }) => nets.includes(net));
      const all = own.flatMap(({ primary, standby }) => [primary, ...standby]).map((nic) => `${node.name}.${nic}`);
      return all.length > 0 && all.every((nic) => nics.includes(nic));
    })
    .map(({ name }) => name);
}

function netsOfPart({ cluster, wiring }: Situation, { kind, name, node }: Trial['parts'][number]): string[] {
  if (kind === 'trunk')
    return wiring.segments
      .filter(({ bridges, hub }) => bridges.some(({ bridge }) => wiring.trunks[name]!.includes(`${bridge}-${hub}`)))
      .flatMap(({ nets }) => nets);
  const nets = cluster.nodes.find((one) => one.name === node)?.nets ?? [];
  return nets
    .filter(({ primary, standby }) => [primary, ...standby].some((nic) => `${node}.${nic}` === name))
    .map(({ net }) => net);
}

function needsArbiter({ nodes, quorum }: Cluster): boolean {
  return nodes.length % 2 === 0 && (typeof quorum !== 'object' || quorum.arbiter === undefined);
}

/** After one fault nothing but the public net carries heartbeats: the next one parts nodes that are well. */
function heartbeats({ cluster }: Situation, singles: readonly Trial[]): Finding[] {
  if (cluster.nodes.length < 2 || cluster.packages.length === 0) return [];
  const paths = (kind: 'private' | 'public'): string[] =>
    cluster.nets.filter(({ heartbeat }) => heartbeat === kind).map(({ name }) => name);
  const hasLine = cluster.nodes.every(({ serial }) => serial);
  const privates = paths('private');
  if (privates.length === 0 && !hasLine)
    return [
      {
        kind: 'heartbeat',
        name: paths('public').join(', '),
        text: `heartbeats have no private net: they go over ${paths('public').join(', ') || 'no net'} alone`,
        faults: [],
        subjects: [],
        cure: 'a private net: heartbeat: private, of NICs of its own',
      },
    ];
  const showing = singles.filter(
    ({ rerouted, parts }) => rerouted.length > 0 && parts[0]!.kind !== 'daemon' && parts[0]!.kind !== 'node',
  );
  if (showing.length === 0 || hasLine) return [];
  const what =
    privates.length === 1
      ? `heartbeats have one private net, ${privates[0]!}`
      : `private nets ${privates.join(', ')} fail together`;
  return [
    {
      kind: 'heartbeat',
      name: privates.join(', '),
      text: `${what}: without it the public net alone carries them`,
      faults: showing.map(({ faults }) => faults.join(', ')),
      subjects: [],
      cure: privates.length === 1 ? SECOND_NET_CURE : `another switch for one of ${privates.join(', ')}`,
    },
  ];
}

function undecided(cluster: Cluster): Finding[] {
  if (cluster.quorum !== 'none' || cluster.nodes.length < 2 || cluster.packages.length === 0) return [];
  const names = cluster.nodes.map(({ name }) => name).join(' and ');
  return [
    {
      kind: 'quorum',
      name: 'none',
      text: `there is no arbiter: ${names} both serve once they do not hear each other, though both live`,
      faults: [],
      subjects: cluster.packages.map(({ name }) => name),
      cure: ARBITER_CURE,
    },
  ];
}

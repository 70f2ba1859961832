/** What an audit notes beside single points of failure: plans and numbers that do not go together. */
import type { Cluster } from '../../config/cluster.js';
import { showDuration } from '../../config/duration.js';
import type { Situation } from './situation.js';
import type { Trial } from './trial.js';

export function cautionsOf(situation: Situation, singles: readonly Trial[]): string[] {
  const { cluster } = situation;
  return [
    ...cyclicPlans(cluster),
    ...sharedByHeartbeats(situation),
    ...timeouts(cluster),
    ...evenHalves(cluster),
    ...movesForNic(situation, singles),
  ];
}

/** First backup of each node's packages, followed from node to node: a circle means that each death burdens the next one. */
function cyclicPlans({ packages, nodes }: Cluster): string[] {
  const backupOf = new Map<string, string[]>();
  for (const { nodes: order } of packages)
    if (order.length > 1) backupOf.set(order[0]!, [...(backupOf.get(order[0]!) ?? []), order[1]!]);
  const told = new Set<string>();
  return nodes.flatMap(({ name }) => {
    const circle = circleFrom(name, backupOf);
    const key = [...circle].sort().join(' ');
    if (circle.length === 0 || told.has(key)) return [];
    told.add(key);
    const ring = [...circle, circle[0]!].join(' → ');
    return [
      `backup plans go round (${ring}): a node that takes over is itself backed by those whose packages it takes; each must be able to carry them all`,
    ];
  });
}

function circleFrom(start: string, backupOf: ReadonlyMap<string, readonly string[]>): string[] {
  const ways: string[][] = [[start]];
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const next of backupOf.get(way.at(-1)!) ?? []) {
      if (next === start) return way;
      if (!way.includes(next)) ways.push([...way, next]);
    }
  }
  return [];
}

/** Nets that carry heartbeats and fail together. A switch that is only assumed is none to tell of. */
function sharedByHeartbeats({ cluster, wiring }: Situation): string[] {
  const carrying = cluster.nets.filter(({ heartbeat }) => heartbeat !== undefined).map(({ name }) => name);
  const switches = Object.entries(wiring.switches).flatMap(([name, { nets }]) => {
    const both = nets.filter((net) => carrying.includes(net));
    return both.length > 1 && cluster.switches?.[name] !== undefined
      ? [`heartbeat nets ${both.join(' and ')} share switch ${name}: it takes both down`]
      : [];
  });
  const nics = cluster.nodes.flatMap((node) =>
    node.nets.flatMap((one, i) =>
      node.nets.slice(i + 1).flatMap((other) => {
        if (![one, other].every(({ net }) => carrying.includes(net))) return [];
        const shared = [one.primary, ...one.standby].find((nic) => [other.primary, ...other.standby].includes(nic));
        return shared === undefined
          ? []
          : [`heartbeat nets ${one.net} and ${other.net} share NIC ${node.name}.${shared}`];
      }),
    ),
  );
  return [...switches, ...nics];
}

/** Numbers that are each allowed, and work against each other. */
function timeouts({ timing, nets, nodes, packages, quorum, fenceAgents }: Cluster): string[] {
  const { pollMs, pollMisses, nodeTimeoutMs } = timing;
  const show = showDuration;
  // The poll that is missed, then a window of full polls at four times the rate.
  const foundMs = pollMs + (pollMisses * pollMs) / 4;
  const found: string[] = [];
  const onlyPublic = nets.filter(({ heartbeat }) => heartbeat === 'private').length === 0;
  if (packages.length > 0 && nodes.length > 1 && onlyPublic && foundMs > nodeTimeoutMs)
    found.push(
      `a silent NIC is found after ${show(foundMs)} (poll, pollMisses), a node counts as lost after ${show(nodeTimeoutMs)} (nodeTimeout): packages move before the standby is tried`,
    );
  for (const { name, upDelayMs, flapWindowMs } of nets) {
    if (upDelayMs < foundMs)
      found.push(
        `net ${name}: upDelay ${show(upDelayMs)} is shorter than what finding a dead NIC takes (${show(foundMs)}): addresses go back to a NIC before it is known to be well`,
      );
    if (flapWindowMs <= upDelayMs)
      found.push(
        `net ${name}: flapWindow ${show(flapWindowMs)} is not longer than upDelay ${show(upDelayMs)}: flapping is never seen`,
      );
  }
  if (typeof quorum === 'object' && quorum.arbiter !== undefined && quorum.startWaitMs < 2 * nodeTimeoutMs)
    found.push(
      `startWait ${show(quorum.startWaitMs)} is less than two nodeTimeouts (${show(2 * nodeTimeoutMs)}): a node that boots a little earlier goes alone`,
    );
  for (const { timeoutMs } of fenceAgents)
    if (timeoutMs < nodeTimeoutMs)
      found.push(
        `a fence agent has ${show(timeoutMs)}, less than nodeTimeout (${show(nodeTimeoutMs)}): it is given up before a slow device answers`,
      );
  for (const { name, movesWindowMs } of packages)
    if (movesWindowMs < 10 * nodeTimeoutMs)
      found.push(
        `package ${name}: movesWindow ${show(movesWindowMs)} is less than ten nodeTimeouts (${show(10 * nodeTimeoutMs)}): movesMax never holds it`,
      );
  return found;
}

function evenHalves({ nodes, packages, quorum }: Cluster): string[] {
  const hasArbiter = typeof quorum === 'object' && quorum.arbiter !== undefined;
  if (packages.length === 0 || nodes.length < 4 || nodes.length % 2 !== 0 || hasArbiter) return [];
  return [`${nodes.length} nodes without arbiter: cut in two halves, neither serves; an arbiter decides`];
}

/** The node is well, and its package goes all the same, for want of a standby. */
function movesForNic({ cluster }: Situation, singles: readonly Trial[]): string[] {
  const nics = singles.flatMap(({ parts: [part], effects }) =>
    part!.kind === 'NIC' &&
    effects.some(
      ({ before, after, forGood }) => !forGood && before === part!.node && after !== null && after !== before,
    )
      ? [part!.name]
      : [],
  );
  return [...new Set(nics)].map((nic) => {
    const [node] = nic.split('.');
    const net =
      cluster.nodes.find(({ name }) => name === node)?.nets.find(({ primary }) => nic === `${node}.${primary}`)?.net ??
      '';
    return `packages leave ${node!} when ${nic} fails, the only NIC it has on net ${net}: a standby NIC spares them the move`;
  });
}

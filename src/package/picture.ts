/** What is known at this moment, gathered for the decisions. */
import type { Cluster } from '../config/cluster.js';
import * as health from '../health/monitor.js';
import type { Ms } from '../input.js';
import type { Document } from '../membership/document.js';
import * as membership from '../membership/member.js';
import { netsOf } from './candidate.js';
import type { NodePicture, Picture, Turn } from './state.js';

/** Conditions that were asked for → since when they hold; those that were not asked for are over. */
export interface Holding {
  since: Record<string, Ms>;
  /** When the first of them will have lasted long enough; Infinity: none is waited for. */
  dueAt: Ms;
}

export function gather(turn: Turn, document: Document, holding: Holding): Picture {
  const { world, state, now } = turn;
  const { cluster } = world;
  const { packages } = cluster;
  const { nodeTimeoutMs, pollMs, heartbeatMs } = cluster.timing;
  const netDownMs = 1.5 * (pollMs + heartbeatMs);
  const lasts: Picture['lasts'] = (condition, forMs) => {
    const dueAt = (holding.since[condition] ??= state.since[condition] ?? now) + forMs;
    if (now < dueAt) holding.dueAt = Math.min(holding.dueAt, dueAt);
    return now >= dueAt;
  };
  return {
    now,
    nodeTimeoutMs,
    netDownMs,
    packages,
    nodes: Object.fromEntries(cluster.nodes.map(({ name }) => [name, nodePicture(turn, name, lasts, netDownMs)])),
    capacities: Object.fromEntries(
      cluster.nodes.flatMap(({ name, capacity }) => (capacity === undefined ? [] : [[name, capacity]])),
    ),
    document,
    released: Object.fromEntries(
      packages.map(({ name }) => [name, membership.isReleased(world, turn.membership, now, name)]),
    ),
    awaited: Object.fromEntries(
      packages.map(({ name }) => [name, membership.fenceAwaited(world, turn.membership, now, name)]),
    ),
    memory: state,
    lasts,
  };
}

/** Reckoned from the file alone, so it is no state: kept because every step of the coordinator asks. */
const netsByCluster = new WeakMap<Cluster, readonly string[]>();

/** Nets on which packages have addresses. */
export function servingNets(cluster: Cluster): readonly string[] {
  let nets = netsByCluster.get(cluster);
  if (nets === undefined) {
    nets = [...new Set(cluster.packages.flatMap(netsOf))];
    netsByCluster.set(cluster, nets);
  }
  return nets;
}

function nodePicture(
  { world, membership: met, health: seen, now }: Turn,
  name: string,
  lasts: Picture['lasts'],
  steadyMs: Ms,
): NodePicture {
  const isSelf = name === world.self.name;
  const view = membership.view(world, met, seen, now, name);
  const names = servingNets(world.cluster);
  const nets: NodePicture['nets'] = {};
  for (const net of names) nets[net] = health.netUp(world, seen, name, net);
  return {
    ...view,
    // A node is never lost to itself.
    health: isSelf ? 'alive' : view.health,
    jobs: isSelf ? world.jobs : view.jobs,
    nets,
    steady: names.filter((net) => nets[net] === true && lasts(`net-up ${net}@${name}`, steadyMs)),
  };
}

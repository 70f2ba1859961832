/** A cluster file without what nobody is to read: for recordings, and for archives that leave the host. */
import type { Cluster, FenceAgent } from '../config/cluster.js';
import { isSecret } from '../membership/fence-agent.js';

const HIDDEN = '***';

/** The machine decides the same with it: no parameter of an agent decides anything. */
export function withoutSecrets(cluster: Cluster): Cluster {
  return { ...cluster, fenceAgents: cluster.fenceAgents.map(hidden) };
}

function hidden(agent: FenceAgent): FenceAgent {
  if (!('agent' in agent.run)) return agent;
  const parameters = Object.fromEntries(
    Object.entries(agent.run.parameters).map(([name, value]) => [name, isSecret(name) ? HIDDEN : value]),
  );
  return { ...agent, run: { ...agent.run, parameters } };
}

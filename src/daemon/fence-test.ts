/** Asks each fence agent's device how it is, by the action that changes nothing. */
import { readMetadata, runOnce } from '../../drivers/agent/metadata.js';
import type { Cluster, FenceAgent } from '../config/cluster.js';
import { agentName, agentPath, runOf } from '../membership/fence-agent.js';

export interface FenceTest {
  agent: string;
  node: string;
  /** Null: it was not asked, and `text` says why. */
  answers: boolean | null;
  text: string;
}

/** `monitor` for each node that it can shut. Commands are not asked: one that does not look at its action would shut the node. */
export async function testFencing(cluster: Cluster, self: string): Promise<FenceTest[]> {
  const tests = await Promise.all(cluster.fenceAgents.map((agent) => testAgent(cluster, agent, self)));
  return tests.flat();
}

async function testAgent(cluster: Cluster, agent: FenceAgent, self: string): Promise<FenceTest[]> {
  const name = agentName(agent);
  const nodes = agent.nodes.filter((node) => node !== self);
  const all = (text: string): FenceTest[] => nodes.map((node) => ({ agent: name, node, answers: null, text }));
  if (!('agent' in agent.run)) return all('a command is not tried');
  const metadata = await readMetadata(agentPath(agent));
  if (typeof metadata === 'string') return nodes.map((node) => ({ agent: name, node, answers: false, text: metadata }));
  if (!metadata.actions.includes('monitor')) return all('it has no action monitor');
  const found: FenceTest[] = [];
  // One after the other: many devices take one session at a time.
  for (const node of nodes) {
    const { command, stdin, withinMs, secrets } = runOf(cluster, agent, 'monitor', node);
    const { outcome, output } = await runOnce(command, stdin, withinMs, secrets);
    const answers = outcome.how === 'exited' && outcome.code === 0;
    found.push({ agent: name, node, answers, text: answers ? '' : (output.split('\n').at(-1) ?? outcome.how) });
  }
  return found;
}

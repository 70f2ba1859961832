/** Which program shuts or opens a node, and what it is told: fence agents read their parameters from stdin, never from the command line. */
import type { RunAgentWords } from '../action.js';
import type { Cluster, FenceAgent } from '../config/cluster.js';

export type FenceAction = FenceAgent['action'] | 'on' | 'monitor' | 'status';

/** Where the fence-agents package puts them. */
const AGENTS = '/usr/sbin';
/** What an agent says beyond that is of no use to anybody. */
const OUTPUT_MAX = 2048;
/** Names of parameters whose values nobody is to read. */
const SECRET = /pass|secret|token|community|cookie|api_?key|private|credential/i;

/** Those that can shut that node, in the order of the file. */
export function agentsOf({ fenceAgents }: Cluster, node: string): FenceAgent[] {
  return fenceAgents.filter(({ nodes }) => nodes.includes(node));
}

/** `fence_ipmilan`, or the command's path. */
export function agentName({ run }: FenceAgent): string {
  return 'agent' in run ? run.agent : run.command[0]!;
}

export function agentPath({ run }: FenceAgent): string {
  return 'agent' in run ? `${AGENTS}/${run.agent}` : run.command[0]!;
}

/** Values of its parameters that must not be told. A file's name is no secret. */
export function secretsOf({ run }: FenceAgent): string[] {
  if (!('agent' in run)) return [];
  const hidden = Object.entries(run.parameters).filter(([name]) => isSecret(name));
  return hidden.map(([, value]) => value).filter((value) => value !== '');
}

export function isSecret(parameter: string): boolean {
  return SECRET.test(parameter) && !parameter.endsWith('_script');
}

export function parametersFor({ run }: FenceAgent, node: string): Record<string, string> {
  if (!('agent' in run)) return {};
  const plug = run.plugs[node];
  const entries = Object.entries(run.parameters).map(([name, value]) => [name, value.replaceAll('{node}', node)]);
  return { ...(Object.fromEntries(entries) as Record<string, string>), ...(plug !== undefined && { plug }) };
}

export function runOf({ name: cluster }: Cluster, agent: FenceAgent, action: FenceAction, node: string): RunAgentWords {
  const { run, timeoutMs: withinMs } = agent;
  const environment = { BATON_CLUSTER: cluster, BATON_NODE: node, BATON_ACTION: action };
  const common = { environment, withinMs, outputMax: OUTPUT_MAX, secrets: secretsOf(agent) };
  if (!('agent' in run)) return { command: [...run.command, action, node], stdin: '', ...common };
  const lines = Object.entries({ action, ...parametersFor(agent, node) }).map(([name, value]) => `${name}=${value}\n`);
  return { command: [agentPath(agent)], stdin: lines.join(''), ...common };
}

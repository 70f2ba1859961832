/** The fence agents of a cluster file against this host: are they there, root's alone, and do they know their parameters? */
import { readMetadata, type AgentMetadata, type AgentParameter } from '../../drivers/agent/metadata.js';
import { distrust } from '../../drivers/agent/trust.js';
import type { Cluster, FenceAgent } from '../config/cluster.js';
import { unknownWord } from '../config/problem.js';
import { agentName, agentPath, isSecret } from '../membership/fence-agent.js';

export interface FenceFinding {
  agent: string;
  what: 'missing' | 'unreadable' | 'parameter' | 'required' | 'action' | 'secret';
  severity: 'error' | 'warning';
  text: string;
  fix: string;
}

/** What an agent is run with. */
export interface FenceSetup {
  agent: string;
  nodes: string[];
  /** Secrets masked. */
  given: Record<string, string>;
  /** Of the parameters that are not given. */
  presets: Record<string, string>;
}

export interface FenceReadiness {
  findings: FenceFinding[];
  setups: FenceSetup[];
}

/** Of every agent, however long each takes to tell of itself. */
export async function fenceReadiness({ fenceAgents }: Cluster): Promise<FenceReadiness> {
  const known = new Map<string, Promise<AgentMetadata | string>>();
  const read = (path: string): Promise<AgentMetadata | string> => {
    const reading = known.get(path) ?? readMetadata(path);
    known.set(path, reading);
    return reading;
  };
  const all = await Promise.all(
    fenceAgents.map(async (agent) => {
      const reason = await distrust(agentPath(agent));
      if (reason !== null) return { findings: [unfit(agent, reason)], setups: [setupOf(agent, null)] };
      const metadata = 'agent' in agent.run ? await read(agentPath(agent)) : null;
      if (typeof metadata === 'string') return { findings: [unread(agent, metadata)], setups: [setupOf(agent, null)] };
      return { findings: judge(agent, metadata), setups: [setupOf(agent, metadata)] };
    }),
  );
  return { findings: all.flatMap(({ findings }) => findings), setups: all.flatMap(({ setups }) => setups) };
}

function unfit(agent: FenceAgent, reason: string): FenceFinding {
  const isMissing = reason.includes('ENOENT');
  const fix = isMissing
    ? 'agent' in agent.run
      ? 'do: apt-get install fence-agents'
      : 'put it there'
    : 'let it, and every directory above it, belong to root and be written by root alone';
  return finding(agent, 'missing', 'error', reason, fix);
}

function unread(agent: FenceAgent, reason: string): FenceFinding {
  const fix = `look at: ${agentPath(agent)} -o metadata`;
  return finding(agent, 'unreadable', 'warning', `its parameters cannot be checked: ${reason}`, fix);
}

function finding(
  agent: FenceAgent,
  what: FenceFinding['what'],
  severity: FenceFinding['severity'],
  text: string,
  fix: string,
): FenceFinding {
  return { agent: agentName(agent), what, severity, text: `fence agent ${agentName(agent)}: ${text}`, fix };
}

function givenNames({ run }: FenceAgent): string[] {
  if (!('agent' in run)) return [];
  return [...Object.keys(run.parameters), ...(Object.keys(run.plugs).length > 0 ? ['plug'] : [])];
}

function judge(agent: FenceAgent, metadata: AgentMetadata | null): FenceFinding[] {
  if (metadata === null) return [];
  const found: FenceFinding[] = [];
  const { parameters, actions } = metadata;
  const given = givenNames(agent);
  const names = parameters.flatMap(({ name, obsoletes }) => [name, ...(obsoletes === undefined ? [] : [obsoletes])]);
  for (const name of given)
    if (!names.includes(name))
      found.push(finding(agent, 'parameter', 'error', unknownWord('parameter', name, names), 'mend the cluster file'));
  for (const parameter of parameters.filter((each) => isLacking(each, parameters, given)))
    found.push(
      finding(
        agent,
        'required',
        'error',
        `${parameter.name} is required (${parameter.description})`,
        parameter.name === 'plug'
          ? 'add: plugs: { NODE: PLUG, ... }'
          : `add it to the parameters: ${parameter.name}: ...`,
      ),
    );
  const needed = agent.action === 'off' ? ['off', ...(agent.unfence === 'heard' ? ['on'] : [])] : ['reboot'];
  for (const action of needed.filter((each) => actions.length > 0 && !actions.includes(each))) {
    const fix = action === 'on' ? 'write unfence: manual' : `write action: ${action === 'off' ? 'reboot' : 'off'}`;
    found.push(finding(agent, 'action', action === 'on' ? 'warning' : 'error', `it does not know ${action}`, fix));
  }
  const plain = given.filter((name) => isSecret(name));
  if (plain.length > 0)
    found.push(
      finding(
        agent,
        'secret',
        'warning',
        `${plain.join(', ')} stands in the cluster file`,
        `name a program that prints it, ${plain[0]!}_script, and let the file be read by root only`,
      ),
    );
  return found;
}

/** Required, without a value of its own, and not given under its name or another of the same. */
function isLacking(one: AgentParameter, all: readonly AgentParameter[], given: readonly string[]): boolean {
  if (!one.required || one.preset !== undefined || one.deprecated || one.name === 'action') return false;
  const newer = all.filter(({ obsoletes }) => obsoletes === one.name).map(({ name }) => name);
  const same = [one.name, ...(one.obsoletes === undefined ? [] : [one.obsoletes]), ...newer];
  return !same.some((name) => given.includes(name) || given.includes(`${name}_script`));
}

function setupOf(agent: FenceAgent, metadata: AgentMetadata | null): FenceSetup {
  const { run, nodes } = agent;
  const mask = ([name, value]: [string, string]): [string, string] => [name, isSecret(name) ? '***' : value];
  const given = 'agent' in run ? Object.fromEntries(Object.entries(run.parameters).map(mask)) : {};
  const names = givenNames(agent);
  const presets = (metadata?.parameters ?? []).flatMap(({ name, preset, deprecated }) =>
    preset === undefined || deprecated || name === 'action' || names.includes(name) ? [] : [[name, preset] as const],
  );
  return { agent: agentName(agent), nodes, given, presets: Object.fromEntries(presets) };
}

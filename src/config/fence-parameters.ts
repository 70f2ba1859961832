/** What must agree within `fenceAgents` of the cluster file. What an agent itself says of its parameters is read where it is installed. */
import type { Cluster, FenceAgent } from './cluster.js';
import { unknownWord, type FilePath, type Finding } from './problem.js';

type Agent = Extract<FenceAgent['run'], { agent: string }>;

/** An agent reads a line for each parameter. */
function isLine(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return !/[\0-\x1f\x7f]/.test(text);
}

export function fenceAgents(cluster: Cluster): Finding[] {
  const nodes = cluster.nodes.map(({ name }) => name);
  return cluster.fenceAgents.flatMap(({ nodes: covered, run }, i) => {
    const at: FilePath = ['fenceAgents', i];
    const ofPlugs = 'agent' in run ? Object.keys(run.plugs) : [];
    const named = covered.filter((node) => !ofPlugs.includes(node));
    const unknown = named.flatMap((node) => unknownNode(node, nodes, [...at, 'nodes', covered.indexOf(node)]));
    return 'agent' in run ? [...unknown, ...parameters(run, at), ...plugs(run, covered, nodes, at)] : unknown;
  });
}

function unknownNode(node: string, nodes: readonly string[], path: FilePath): Finding[] {
  return nodes.includes(node) ? [] : [{ path, text: unknownWord('node', node, nodes) }];
}

function parameters({ parameters: given }: Agent, at: FilePath): Finding[] {
  return Object.entries(given).flatMap(([name, value]): Finding[] => {
    const path = [...at, 'parameters', name];
    if (name === 'action') return [{ path, text: 'no parameter here; expected action: off, or reboot, beside them' }];
    return isLine(value) ? [] : [{ path, text: 'more than one line; expected a text of one line' }];
  });
}

function plugs({ parameters: given, plugs: all }: Agent, covered: readonly string[], nodes: string[], at: FilePath) {
  const found = Object.entries(all).flatMap(([node, plug]) => {
    const path = [...at, 'plugs', node];
    const unfit = isLine(plug) ? [] : [{ path, text: 'more than one line; expected a text of one line' }];
    return [...unknownNode(node, nodes, path), ...unfit];
  });
  if (Object.keys(all).length === 0) return found;
  for (const name of ['plug', 'port'])
    if (given[name] !== undefined)
      found.push({ path: [...at, 'parameters', name], text: `${name} here and in plugs; expected one of the two` });
  for (const node of covered)
    if (all[node] === undefined && nodes.includes(node))
      found.push({ path: [...at, 'plugs'], text: `no plug for ${node}, which this agent is to shut` });
  return found;
}

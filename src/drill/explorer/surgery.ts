/** Smaller clusters for the same story. Null: there would be nothing left of it. */
import type { Scenario } from '../scenario.js';
import type { Story } from './story.js';

type Written = Record<string, unknown>;

function without(record: unknown, names: readonly string[]): Written {
  return Object.fromEntries(Object.entries((record ?? {}) as Written).filter(([name]) => !names.includes(name)));
}

function changed(story: Story, cluster: Written, topology: Partial<Scenario['topology']> = {}): Story {
  const { scenario } = story;
  return { ...story, scenario: { ...scenario, cluster, topology: { ...scenario.topology, ...topology } } };
}

/** No act that names one of these is left. */
function withoutActsOn(story: Story, isGone: RegExp): Story {
  const touched = new Set(
    story.acts.filter(({ fault, heal, ask }) => isGone.test(fault ?? heal ?? ask ?? '')).map(({ blow }) => blow),
  );
  return { ...story, acts: story.acts.filter(({ blow }) => !touched.has(blow)) };
}

export function withoutNode(story: Story, name: string): Story | null {
  const { cluster, topology, before } = story.scenario;
  if (Object.keys(topology.nodes).length <= 2) return null;
  const packages = Object.entries((cluster['packages'] ?? {}) as Record<string, Written>).map(([key, one]) => {
    const nodes = (one['nodes'] as string[]).filter((node) => node !== name);
    return [key, { ...one, nodes }] as const;
  });
  if (packages.some(([, { nodes }]) => nodes.length === 0)) return null;
  const smaller = changed(
    story,
    { ...cluster, nodes: without(cluster['nodes'], [name]), packages: Object.fromEntries(packages) },
    { nodes: without(topology.nodes, [name]) as Scenario['topology']['nodes'] },
  );
  const left = withoutActsOn(smaller, new RegExp(`\\b${name}\\b`));
  const { peace } = left;
  return {
    ...left,
    scenario: { ...left.scenario, before: before.filter((fault) => !fault.includes(` ${name} `)) },
    peace: peace && { ...peace, core: peace.core.filter((node) => node !== name) },
  };
}

export function withoutPackage(story: Story, name: string): Story | null {
  const { cluster } = story.scenario;
  const packages = without(cluster['packages'], [name]);
  if (Object.keys(packages).length === 0) return null;
  return withoutActsOn(changed(story, { ...cluster, packages }), new RegExp(` ${name}\\b`));
}

export function withoutPrivateNets(story: Story): Story | null {
  const { cluster, topology } = story.scenario;
  const nets = (cluster['nets'] ?? {}) as Record<string, Written>;
  const gone = Object.keys(nets).filter((name) => nets[name]!['heartbeat'] === 'private');
  if (gone.length === 0) return null;
  const nodes = Object.entries((cluster['nodes'] ?? {}) as Written).map(([name, one]): [string, Written] => [
    name,
    without(one, gone),
  ]);
  const nics = Object.entries(topology.nodes).map(([name, own]): [string, Record<string, string>] => [
    name,
    Object.fromEntries(Object.entries(own).filter(([nic]) => !/^h[bs]\d/.test(nic))),
  ]);
  const smaller = changed(
    story,
    { ...cluster, nets: without(nets, gone), nodes: Object.fromEntries(nodes) },
    { nodes: Object.fromEntries(nics) },
  );
  return withoutActsOn(smaller, /\.h[bs]\d|blue|green|red/);
}

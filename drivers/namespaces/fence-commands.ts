/**
 * Commands of `fenceAgents` on this lab: `/lab/NAME` of a scenario becomes a script, root's alone, that closes and opens a
 * node's ports on the lab's bridges. They work on the bridges themselves, whoever lives or is frozen.
 */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FenceFault, Scenario } from '../../src/drill/scenario.js';
import { fenceFolderOf } from './names.js';
import type { Undo, Wire } from './wire-faults.js';
import { cablesOf } from './wiring.js';

type Plan = Scenario['topology']['fences'][string];

/** Where a scenario says that they are. */
const FOLDER = '/lab/';

/** The scenario with their real paths. */
export function withCommands(scenario: Scenario, prefix: string): Scenario {
  const text = JSON.stringify(scenario.cluster).replaceAll(`"${FOLDER}`, `"${fenceFolderOf(prefix)}/`);
  return { ...scenario, cluster: JSON.parse(text) as Scenario['cluster'] };
}

export async function placeCommands(scenario: Scenario, wire: Wire, prefix: string): Promise<void> {
  const { fences, nodes } = scenario.topology;
  if (Object.keys(fences).length === 0) return;
  const folder = fenceFolderOf(prefix);
  await mkdir(folder, { mode: 0o755 });
  for (const [name, plan] of Object.entries(fences)) {
    const path = join(folder, name);
    await writeFile(path, script(path, wire, plan, Object.keys(nodes)));
    await chmod(path, 0o755);
  }
}

export async function strikeFence(prefix: string, fault: FenceFault): Promise<Undo> {
  const path = troubleOf(join(fenceFolderOf(prefix), fault.device));
  const how = fault.fault.slice('fence-'.length);
  await writeFile(path, fault.fault === 'fence-slow' ? `slow ${fault.forMs / 1000}` : how);
  return () => rm(path, { force: true });
}

function troubleOf(path: string): string {
  return `${path}.trouble`;
}

function script(path: string, wire: Wire, plan: Plan, nodes: readonly string[]): string {
  const cases = nodes.flatMap((node) => [
    `  'off ${node}') ${[...ports(wire, plan, node, 'down'), ...(plan.shuts === 'power' ? [kill(wire, node)] : [])].join('; ')};;`,
    ...(plan.shuts === 'ports' ? [`  'on ${node}') ${ports(wire, plan, node, 'up').join('; ')};;`] : []),
  ]);
  return `#!/bin/sh
while [ $# -gt 2 ]; do shift; done
trouble=$(cat '${troubleOf(path)}' 2>/dev/null)
case "$trouble" in
  hang) sleep 3600; exit 1;;
  fail) echo 'the device does not answer' >&2; exit 1;;
  lie) exit 0;;
  slow*) sleep "\${trouble#slow }";;
esac
sleep ${plan.takes / 1000}
set -e
case "$1 $2" in
${cases.join('\n')}
  *) echo "cannot do $1 $2" >&2; exit 1;;
esac
`;
}

function ports(wire: Wire, { switches }: Plan, node: string, state: 'up' | 'down'): string[] {
  const cables = cablesOf(wire.wiring, node).filter(
    ({ port }) => switches.length === 0 || switches.includes(port.switch),
  );
  return cables.map(({ port }) => `ip -n ${wire.namespaceOf(port.switch)} link set ${port.name} ${state}`);
}

function kill(wire: Wire, node: string): string {
  return `ip netns pids ${wire.namespaceOf(node)} | xargs -r kill -9`;
}

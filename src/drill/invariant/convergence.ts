/** After the last blow: does what is left come to rest (L1, L3)? */
import type { Lab } from '../../../drivers/lab.js';
import type { NodeStatus } from '../../status.js';
import { floatingAddresses } from '../floating.js';
import type { Scenario } from '../scenario.js';

export interface Unsettled {
  name: 'L1' | 'L3' | 'L5';
  text: string;
}

interface WrittenPackage {
  nodes?: string[];
  failover?: string;
  enabled?: boolean;
  dependsOn?: string | string[];
  excludes?: string | string[];
}

/** Alarms of what is over: they stand for a minute, so that somebody sees them. */
const TOLD_FOR_A_MINUTE: readonly string[] = ['gate-flushed', 'address-conflict', 'rival-manager'];
/** Nobody but an operator starts these elsewhere. */
const BY_HAND: readonly unknown[] = ['manual', 'never'];

export function showUnsettled({ name, text }: Unsettled): string {
  return `${name}: ${text}`;
}

/**
 * `core`: the nodes that are left, and can serve. L1: each package that may run on one of them is up there, with all its
 * addresses. L3: they agree; where they are all nodes no alarm remains, either.
 */
export async function unsettled(lab: Lab, scenario: Scenario, core: readonly string[]): Promise<Unsettled[]> {
  const isWhole = Object.keys(scenario.topology.nodes).every((name) => core.includes(name));
  const found: Unsettled[] = [];
  for (const text of packagesDown(lab, scenario, core, isWhole)) found.push({ name: 'L1', text });
  const said: NodeStatus[] = [];
  for (const name of core) {
    const status = await lab.status(name);
    if (status) said.push(status);
    else found.push({ name: 'L3', text: `${name} does not answer` });
  }
  for (const text of disagreements(said, core)) found.push({ name: 'L3', text });
  for (const text of stuck(said)) found.push({ name: 'L5', text });
  if (!isWhole) return found;
  for (const text of doubtfulNics(said)) found.push({ name: 'L3', text });
  for (const { node, alarms } of said)
    for (const { what, text } of alarms)
      if (!TOLD_FOR_A_MINUTE.includes(what)) found.push({ name: 'L3', text: `${node} has the alarm ${what}: ${text}` });
  return found;
}

function packagesDown(lab: Lab, scenario: Scenario, core: readonly string[], isWhole: boolean): string[] {
  const written = (scenario.cluster['packages'] ?? {}) as Record<string, WrittenPackage>;
  const floating = floatingAddresses(scenario);
  return Object.entries(written).flatMap(([name, one]) => {
    if (!mustRun(name, one, written, core, isWhole)) return [];
    const mine = floating.filter((candidate) => candidate.package === name);
    const holders = mine.map(({ address }) => lab.holder(address));
    const dark = mine
      .filter((_, i) => holders[i] === null)
      .map(({ address }) => `${name}: nobody answers for ${address}`);
    const nodes = new Set(holders.filter((holder) => holder !== null));
    return nodes.size > 1 ? [...dark, `${name} is on ${[...nodes].join(' and ')}`] : dark;
  });
}

/** With some nodes dead there may be no place for packages that depend on others or shun them. */
function mustRun(
  name: string,
  { nodes = [], failover, enabled, dependsOn, excludes }: WrittenPackage,
  all: Record<string, WrittenPackage>,
  core: readonly string[],
  isWhole: boolean,
): boolean {
  if (enabled === false || BY_HAND.includes(failover)) return false;
  if (!nodes.some((node) => core.includes(node))) return false;
  const shuns = [excludes ?? []].flat().length > 0;
  const isShunned = Object.values(all).some((other) => [other.excludes ?? []].flat().includes(name));
  const depends = [dependsOn ?? []].flat().length > 0;
  return isWhole || !(shuns || isShunned || depends);
}

/** With all healed, a NIC that is not up is one of which nobody asks any more. */
function doubtfulNics(said: readonly NodeStatus[]): string[] {
  return said.flatMap(({ node, nics }) =>
    nics.flatMap(({ name, health, reason }) =>
      health === 'up' ? [] : [`${node}.${name} is ${health} ${reason ?? ''}`.trimEnd()],
    ),
  );
}

function disagreements(said: readonly NodeStatus[], core: readonly string[]): string[] {
  const wrong: string[] = [];
  const differ = (what: string, of: (status: NodeStatus) => unknown): void => {
    const values = said.map((status) => `${status.node} ${String(of(status))}`);
    if (new Set(said.map((status) => String(of(status)))).size > 1) wrong.push(`${what}: ${values.join(', ')}`);
  };
  differ('coordinator', (status) => status.membership?.coordinator ?? 'none');
  differ('document', (status) => status.membership?.version);
  for (const { node, peers } of said)
    for (const peer of peers)
      if (core.includes(peer.node) && peer.health !== 'alive')
        wrong.push(`${node} says that ${peer.node} is ${peer.health}`);
  return wrong;
}

/** What only an operator could end. */
function stuck(said: readonly NodeStatus[]): string[] {
  const wrong: string[] = [];
  for (const { node, membership } of said) {
    if (membership?.previousVoters !== undefined) wrong.push(`${node}: the voters are being changed`);
    if (membership?.hasVote === false) wrong.push(`${node} has no vote: ${membership.voters.join(', ')}`);
    // Without packages there is no quorum to have.
    if (membership?.quorum === false) wrong.push(`${node} has no quorum: ${membership.waiting ?? ''}`);
  }
  return wrong;
}

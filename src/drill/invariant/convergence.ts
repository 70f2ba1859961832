import type { NodeStatus } from '../../status.js';
import { addressesOf } from '../../takeover/floating-address.js';
import type { SimulatedScene } from './scene.js';

export interface Unsettled {
  name: 'L1' | 'L3';
  text: string;
}

/**
 * After the last blow is healed. L1: each package is up, on one node, with all its addresses. L3: all nodes agree, and no
 * alarm remains but those in `forgiven`.
 */
export async function unsettled(scene: SimulatedScene, forgiven: ReadonlySet<string>): Promise<Unsettled[]> {
  const found: Unsettled[] = [];
  for (const text of packagesDown(scene)) found.push({ name: 'L1', text });
  const said: NodeStatus[] = [];
  for (const { name } of scene.cluster.nodes) {
    const status = await scene.lab.status(name);
    if (status) said.push(status);
    else found.push({ name: 'L3', text: `${name} does not answer` });
  }
  for (const text of disagreements(said)) found.push({ name: 'L3', text });
  for (const { node, alarms } of said)
    for (const { what, text } of alarms)
      if (!forgiven.has(what)) found.push({ name: 'L3', text: `${node} has the alarm ${what}: ${text}` });
  return found;
}

function packagesDown({ cluster, lab }: SimulatedScene): string[] {
  const wrong: string[] = [];
  for (const { name } of cluster.packages) {
    const holders = new Set<string>();
    for (const { prefix } of addressesOf(cluster, name)) {
      const answering = lab.watcher.answering(prefix.address);
      if (answering.length !== 1) wrong.push(`${name}: ${answering.length} nodes answer for ${prefix.address}`);
      for (const node of answering) holders.add(node);
    }
    if (holders.size > 1) wrong.push(`${name} is on ${[...holders].join(' and ')}`);
  }
  return wrong;
}

function disagreements(said: readonly NodeStatus[]): string[] {
  const wrong: string[] = [];
  const differ = (what: string, of: (status: NodeStatus) => unknown): void => {
    const values = said.map((status) => `${status.node} ${String(of(status))}`);
    if (new Set(said.map((status) => String(of(status)))).size > 1) wrong.push(`${what}: ${values.join(', ')}`);
  };
  differ('coordinator', (status) => status.membership?.coordinator ?? 'none');
  differ('document', (status) => status.membership?.version);
  for (const { node, membership } of said) {
    if (membership?.previousVoters !== undefined) wrong.push(`${node}: the voters are being changed`);
    if (membership?.hasVote === false) wrong.push(`${node} has no vote: ${membership.voters.join(', ')}`);
  }
  for (const { node, peers, membership } of said) {
    if (!membership?.quorum) wrong.push(`${node} has no quorum: ${membership?.waiting ?? ''}`);
    for (const peer of peers)
      if (peer.health !== 'alive') wrong.push(`${node} says that ${peer.node} is ${peer.health}`);
  }
  return wrong;
}

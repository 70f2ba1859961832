/** How an explored story ends: which nodes are healed, what an operator still puts in order, and what peace is demanded. */
import type { Network } from '../../../drivers/simulator/network.js';
import type { Random } from '../../../drivers/simulator/random.js';
import type { Ms } from '../../input.js';
import { chance, shuffled } from './dice.js';
import { canServe } from './losses.js';
import type { Schedule } from './schedule.js';
import type { Drawn } from './topology.js';

/** From the last heal to peace: daemons boot, old leases end, elections, waits for peers at the start, hysteresis of alarms. */
const PEACE_WITHIN_MS: Ms = 45_000;
/** An operator comes by so often. */
const TIDIED_AT_MS: readonly Ms[] = [1500, 8000, 15_000, 25_000];
/** From the last heal to an operator in front of the rack, who sees what is still off. */
export const BY_HAND_AT_MS: Ms = 12_000;
/** When the key that is being replaced is taken out. */
const FINISHED_AT_MS: Ms = 22_000;
const TRIES = 6;

/** All nodes, or some that by the rules can serve without the others, which stay dead. */
export function drawCore(random: Random, network: Network, { nodes, scenario }: Drawn): string[] {
  if (nodes.length === 1 || chance(random, 0.5) || scenario.cluster['quorum'] === 'none') return [...nodes];
  // Ports that an agent shut are opened by the others, or at the switch, where nobody goes here.
  if (Object.values(scenario.topology.fences).some(({ shuts }) => shuts === 'ports')) return [...nodes];
  for (let n = 0; n < TRIES; n++) {
    const core = shuffled(random, nodes).slice(0, 1 + Math.floor(random.unit() * (nodes.length - 1)));
    if (canServe(network, core)) return nodes.filter((name) => core.includes(name));
  }
  return [...nodes];
}

export function peaceWithinMs(nodeTimeoutMs: Ms): Ms {
  return PEACE_WITHIN_MS + 10 * nodeTimeoutMs;
}

/** Commands at that node, each with its moment after the last heal, for what operators did and what only they can undo. */
export function tidying(schedule: Schedule, drawn: Drawn, core: readonly string[]): { after: Ms; command: string }[] {
  const asked = schedule.blows.flatMap((blow) => (blow.do === 'ask' ? [blow.request] : []));
  const commands = new Set<string>();
  for (const request of asked) {
    if (request.ask === 'cluster-halt') commands.add('cluster run');
    if ((request.ask === 'node-halt' || request.ask === 'node-remove') && core.includes(request.node))
      commands.add(`node run ${request.node}`);
    if (request.ask === 'package-halt' || request.ask === 'package-disable')
      commands.add(`package enable ${request.package}`).add(`package start ${request.package}`);
  }
  const written = drawn.scenario.cluster['packages'] as Record<string, { failover?: string }>;
  for (const [name, { failover }] of Object.entries(written))
    if (failover === 'manual' || failover === 'never') commands.add(`package start ${name}`);
  if (drawn.scenario.cluster['fenceAgents'] !== undefined)
    for (const name of core) commands.add(`node unfence ${name}`);
  return TIDIED_AT_MS.flatMap((after) => [...commands].map((command) => ({ after, command })));
}

/** What is to be done at each node itself. */
export function unlocking(
  { blows }: Schedule,
  core: readonly string[],
): { after: Ms; node: string; command: string }[] {
  const locked = new Set(
    blows.flatMap((blow) => (blow.do === 'ask' && blow.request.ask === 'link-lock' ? [blow.request.nic] : [])),
  );
  return TIDIED_AT_MS.slice(0, 2).flatMap((after) =>
    core.flatMap((node) => [...locked].map((nic) => ({ after, node, command: `link unlock ${nic}` }))),
  );
}

/**
 * At each node, where the MAC moves along: a net that an operator put on a standby, or that by the file goes home by hand alone,
 * stays there, and where the test frame was lost in the blows it stays without its MAC, with the alarm `mac-refused`, until the
 * operator puts it back (docs/macs.md).
 */
export function puttingBack(
  { blows }: Schedule,
  { scenario }: Drawn,
  core: readonly string[],
): { after: Ms; node: string; command: string }[] {
  const { nets, nodes } = scenario.cluster as {
    nets: Record<string, { mac?: string; autoSwitchBack?: boolean }>;
    nodes: Record<string, Record<string, { primary: string } | undefined>>;
  };
  const moved = new Set(
    blows.flatMap((blow) => (blow.do === 'ask' && blow.request.ask === 'link-switch' ? [blow.request.net] : [])),
  );
  const followed = Object.entries(nets).flatMap(([name, { mac, autoSwitchBack }]) =>
    mac === 'follow' && (moved.has(name) || autoSwitchBack === false) ? [name] : [],
  );
  return TIDIED_AT_MS.slice(1, 3).flatMap((after) =>
    core.flatMap((node) =>
      followed.flatMap((net) => {
        const home = nodes[node]?.[net]?.primary;
        return home === undefined ? [] : [{ after, node, command: `link switch --net ${net} --to ${home}` }];
      }),
    ),
  );
}

/**
 * The rotation of the key that was begun at the first node is finished: by force, as some may not say that they know the new
 * key, and so not before nodes that had to be opened or switched on by hand got it, too.
 */
export function keyCopies({ blows }: Schedule, { nodes }: Drawn): { after: Ms; fault?: string; command?: string }[] {
  if (!blows.some((blow) => blow.do === 'command' && blow.command.startsWith('keygen'))) return [];
  const [first, ...others] = nodes;
  const copies = (after: Ms) => others.map((name) => ({ after, fault: `copy-key ${first!} ${name}` }));
  const finish = { after: FINISHED_AT_MS, command: 'keygen --rotate --finish --force' };
  return [...copies(500), ...copies(BY_HAND_AT_MS + 6000), finish, ...copies(FINISHED_AT_MS + 100)];
}

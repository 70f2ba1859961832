/** Brings a lab's cluster, fresh from its start, to where a situation stands, by what operators and misfortunes do. */
import type { Lab } from '../../../drivers/lab.js';
import type { Ms } from '../../input.js';
import type { NodeStatus } from '../../status.js';
import { parseFault } from '../scenario.js';
import type { Situation, Standing } from './situation.js';

const LOOK_EVERY_MS: Ms = 100;
/** Nodes that wait for each other at the start do so for ten seconds. */
const SETTLES_WITHIN_MS: Ms = 30_000;
const QUIET_FOR_MS: Ms = 1000;

/** What could not be arranged, in words. */
export async function arrange(lab: Lab, situation: Situation): Promise<string[]> {
  const { cluster, standing } = situation;
  const nodes = cluster.nodes.map(({ name }) => name);
  const awaited = cluster.packages.filter(({ enabled }) => enabled).map(({ name }) => name);
  const quiet = await settle(lab, nodes, cluster.timing.nodeTimeoutMs, awaited);
  const wrong = quiet ? [] : ['the cluster did not come to rest after its start'];
  if (isAllWell(standing)) return wrong;
  wrong.push(...(await operate(lab, situation)));
  await settle(lab, nodes, cluster.timing.nodeTimeoutMs);
  for (const fault of misfortunes(standing)) await lab.inflict(parseFault(fault));
  const silent = [...standing.lost, ...standing.left];
  const living = nodes.filter((node) => !silent.includes(node));
  // What is silent is found out, and what follows from it done.
  await lab.runUntil(lab.now() + 4 * cluster.timing.nodeTimeoutMs);
  await settle(lab, living, cluster.timing.nodeTimeoutMs);
  return [...wrong, ...(await differences(lab, situation, living))];
}

/** Who coordinates is arranged by who starts first. */
function isAllWell(standing: Standing): boolean {
  return Object.entries(standing).every(([key, one]: [string, Standing[keyof Standing]]) => {
    if (key === 'coordinator' || one === null || one === false) return true;
    return typeof one === 'object' && Object.keys(one).length === 0;
  });
}

/** In the order in which they hurt least: what was steered first, while all is well. */
async function operate(lab: Lab, { cluster, standing }: Situation): Promise<string[]> {
  const [speaker] = cluster.nodes.map(({ name }) => name);
  const wrong: string[] = [];
  const say = async (node: string, ...command: string[]): Promise<void> => {
    const { code, stderr } = await lab.operate(node, command);
    if (code !== 0) wrong.push(`${node}: ${command.join(' ')}: ${stderr.trim()}`);
  };
  const status = await lab.status(speaker!);
  for (const [name, node] of Object.entries(standing.holders))
    if (status?.packages.find((one) => one.name === name)?.node !== node)
      await say(speaker!, 'package', 'move', name, '--to', node);
  for (const name of standing.stopped) await say(speaker!, 'package', 'halt', name);
  for (const name of standing.disabled) await say(speaker!, 'package', 'disable', name);
  for (const { node, net, nic } of standing.carried)
    if (
      !isDown(
        standing,
        node,
        cluster.nodes.find((one) => one.name === node)?.nets.find((one) => one.net === net)?.primary,
      )
    )
      await say(node, 'link', 'switch', '--net', net, '--to', nic);
  for (const { node, nic } of standing.locked) await say(node, 'link', 'lock', nic);
  for (const node of standing.halted) await say(speaker!, 'node', 'halt', node);
  return wrong;
}

function isDown({ nics }: Standing, node: string, nic: string | undefined): boolean {
  return nic !== undefined && `${node}.${nic}` in nics;
}

function misfortunes(standing: Standing): string[] {
  const silent = [...standing.lost, ...standing.left];
  const nics = Object.entries(standing.nics).filter(([nic]) => !silent.includes(nic.split('.')[0]!));
  return [
    ...nics.map(([nic, reason]) => misfortuneOf(nic, reason)),
    ...(standing.arbiterDead ? ['arbiter-off'] : []),
    ...standing.left.map((node) => `stop ${node}`),
    ...standing.lost.map((node) => `power-off ${node}`),
  ];
}

/** What makes a NIC look so. */
function misfortuneOf(nic: string, reason: string): string {
  switch (reason) {
    case 'carrier':
      return `cut ${nic}`;
    case 'admin':
      return `admin-down ${nic}`;
    case 'missing':
      return `delete ${nic}`;
    case 'deaf':
      return `drop in ${nic}`;
    case 'mute':
      return `drop out ${nic}`;
    default:
      return `drop both ${nic}`;
  }
}

/** Until nothing changes any more; `awaited`: packages that must run. False: it goes on changing. */
async function settle(
  lab: Lab,
  nodes: readonly string[],
  nodeTimeoutMs: Ms,
  awaited: readonly string[] = [],
): Promise<boolean> {
  const from = lab.now();
  const quietMs = Math.max(QUIET_FOR_MS, nodeTimeoutMs);
  let before = '';
  let since = from;
  while (lab.now() - from < SETTLES_WITHIN_MS + 10 * nodeTimeoutMs) {
    const statuses = await Promise.all(nodes.map((node) => lab.status(node)));
    const now = JSON.stringify(statuses.map((status) => (status === null ? null : lookOf(status))));
    const busy = statuses.some((status) => status === null || isBusy(status, awaited));
    if (busy || now !== before) since = lab.now();
    before = now;
    if (lab.now() - since >= quietMs) return true;
    await lab.runUntil(lab.now() + LOOK_EVERY_MS);
  }
  return false;
}

function isBusy({ nics, nets, membership, packages }: NodeStatus, awaited: readonly string[]): boolean {
  if (nics.some(({ health }) => health === 'suspect') || nets.some(({ switching }) => switching)) return true;
  if (packages.some(({ state }) => state === 'starting' || state === 'halting')) return true;
  if (awaited.length === 0) return false;
  return (
    membership?.quorum !== true || packages.some(({ name, state }) => awaited.includes(name) && state !== 'running')
  );
}

function lookOf({ nics, nets, peers, membership, packages, gate }: NodeStatus): unknown {
  return [
    nics.map(({ health, reason }) => [health, reason]),
    nets.map(({ carrier }) => carrier),
    peers.map(({ health }) => health),
    [membership?.coordinator, membership?.role, membership?.voters, membership?.previousVoters],
    packages.map(({ state, node }) => [state, node]),
    gate,
  ];
}

async function differences(lab: Lab, { standing }: Situation, living: readonly string[]): Promise<string[]> {
  const status = living[0] === undefined ? null : await lab.status(living[0]);
  const wrong = Object.entries(standing.holders).flatMap(([name, node]) => {
    const found = status?.packages.find((one) => one.name === name)?.node ?? null;
    return found === node ? [] : [`${name} is on ${node}, and came to ${found ?? 'no node'} in the simulator`];
  });
  const found = status?.membership?.coordinator ?? null;
  if (standing.coordinator !== null && found !== standing.coordinator)
    wrong.push(`${standing.coordinator} coordinates, and ${found ?? 'nobody'} does in the simulator`);
  return wrong;
}

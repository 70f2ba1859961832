/** A node that loses its power, and boots again: what a reboot keeps and what it does not. */
import type { Scenario } from '../../src/drill/scenario.js';
import { ip, run } from './shell.js';
import { raiseNode, untilUp } from './topology.js';
import { setPorts, type Wire } from './wire-faults.js';
import { cablesOf } from './wiring.js';

/** Between two namespaces the NICs of a node wait here. */
const BETWEEN = 'boot';

async function processesOf(namespace: string): Promise<number[]> {
  const text = await run('ip', ['netns', 'pids', namespace]);
  return text.split(/\s+/).filter(Boolean).map(Number);
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended meanwhile.
    }
  }
}

/**
 * Its programs stop at one moment, its cables lose their carrier, then the programs are gone: whatever dies first, nothing
 * is said about it.
 */
export async function loseNode(wire: Wire, node: string): Promise<void> {
  const namespace = wire.namespaceOf(node);
  const pids = await processesOf(namespace);
  signalAll(pids, 'SIGSTOP');
  await setPorts(
    wire,
    cablesOf(wire.wiring, node).map((cable) => cable.port),
    'down',
  );
  signalAll(pids, 'SIGKILL');
}

/**
 * The NICs in a new namespace of the same name: without addresses, routes, neighbours, rules and settings of the life
 * before, and then with those of a boot. MACs, ports and the filters at the ports stay.
 */
export async function bootNode(wire: Wire, node: string, scenario: Scenario): Promise<void> {
  const cables = cablesOf(wire.wiring, node);
  const nics = cables.map((cable) => cable.nic);
  const namespace = wire.namespaceOf(node);
  const between = `${namespace}${BETWEEN}`;
  await ip(undefined, [`netns add ${between}`]);
  await ip(
    namespace,
    nics.map((nic) => `link set ${nic} netns ${between}`),
  );
  await ip(undefined, [`netns del ${namespace}`, `netns add ${namespace}`]);
  await ip(
    between,
    nics.map((nic) => `link set ${nic} netns ${namespace}`),
  );
  await ip(undefined, [`netns del ${between}`]);
  await raiseNode(node, scenario, wire.namespaceOf);
  await setPorts(
    wire,
    cables.map((cable) => cable.port),
    'up',
  );
  await untilUp(namespace);
}

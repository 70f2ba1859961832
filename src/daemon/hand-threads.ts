/** The threads behind the engine: hands always, gate, arbiter and serial line where the cluster has something for them to do. */
import { type ResourceLimits, Worker } from 'node:worker_threads';
import { type ArbiterData, type ArbiterHand, PortArbiterHand } from '../../drivers/arbiter/arbiter-port.js';
import { type GateData, type GateHand, PortGateHand } from '../../drivers/linux/gate-port.js';
import { PortSerialHand, type SerialData, type SerialHand } from '../../drivers/linux/serial-port.js';
import { PortHands, type Hands, type HandsData } from '../../drivers/linux/hands-port.js';
import type { Arbiter, Cluster, ClusterNode } from '../config/cluster.js';
import { floatingTexts } from '../takeover/floating-address.js';
import { hasGate } from '../takeover/gate-order.js';
import { macvlansOf } from '../takeover/macvlan.js';
import { OBSERVED_SETTINGS } from '../takeover/settings.js';
import type { EngineSettings } from './engine-port.js';
import { heapLimits } from './heap.js';

export interface HandThreads {
  hands: Hands;
  gate?: GateHand;
  arbiter?: ArbiterHand;
  serial?: SerialHand;
}

/** `note`: a line for the log. `fail`: a hand has died. */
export function startHands(
  settings: EngineSettings,
  self: ClusterNode,
  note: (text: string) => void,
  fail: (text: string) => void,
): HandThreads {
  const { cluster } = settings;
  const limits = heapLimits('hand', cluster, self.name);
  const threads: HandThreads = {
    hands: new PortHands(start('hands', '../../drivers/linux/hands.js', handsData(settings, self), limits, fail)),
  };
  if (cluster.packages.length > 0 && !settings.shadow) {
    const arbiter = arbiterOf(cluster);
    if (hasGate(cluster)) {
      const data: GateData = { addresses: floatingTexts(cluster), renewLateMaxMs: cluster.timing.renewLateMaxMs };
      threads.gate = new PortGateHand(start('gate', '../../drivers/linux/gate/hand.js', data, limits, fail));
    }
    if (arbiter !== undefined) {
      const data = arbiterData(settings, arbiter);
      threads.arbiter = new PortArbiterHand(start('arbiter', '../../drivers/arbiter/hand.js', data, limits, fail));
    }
  }
  // A shadow leaves the line to whom it belongs.
  if (self.serial !== undefined && !settings.shadow) {
    const data: SerialData = self.serial;
    threads.serial = new PortSerialHand(start('serial', '../../drivers/linux/serial/hand.js', data, limits, fail));
  }
  for (const hand of Object.values(threads) as HandThreads[keyof HandThreads][]) hand?.onNote?.(note);
  return threads;
}

function arbiterData({ cluster, node, keys }: EngineSettings, arbiter: Arbiter): ArbiterData {
  if (arbiter.kind === 'etcd') return { etcd: { cluster: cluster.name, arbiter } };
  // The older of two first: with that one all can read what this node writes.
  const inHex = keys.map((key) => Buffer.from(key).toString('hex'));
  return { disk: { paths: arbiter.paths, cluster: cluster.name, node, keys: inHex, keyFile: cluster.key } };
}

function handsData(settings: EngineSettings, self: ClusterNode): HandsData {
  const { cluster, runDir, stateDir } = settings;
  return {
    nics: [
      ...new Set(self.nets.flatMap((net) => [net.primary, ...net.standby])),
      ...macvlansOf(cluster, self).map(({ name }) => name),
    ],
    peers: peersOf(cluster, self),
    settings: [...OBSERVED_SETTINGS],
    runDir,
    ...(cluster.packages.length > 0 && { stateDir }),
  };
}

/** Addresses of the other nodes, whose neighbour entries a switch copies. */
function peersOf(cluster: Cluster, self: ClusterNode): string[] {
  const others = cluster.nodes.filter((other) => other.name !== self.name);
  return others.flatMap((other) => other.nets.flatMap((net) => net.addresses.map((prefix) => prefix.address)));
}

function arbiterOf({ quorum }: Cluster): Arbiter | undefined {
  return quorum === undefined || quorum === 'none' ? undefined : quorum.arbiter;
}

/** Without one of its hands the engine can do nothing more for the node: better a new start, which adopts what is there. */
function start(
  name: string,
  file: string,
  workerData: unknown,
  resourceLimits: ResourceLimits,
  fail: (text: string) => void,
): Worker {
  const worker = new Worker(new URL(file, import.meta.url), { workerData, name, resourceLimits });
  worker.on('error', (error: Error) => fail(`the thread ${name} failed: ${error.stack ?? error.message}`));
  return worker;
}

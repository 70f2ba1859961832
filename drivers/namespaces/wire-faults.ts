/**
 * Faults of cables, ports, trunks and switches. Each gives back what heals it. Carriers are broken at the switch's end,
 * frames are dropped at the switch's port, so nothing of it is to be seen in the namespace of the node.
 */
import type { Fault } from '../../src/drill/scenario.js';
import { ip, nft } from './shell.js';
import type { NamespaceOf } from './topology.js';
import { CLIENT_NIC, cableAt, cablesOf, portsOf, type Cable, type Port, type Wiring } from './wiring.js';

export type Undo = () => Promise<void>;

export type WireFault = Extract<
  Fault,
  {
    fault:
      | 'cut'
      | 'drop'
      | 'bind-port'
      | 'loss'
      | 'trunk'
      | 'switch-off'
      | 'switch-mute'
      | 'flap'
      | 'client-off'
      | 'block'
      | 'split';
  }
>;

export interface Wire {
  wiring: Wiring;
  namespaceOf: NamespaceOf;
  /** The client that has the arbiter. */
  arbiter?: string;
  /** Ends what goes on by itself. */
  signal: AbortSignal;
  /** Told of an error in what goes on by itself: the drill did not get the world that it wanted. */
  onFailure: (error: Error) => void;
}

/** `ingress`: from the cable into the switch. `egress`: out of the switch into the cable. */
type Hook = 'ingress' | 'egress';

interface Filter {
  port: Port;
  hooks: readonly Hook[];
  /** nft statement: `drop`, or with a condition before it. */
  rule: string;
}

const BOTH: readonly Hook[] = ['ingress', 'egress'];

let tables = 0;

/** One netdev table per switch holds the filters of one fault. */
async function filter(wire: Wire, filters: readonly Filter[]): Promise<Undo> {
  const table = `fault${tables++}`;
  const switches = [...new Set(filters.map((f) => f.port.switch))];
  for (const name of switches) {
    const chains = filters
      .filter((f) => f.port.switch === name)
      .flatMap((f) =>
        f.hooks.map(
          (hook) =>
            `chain ${f.port.name}_${hook} { type filter hook ${hook} device "${f.port.name}" priority 0; ${f.rule}; }`,
        ),
      );
    await nft(wire.namespaceOf(name), `table netdev ${table} {\n${chains.join('\n')}\n}\n`);
  }
  return async () => {
    for (const name of switches) await nft(wire.namespaceOf(name), `delete table netdev ${table}\n`);
  };
}

/** All at the same moment, as far as several programs can. */
export async function setPorts(wire: Wire, ports: readonly Port[], state: 'up' | 'down'): Promise<void> {
  const switches = [...new Set(ports.map((port) => port.switch))];
  await Promise.all(
    switches.map((name) =>
      ip(
        wire.namespaceOf(name),
        ports.filter((port) => port.switch === name).map((port) => `link set ${port.name} ${state}`),
      ),
    ),
  );
}

async function powerOff(wire: Wire, ports: readonly Port[]): Promise<Undo> {
  await setPorts(wire, ports, 'down');
  return () => setPorts(wire, ports, 'up');
}

/** The watchers' own aside. */
export function cablesOfAll({ wiring }: Wire): Cable[] {
  return wiring.cables.filter((cable) => !wiring.watchers.includes(cable.owner));
}

/** Nothing that one of `from` sends reaches `to`: a switch leaves the source MAC of every frame as it is. */
function deafTo(wire: Wire, to: string, from: readonly string[]): Filter[] {
  const macs = from.flatMap((owner) => cablesOf(wire.wiring, owner).map((cable) => cable.mac));
  if (macs.length === 0) return [];
  const rule = `ether saddr { ${macs.join(', ')} } drop`;
  return cablesOf(wire.wiring, to).map((cable) => ({ port: cable.port, hooks: ['egress'], rule }));
}

/** Name of the client that stands for `arbiter`. */
function standsFor(wire: Wire, name: string): string {
  if (name !== 'arbiter') return name;
  if (wire.arbiter === undefined) throw new Error('the topology has no arbiter');
  return wire.arbiter;
}

function splitFilters(wire: Wire, groups: readonly string[][]): Filter[] {
  const sides = groups.map((group) => group.map((name) => standsFor(wire, name)));
  return sides.flatMap((side) => {
    const others = sides.filter((other) => other !== side).flat();
    return side.flatMap((name) => deafTo(wire, name, others));
  });
}

function lossFilters(wire: Wire, fault: Extract<Fault, { fault: 'loss' }>): Filter[] {
  // nft compares with 0 to 99 only.
  const rule = fault.percent === 100 ? 'drop' : `numgen random mod 100 < ${fault.percent} drop`;
  if (fault.at) return [{ port: cableAt(wire.wiring, fault.at).port, hooks: BOTH, rule }];
  return [
    ...cablesOfAll(wire).map((cable) => ({ port: cable.port, hooks: BOTH, rule })),
    // Both ends of a trunk are ports of switches: one hook at each is one loss a direction.
    ...wire.wiring.trunks.flatMap((trunk) => trunk.ends.map((port): Filter => ({ port, hooks: ['ingress'], rule }))),
  ];
}

/** Resolves when `at` (monotonic milliseconds) has come, or at once when aborted. */
function until(at: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, at - performance.now());
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}

/** Keeps its period whatever `ip` takes. */
async function flap(wire: Wire, fault: Extract<Fault, { fault: 'flap' }>, port: Port): Promise<void> {
  let next = performance.now();
  for (let i = 0; i < fault.times && !wire.signal.aborted; i++) {
    await setPorts(wire, [port], 'down');
    await until((next += fault.downMs), wire.signal);
    if (wire.signal.aborted) return;
    await setPorts(wire, [port], 'up');
    await until((next += fault.upMs), wire.signal);
  }
}

/** Resolves when the fault is in force; null: it ends by itself. */
export async function breakWire(wire: Wire, fault: WireFault): Promise<Undo | null> {
  const { wiring } = wire;
  switch (fault.fault) {
    case 'cut':
      return powerOff(wire, [cableAt(wiring, fault.at).port]);
    case 'drop': {
      const hooks: Record<typeof fault.direction, readonly Hook[]> = { in: ['egress'], out: ['ingress'], both: BOTH };
      return filter(wire, [{ port: cableAt(wiring, fault.at).port, hooks: hooks[fault.direction], rule: 'drop' }]);
    }
    case 'bind-port': {
      const { port, mac } = cableAt(wiring, fault.at);
      return filter(wire, [{ port, hooks: ['ingress'], rule: `ether saddr != ${mac} drop` }]);
    }
    case 'client-off': {
      const cable = cableAt(wiring, { node: fault.client, nic: CLIENT_NIC });
      return filter(wire, [{ port: cable.port, hooks: BOTH, rule: 'drop' }]);
    }
    case 'loss':
      return filter(wire, lossFilters(wire, fault));
    case 'trunk': {
      const trunk = wiring.trunks.find((t) => t.name === fault.trunk);
      if (!trunk) throw new Error(`the topology has no trunk "${fault.trunk}"`);
      return powerOff(wire, [trunk.ends[0]]);
    }
    case 'switch-off':
      return powerOff(wire, portsOf(wiring, fault.switch));
    case 'switch-mute':
      return filter(
        wire,
        portsOf(wiring, fault.switch).map((port) => ({ port, hooks: ['ingress'], rule: 'drop' })),
      );
    case 'block':
      return filter(wire, deafTo(wire, standsFor(wire, fault.to), [standsFor(wire, fault.from)]));
    case 'split':
      return filter(wire, splitFilters(wire, fault.groups));
    case 'flap': {
      const { port } = cableAt(wiring, fault.at);
      void flap(wire, fault, port).catch(wire.onFailure);
      return null;
    }
  }
}

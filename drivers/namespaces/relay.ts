/**
 * Frames that come twice, late or again. A port's egress hook hands frames over to a tap, and a relay beside the switch
 * sends them out of that port, at once or later. What was recorded comes in by a port of its own from which the bridge
 * does not learn, so that no MAC moves.
 *
 *     bridge ── p1 egress hook ──▶ node
 *                  └ dup / fwd ─▶ tap ─▶ relay ─▶ p1, past the hook
 */
import type { Fault } from '../../src/drill/scenario.js';
import { Prober, compileProber } from './prober.js';
import { ip, nft } from './shell.js';
import { BRIDGE } from './topology.js';
import { cablesOfAll, type Undo, type Wire } from './wire-faults.js';
import { cableAt, portsOf, type Port } from './wiring.js';

type Disturbance = Extract<Fault, { fault: 'duplicate' | 'reorder' }>;

/** How late a frame may come that others overtake. */
const LATE_MAX_MS = 30;

let relays = 0;

/** Frames with this source, or any, that leave by the port. */
interface Handed {
  port: Port;
  from?: string;
}

function handedOver(wire: Wire, fault: Disturbance): Handed[] {
  if (!fault.at) return cablesOfAll(wire).map(({ port }) => ({ port }));
  const cable = cableAt(wire.wiring, fault.at);
  // What it sends leaves the switch by the other ports.
  const others = portsOf(wire.wiring, cable.port.switch).filter((port) => port.name !== cable.port.name);
  return [{ port: cable.port }, ...others.map((port) => ({ port, from: cable.mac }))];
}

export async function disturb(wire: Wire, fault: Disturbance): Promise<Undo> {
  const statement = fault.fault === 'duplicate' ? 'dup' : 'fwd';
  const lateMaxMs = fault.fault === 'duplicate' ? 0 : LATE_MAX_MS;
  const handed = handedOver(wire, fault);
  const id = relays++;
  const undo: Undo[] = [];
  for (const name of new Set(handed.map(({ port }) => port.switch))) {
    const here = handed.filter(({ port }) => port.switch === name);
    const namespace = wire.namespaceOf(name);
    const tapOf = (port: Port): string => `late${id}-${port.name}`;
    await ip(
      namespace,
      here.flatMap(({ port }) => [`tuntap add dev ${tapOf(port)} mode tap`, `link set ${tapOf(port)} up`]),
    );
    const words = here.flatMap(({ port }) => ['relay', tapOf(port), port.name, String(lateMaxMs)]);
    const relay = await Prober.start(await compileProber(), namespace, name, words);
    // nft compares with 0 to 99 only.
    const chance = fault.percent === 100 ? '' : `numgen random mod 100 < ${fault.percent} `;
    const chains = here.map(
      ({ port, from }) =>
        `chain ${port.name} { type filter hook egress device "${port.name}" priority 10;\n` +
        `${from === undefined ? '' : `ether saddr ${from} `}${chance}${statement} to "${tapOf(port)}"\n}`,
    );
    await nft(namespace, `table netdev late${id} {\n${chains.join('\n')}\n}\n`);
    undo.push(async () => {
      await nft(namespace, `delete table netdev late${id}\n`);
      await relay.stop();
      await ip(
        namespace,
        here.map(({ port }) => `link delete ${tapOf(port)}`),
      );
    });
  }
  return async () => {
    for (const each of undo) await each();
  };
}

/** Keeps baton's frames that come into the switch from now on. */
export async function record(wire: Wire, name: string): Promise<Prober> {
  const namespace = wire.namespaceOf(name);
  await ip(namespace, [
    `link add name again type veth peer name againin`,
    `link set againin master ${BRIDGE} up`,
    `link set againin type bridge_slave learning off flood off mcast_flood off bcast_flood off`,
    `link set again up`,
  ]);
  const words = portsOf(wire.wiring, name).flatMap((port) => ['record', port.name]);
  return Prober.start(await compileProber(), namespace, name, [...words, 'replay', 'again']);
}

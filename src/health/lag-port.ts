/** The ports of a bond or team: told when they change. They decide nothing, for the bond is up while one of them lives. */
import type { Action } from '../action.js';
import type { LagPort, Ms } from '../input.js';
import { record } from './account.js';
import type { HealthState, NicState } from './state.js';

/** `observed`: undefined for a NIC that is no bond, or is missing. */
export function followPorts(
  state: HealthState,
  nic: NicState,
  observed: readonly LagPort[] | undefined,
  now: Ms,
  out: Action[],
): void {
  const before = nic.ports;
  nic.ports = observed === undefined ? null : [...observed];
  if (before === null || observed === undefined) return;
  const stateOf = (ports: readonly LagPort[], name: string): string =>
    ports.find((port) => port.nic === name)?.state ?? 'gone';
  for (const port of new Set([...before, ...observed].map((one) => one.nic))) {
    const [from, to] = [stateOf(before, port), stateOf(observed, port)];
    if (from === to) continue;
    const evidence = { port, ports: Object.fromEntries(observed.map((one) => [one.nic, one.state])) };
    out.push({
      kind: 'journal',
      entry: { at: now, event: 'port', net: nic.net, nic: nic.nic, from, to, cause: port, evidence },
    });
    record({ state, now, out }, nic.nic, `port ${port}: ${from} → ${to}`, 'port', evidence);
  }
}

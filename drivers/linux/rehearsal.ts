/**
 * Steps performed on nothing, at start: V8 compiles a function when it first runs, which made the first switch of a daemon,
 * often its only one, four times as slow as the second.
 */
import type { Step } from '../../src/action.js';
import type { Route } from '../../src/input.js';
import { encodeLinkByName, RTM_GETLINK } from './netlink/link.js';
import type { Session } from './netlink/session.js';
import { performStep, type StepTools } from './step.js';

const ROUNDS = 3;

const MACVLAN = { ifindex: 1, mac: '', mtu: 1500, linkType: 1, admin: true, carrier: true } as const;

/** Changes nothing: the kernel is asked only for the loopback link. Throws nothing that matters later. */
export function rehearse(session: Session): void {
  const tools: StepTools = {
    session: { request: () => undefined, dump: () => [], filters: true },
    names: { nameOf: () => 'lo', indexOf: () => 1 },
    memberships: { join: () => undefined, leave: () => undefined },
    linkOf: (name) => ({ ...MACVLAN, name }),
    isMonitored: () => true,
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (const step of [...sampleSteps('192.0.2.1', '192.0.2.0/24'), ...sampleSteps('2001:db8::1', '2001:db8::/64')])
      performStep(step, tools);
    session.request(RTM_GETLINK, 0, encodeLinkByName('lo'));
  }
}

/** One of each kind, with addresses for documentation (RFC 5737, RFC 3849). */
function sampleSteps(local: string, destination: string): Step[] {
  const nic = 'lo';
  const family = local.includes(':') ? 6 : 4;
  const address = {
    family,
    local,
    prefixLength: 32,
    label: 'lo:0',
    scope: 0,
    flags: 2,
    validS: 9,
    preferredS: 9,
  } as const;
  const route: Route = { family, destination, table: 254, protocol: 4, scope: 0, type: 1, tos: 0, nic, flags: 0 };
  const whole: Route = { ...route, gateway: local, preferredSource: local, metric: 1, metrics: { 2: 1400 } };
  const legs: Route = { ...route, nextHops: [{ nic, gateway: local, flags: 0, hops: 0 }] };
  const neighbour = { family, address: local, mac: '02:00:00:00:00:01', state: 4, flags: 0 } as const;
  return [
    { do: 'add-address', nic, address },
    { do: 'set-neighbour', nic, neighbour },
    { do: 'replace-route', route: whole },
    { do: 'append-route', route: legs },
    { do: 'flush-neighbours', nic },
    { do: 'join-group', nic, group: local },
    { do: 'leave-group', nic, group: local },
    { do: 'delete-route', route: whole },
    { do: 'delete-neighbour', nic, neighbour },
    { do: 'delete-address', nic, address },
    { do: 'set-link', nic, up: true },
  ];
}

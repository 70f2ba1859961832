/** Random hosts: two NICs of one net, one of another, and on the first a random portfolio that the model kernel accepts. */
import fc from 'fast-check';
import type { Address, NextHop, Route } from '../../src/input.js';
import { ModelKernel } from './model-kernel.js';

export interface Host {
  kernel: ModelKernel;
}

const octet = fc.integer({ min: 1, max: 9 });

const address4 = fc
  .record({
    net: fc.constantFrom('10.77.0', '10.78.0', '10.79.1'),
    octet,
    prefixLength: fc.constantFrom(24, 24, 16, 32),
    flags: fc.constantFrom(0, 0, 0x200, 0x400),
    label: fc.constantFrom(undefined, 'eth0', 'eth0:1'),
    metric: fc.constantFrom(undefined, undefined, 50),
  })
  .map(({ net, octet: host, label, metric, ...rest }): Address => {
    const address: Address = { family: 4, local: `${net}.${host}`, scope: 0, ...rest };
    if (label !== undefined) address.label = label;
    if (metric !== undefined) address.metric = metric;
    return address;
  });

/** Addresses with and without a prefix route in one prefix undo in an order in which the kernel leaves that route behind. */
const address6 = fc
  .record({
    net: fc.constantFrom('fd77', 'fd78'),
    octet,
    prefixLength: fc.constantFrom(64, 64, 128),
    nodad: fc.constantFrom(0, 0x02),
  })
  .map(({ net, octet: host, nodad, prefixLength }): Address => {
    const flags = nodad | (net === 'fd78' ? 0x200 : 0);
    return { family: 6, local: `${net}::${host}`, prefixLength, scope: 0, flags };
  });

const common = {
  table: fc.constantFrom(254, 254, 77),
  metric: fc.constantFrom(undefined, undefined, 100),
  protocol: fc.constantFrom(3, 4, 16),
  tos: fc.constantFrom(0, 0, 0, 16),
  mtu: fc.constantFrom(undefined, 1400),
  source: fc.constantFrom(0, 1, 2),
  onlink: fc.boolean(),
  legs: fc.constantFrom(1, 1, 1, 2),
};

const gateway4 = fc.constantFrom('10.77.0.254', '10.77.0.253', '10.78.0.254', '192.0.2.1');
const gateway6 = fc.constantFrom('fd77::fe', 'fe80::fe');

/** Of the destinations that routes with a gateway share with routes without one, none says that a gateway is on-link. */
const route4 = fc.oneof(
  fc.record({ ...common, destination: fc.constantFrom('0.0.0.0/0', '10.9.0.0/16', '10.10.0.0/16'), gateway: gateway4 }),
  fc.record({
    ...common,
    destination: fc.constantFrom('10.9.0.0/16', '10.77.0.0/24', '192.0.2.1/32'),
    gateway: fc.constant(undefined),
  }),
);

const route6 = fc.oneof(
  fc.record({ ...common, destination: fc.constantFrom('::/0', 'fd99::/64'), gateway: gateway6 }),
  fc.record({ ...common, destination: fc.constantFrom('fd99::/64', 'fd77::/64'), gateway: fc.constant(undefined) }),
);

type Draft = { destination: string; gateway: string | undefined } & {
  [K in keyof typeof common]: (typeof common)[K] extends fc.Arbitrary<infer T> ? T : never;
};

function routeOf(draft: Draft, family: 4 | 6, addresses: Address[]): Route {
  const { destination, table, protocol, gateway, metric, mtu } = draft;
  const tos = family === 4 ? draft.tos : 0;
  const scope = family === 4 && gateway === undefined ? 253 : 0;
  const route: Route = { family, destination, table, protocol, tos, scope, type: 1, nic: 'eth0', flags: 0 };
  if (gateway !== undefined) route.gateway = gateway;
  if (gateway !== undefined && draft.onlink) route.flags = 4;
  if (metric !== undefined) route.metric = metric;
  if (family === 6) route.metric ??= 1024;
  if (mtu !== undefined) route.metrics = { '2': mtu };
  const source = addresses.filter((x) => x.family === family && !x.local.startsWith('fe80'))[draft.source - 1];
  if (source) route.preferredSource = source.local;
  if (draft.legs === 2 && gateway !== undefined) {
    const own: NextHop = { nic: 'eth0', gateway, flags: route.flags, hops: 0 };
    const other: NextHop = { nic: 'mgmt0', gateway: family === 4 ? '10.99.0.254' : 'fd99::fe', flags: 4, hops: 1 };
    delete route.gateway;
    route.nextHops = [own, other];
  }
  return route;
}

const MGMT: Route = {
  family: 4,
  destination: '0.0.0.0/0',
  table: 254,
  protocol: 4,
  tos: 0,
  scope: 0,
  type: 1,
  nic: 'mgmt0',
  gateway: '10.99.0.254',
  flags: 0,
};

export const hosts: fc.Arbitrary<Host> = fc
  .record({
    addresses: fc.array(fc.oneof(address4, address4, address6), { maxLength: 6 }),
    routes4: fc.array(route4, { maxLength: 6 }),
    routes6: fc.array(route6, { maxLength: 4 }),
    permanent: fc.boolean(),
    group: fc.boolean(),
    foreign: fc.boolean(),
    shared: fc.constantFrom('none', 'before', 'behind'),
  })
  .map(({ addresses, routes4, routes6, permanent, group, foreign, shared }) => {
    const kernel = new ModelKernel();
    for (const [i, nic] of ['eth0', 'eth1', 'mgmt0'].entries()) kernel.addNic(nic, i + 2);
    const mgmt: Address = { family: 4, local: '10.99.0.1', prefixLength: 24, scope: 0, flags: 0 };
    kernel.apply({ do: 'add-address', nic: 'mgmt0', address: mgmt });
    if (shared === 'before') kernel.apply({ do: 'append-route', route: MGMT });
    for (const address of addresses) tryStep(kernel, { do: 'add-address', nic: 'eth0', address });
    settle(kernel);
    for (const draft of routes4)
      tryStep(kernel, { do: 'append-route', route: routeOf(draft, 4, kernel.nics['eth0']!.addresses) });
    for (const draft of routes6)
      tryStep(kernel, { do: 'append-route', route: routeOf(draft, 6, kernel.nics['eth0']!.addresses) });
    if (shared === 'behind') kernel.apply({ do: 'append-route', route: MGMT });
    const { eth0, eth1 } = kernel.nics;
    eth0!.neighbours.push({
      family: 4,
      address: '10.77.0.254',
      mac: '02:00:00:00:00:fe',
      state: permanent ? 0x80 : 0x04,
      flags: 0,
    });
    if (group) eth0!.groups.push('239.1.2.3');
    if (foreign) {
      const address: Address = { family: 4, local: '172.16.0.1', prefixLength: 24, scope: 0, flags: 0 };
      kernel.apply({ do: 'add-address', nic: 'eth1', address });
      eth1!.neighbours.push({ family: 4, address: '172.16.0.9', mac: '02:00:00:00:00:99', state: 0x80, flags: 0 });
    }
    return { kernel };
  });

function tryStep(kernel: ModelKernel, step: Parameters<ModelKernel['apply']>[0]): void {
  try {
    kernel.apply(step);
  } catch {
    // The kernel refuses it: such a host does not exist.
  }
}

/** Duplicate-address detection is over. */
function settle(kernel: ModelKernel): void {
  for (const nic of Object.values(kernel.nics)) for (const address of nic.addresses) address.flags &= ~0x40;
}

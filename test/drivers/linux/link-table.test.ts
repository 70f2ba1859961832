/** Ports of bonds and teams, as the kernel's news tell of them. */
import { describe, expect, it } from 'vitest';
import { LinkTable } from '../../../drivers/linux/link-table.js';
import { decodeLink, type Link } from '../../../drivers/linux/netlink/link.js';
import { attribute, attributeText } from '../../../drivers/linux/netlink/message.js';

const link = (ifindex: number, name: string, more: Partial<Link> = {}): Link => ({
  ifindex,
  name,
  mac: '02:00:00:00:00:01',
  mtu: 1500,
  linkType: 1,
  admin: true,
  carrier: true,
  ...more,
});

function tableOf(...links: Link[]): LinkTable {
  const table = new LinkTable();
  table.replaceAll(links);
  return table;
}

describe('ports', () => {
  const bond = link(4, 'bond0', { kind: 'bond' });
  const ports = [
    link(3, 'eth2', { master: 4, bondPort: 'backup' }),
    link(2, 'eth1', { master: 4, bondPort: 'active' }),
    link(1, 'eth0', { master: 4, bondPort: 'active', carrier: false }),
  ];

  it('of a bond, by name, each as the bond uses it; without carrier a port is down whatever the bond says', () => {
    expect(tableOf(bond, ...ports).portsOf(bond)).toEqual([
      { nic: 'eth0', state: 'down' },
      { nic: 'eth1', state: 'active' },
      { nic: 'eth2', state: 'backup' },
    ]);
  });

  it('of a VLAN on a bond: those of the bond', () => {
    const vlan = link(9, 'bond0.7', { kind: 'vlan', below: 4 });
    expect(tableOf(bond, vlan, ...ports).portsOf(vlan)).toHaveLength(3);
  });

  it('of a team: the kernel does not say which one sends', () => {
    const team = link(4, 'team0', { kind: 'team' });
    expect(tableOf(team, link(1, 'eth0', { master: 4 })).portsOf(team)).toEqual([{ nic: 'eth0', state: 'up' }]);
  });

  it('a bridge and a plain card have none to show', () => {
    const bridge = link(4, 'br0', { kind: 'bridge' });
    const table = tableOf(bridge, link(1, 'eth0', { master: 4 }));
    expect([table.portsOf(bridge), table.portsOf(link(1, 'eth0', { master: 4 }))]).toEqual([undefined, undefined]);
  });

  it('VLANs that name each other end nowhere', () => {
    const one = link(1, 'a', { kind: 'vlan', below: 2 });
    expect(tableOf(one, link(2, 'b', { kind: 'vlan', below: 1 })).portsOf(one)).toBeUndefined();
  });
});

describe('IFLA_LINKINFO of a port (if_link.h; drivers/net/bonding/bond_netlink.c)', () => {
  const IFLA_IFNAME = 3;
  const IFLA_LINKINFO = 18;
  const SLAVE_KIND = 4;
  const SLAVE_DATA = 5;
  const fixed = Buffer.alloc(16);

  function decoded(kind: string, state: number, mii: number): Link['bondPort'] {
    const data = Buffer.concat([attribute(1, Buffer.of(state)), attribute(2, Buffer.of(mii))]);
    const info = Buffer.concat([attributeText(SLAVE_KIND, kind), attribute(SLAVE_DATA, data)]);
    return decodeLink(Buffer.concat([fixed, attributeText(IFLA_IFNAME, 'eth0'), attribute(IFLA_LINKINFO, info)]))
      ?.bondPort;
  }

  it.each([
    ['bond', 0, 0, 'active'],
    ['bond', 1, 0, 'backup'],
    ['bond', 0, 2, 'down'],
    ['bond', 1, 3, 'down'],
    ['bridge', 0, 0, undefined],
  ] as const)('%s, state %i, link %i: %s', (kind, state, mii, wanted) => {
    expect(decoded(kind, state, mii)).toBe(wanted);
  });
});

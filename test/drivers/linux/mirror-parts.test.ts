/** What the mirror is made of, without a kernel. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Neighbour, Route } from '../../../src/input.js';
import { LinkTable } from '../../../drivers/linux/link-table.js';
import type { Link } from '../../../drivers/linux/netlink/link.js';
import { parseGroups } from '../../../drivers/linux/multicast.js';
import { NeighbourView } from '../../../drivers/linux/neighbour-view.js';
import { readRecords, writeRecord } from '../../../drivers/linux/run-directory.js';
import { isWritable } from '../../../drivers/linux/sysctl.js';

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

describe('link table', () => {
  it('follows a renamed link', () => {
    const table = new LinkTable();
    table.put(link(3, 'eth0'));
    table.put(link(3, 'lan0'));
    expect([table.indexOf('eth0'), table.indexOf('lan0'), table.nameOf(3)]).toEqual([undefined, 3, 'lan0']);
  });
  it('lets two links swap names over a third', () => {
    const table = new LinkTable();
    for (const each of [link(3, 'eth0'), link(4, 'eth1'), link(3, 'tmp'), link(4, 'eth0'), link(3, 'eth1')])
      table.put(each);
    expect([table.indexOf('eth0'), table.indexOf('eth1'), table.indexOf('tmp')]).toEqual([4, 3, undefined]);
  });
  it('keeps a name that another link took when the old one goes', () => {
    const table = new LinkTable();
    table.put(link(3, 'eth0'));
    table.put(link(9, 'eth0'));
    table.delete(3);
    expect(table.indexOf('eth0')).toBe(9);
  });
  it('counts as children those that live on a link, not its veth peer', () => {
    const table = new LinkTable();
    const kinds = { v7: 'vlan', mv0: 'macvlan', peer0: 'veth', iv0: 'ipvlan' };
    Object.entries(kinds).forEach(([name, kind], i) => table.put(link(10 + i, name, { kind, below: 3 })));
    table.put(link(3, 'eth0'));
    expect(table.childrenOf(3)).toEqual(['iv0', 'mv0', 'v7']);
  });
});

describe('neighbour view', () => {
  const entry = (address: string, state: number, mac = '02:00:00:00:00:09', flags = 0): Neighbour => ({
    family: 4,
    address,
    mac,
    state,
    flags,
  });
  const route: Route = {
    family: 4,
    destination: '0.0.0.0/0',
    table: 254,
    protocol: 4,
    scope: 0,
    type: 1,
    tos: 0,
    nic: 'eth0',
    flags: 0,
    gateway: '10.0.0.254',
  };
  const view = () => {
    const made = new NeighbourView(['10.0.0.2']);
    made.wantGatewaysOf([route]);
    made.replace('eth0', []);
    return made;
  };
  it.each<[string, Neighbour, number | null]>([
    ['permanent', entry('10.0.0.99', 0x80), 0x80],
    ['proxy', entry('10.0.0.98', 0, '', 8), 0],
    ['a reachable gateway', entry('10.0.0.254', 0x02), 0x04],
    ['a probed peer', entry('10.0.0.2', 0x10), 0x04],
    ['a stranger', entry('10.0.0.3', 0x02), null],
    ['a gateway that does not answer', entry('10.0.0.254', 0x20), null],
    ['a gateway that is being asked', entry('10.0.0.254', 0x01, ''), null],
  ])('%s', (_what, neighbour, state) => {
    const made = view();
    expect(made.heard('eth0', neighbour, true)).toBe(state !== null);
    expect(made.of('eth0').map((each) => each.state)).toEqual(state === null ? [] : [state]);
    expect(made.heard('eth0', neighbour, true)).toBe(false);
  });
  it('a gateway that fails is gone', () => {
    const made = view();
    made.heard('eth0', entry('10.0.0.254', 0x02), true);
    expect(made.heard('eth0', entry('10.0.0.254', 0x20), true)).toBe(true);
    expect(made.of('eth0')).toEqual([]);
  });
  it('another MAC is news, another state of a learnt entry is not', () => {
    const made = view();
    made.heard('eth0', entry('10.0.0.254', 0x02), true);
    expect(made.heard('eth0', entry('10.0.0.254', 0x08), true)).toBe(false);
    expect(made.heard('eth0', entry('10.0.0.254', 0x08, '02:00:00:00:00:0a'), true)).toBe(true);
    expect(made.heard('eth0', entry('10.0.0.254', 0x08), false)).toBe(true);
  });
  it('says whether a gateway is new', () => {
    const made = view();
    expect(made.wantGatewaysOf([route])).toBe(false);
    expect(made.wantGatewaysOf([])).toBe(false);
    expect(
      made.wantGatewaysOf([{ ...route, nextHops: [{ nic: 'eth0', gateway: '10.0.0.7', flags: 0, hops: 0 }] }]),
    ).toBe(true);
  });
});

describe('multicast groups', () => {
  it('reads /proc/net/igmp and igmp6 (little-endian host), without those of the kernel', () => {
    const igmp = [
      'Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter',
      '1\tlo        :     1      V3',
      '\t\t\t\t010000E0     1 0:00000000\t\t0',
      '3\teth0.7    :     2      V3',
      '\t\t\t\t070707EF     2 0:00000000\t\t0',
      '\t\t\t\t010000E0     1 0:00000000\t\t0',
    ].join('\n');
    const igmp6 = [
      '3    eth0.7          ff150000000000000000000000000077     1 00000004 0',
      '3    eth0.7          ff0200000000000000000001ff000001     2 00000004 0',
      '3    eth0.7          ff020000000000000000000000000001     1 0000000C 0',
      '5    eth1            ff0200000000000000000000000000fb     1 00000004 0',
      'nonsense',
    ].join('\n');
    expect([...parseGroups(igmp, igmp6)]).toEqual([
      [3, ['239.7.7.7', 'ff15::77']],
      [5, ['ff02::fb']],
    ]);
    expect(parseGroups('', '').size).toBe(0);
  });
});

describe('records of the run directory', () => {
  it('are replaced whole, readable by root alone, and damage is no record', () => {
    const dir = mkdtempSync(join(tmpdir(), 'bt-run-'));
    try {
      expect(readRecords(dir)).toBeNull();
      writeFileSync(join(dir, 'switch.json.new'), 'left by a killed one');
      writeRecord(dir, { switch: { steps: [1] } });
      writeRecord(dir, { ledger: ['a'] });
      expect(readRecords(dir)).toEqual({ switch: { steps: [1] }, ledger: ['a'] });
      expect(readdirSync(dir).sort()).toEqual(['ledger.json', 'switch.json']);
      expect(statSync(join(dir, 'switch.json')).mode & 0o777).toBe(0o600);
      writeFileSync(join(dir, 'ledger.json'), '["a"');
      writeRecord(dir, {});
      expect(readRecords(dir)).toEqual({ switch: { steps: [1] }, ledger: null });
      expect(() => writeRecord(join(dir, 'absent'), { switch: 1 })).toThrow(/ENOENT/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe('sysctls that may be written', () => {
  it.each([
    'ipv4/conf/eth0/arp_ignore',
    'ipv6/conf/eth0.100/accept_ra',
    'ipv4/neigh/eth0/app_solicit',
    'ipv6/neigh/bond0/retrans_time_ms',
  ])('%s', (name) => expect(isWritable(name)).toBe(true));
  it.each([
    'ipv4/ip_forward',
    'core/rmem_max',
    'ipv4/conf/../ip_forward',
    'ipv4/conf/eth0/../../x',
    '/etc/passwd',
    'ipv4/route/eth0/x',
    'ipv4/conf/./x',
    '',
  ])('not %j', (name) => expect(isWritable(name)).toBe(false));
});

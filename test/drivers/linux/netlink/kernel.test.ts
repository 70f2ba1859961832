/** The codec against this kernel, with ip(8) as the judge. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type * as inside from '../inside/tables.js';
import { asRoot, Namespace } from '../inside.js';

const module = new URL('../inside/tables.ts', import.meta.url);
type Inside = typeof inside;

describe.skipIf(!asRoot)('rtnetlink on this kernel (needs root)', { timeout: 120_000 }, () => {
  let ns: Namespace;
  beforeEach(() => {
    ns = new Namespace('nlcodec', 'a');
  });
  afterEach(() => ns.remove());
  const call = <K extends keyof Inside>(name: K, ...args: unknown[]) =>
    ns.call<Inside[K] extends (...given: never[]) => infer V ? V : never>(module, name, ...args);

  it('what ip(8) built is read, taken away and put back, and ip sees no difference', async () => {
    const { seen, whole, before, bare, after, seenAfter } = await call('roundTrip');
    expect(after).toEqual(before);
    expect(bare.routes4).toEqual([]);
    expect(bare.proxies).toEqual([]);
    expect(bare.neighbours).toEqual([]);
    // A prefix route may outlive its address while another one without such a route is there.
    expect(bare.routes6.filter((line) => !line.includes('"protocol":"kernel"'))).toEqual([]);
    expect(whole).toEqual(seen);
    const calm = ({ addresses, routes, neighbours }: typeof seen) => ({
      addresses: addresses
        .map(({ validS, preferredS, ...rest }) => ({
          ...rest,
          limited: [validS, preferredS].map((s) => s !== undefined),
        }))
        .sort(byText),
      routes: routes.map(({ expiresS, ...rest }) => ({ ...rest, limited: expiresS !== undefined })).sort(byText),
      neighbours: [...neighbours].sort(byText),
    });
    expect(calm(seenAfter)).toEqual(calm(seen));
    expect(seen.addresses).toHaveLength(9);
    expect(seen.neighbours).toHaveLength(5);
    expect(seen.routes.filter(({ protocol }) => protocol !== 2)).toHaveLength(18);
  });

  it('reads the attributes by their names', async () => {
    const { seen } = await call('roundTrip');
    const route = (destination: string) => seen.routes.find((each) => each.destination === destination);
    expect(route('10.12.0.0/16')).toMatchObject({ table: 7000, protocol: 77, flags: 4, gateway: '172.31.0.1' });
    expect(route('10.13.0.0/16')?.metrics).toMatchObject({ 1: 4 | 8192, 2: 1400, 8: 1300, 11: 20, 13: 300, 15: 1 });
    expect(route('10.14.0.0/16')).toMatchObject({ family: 4, gateway: 'fe80::9' });
    expect(route('10.15.0.0/16')?.nextHops).toEqual([
      { nic: 'eth0', gateway: '10.1.0.254', flags: 0, hops: 2 },
      { nic: 'eth1', gateway: '10.1.1.254', flags: 0, hops: 0 },
    ]);
    expect(route('fd12::/32')).toMatchObject({ source: 'fd01::/64' });
    expect(route('::/0')).toMatchObject({ metric: 20, preference: 1 });
    expect(seen.addresses.find(({ local }) => local === '10.2.0.1')).toMatchObject({
      peer: '10.2.0.9',
      prefixLength: 32,
    });
    expect(seen.addresses.find(({ local }) => local === 'fd01::2')).toMatchObject({ preferredS: 0, flags: 0x222 });
  });

  it('reports refusals in the words of the kernel, and takes what is gone for done', async () => {
    const said = await call('refusals');
    expect(said.down).toMatch(/^ENETDOWN: /);
    expect(said.gateway).toMatch(/^ENETUNREACH: Nexthop has invalid gateway/);
    expect(said.prefixLength).toMatch(/^EINVAL: ipv4: Invalid prefix length/);
    expect(said.lifetime).toMatch(/^EINVAL: /);
    expect(said.noNic).toBe('ENODEV: there is no NIC eth7');
    expect(said.gone).toEqual(said.gone.map(() => 'done'));
    expect(said.sysctl).toEqual(
      said.sysctl.map(() => expect.stringMatching(/^EPERM: .* is no setting of a NIC$/) as string),
    );
  });

  it('changes a MAC', async () => {
    const { before, after } = await call('changeMac');
    expect(before).not.toBe(after);
    expect(after).toBe('02:00:00:00:00:aa');
  });

  it('reads the few routes of one NIC among many of another', async () => {
    const { all, few } = await call('manyRoutes', 5000);
    expect(all.found).toBe(5001);
    expect(few.found).toBe(1);
    expect(few.ms).toBeLessThan(all.ms);
  });
});

const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

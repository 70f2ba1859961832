/** The hands' thread on the real kernel, in a namespace of its own for each test. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type * as cases from './inside/hands-cases.js';
import { asRoot, Namespace } from './inside.js';

const module = new URL('./inside/hands-cases.ts', import.meta.url);
type Cases = typeof cases;

/** Each starts one process or two that transpile what they load. */
const TIMEOUT_MS = 120_000;

describe.skipIf(!asRoot)('hands on this kernel (needs root)', { timeout: TIMEOUT_MS }, () => {
  let ns: Namespace;
  beforeEach(() => {
    ns = new Namespace('hands', 'a');
  });
  afterEach(() => ns.remove());
  const call = <K extends keyof Cases>(name: K, ...args: unknown[]) =>
    ns.call<Awaited<ReturnType<Cases[K]>>>(module, name, ...args);

  it('tells what an earlier run left, then all of the NICs and which are missing', async () => {
    const { started, look, threads } = await call('firstLook');
    expect(started).toMatchObject({ kind: 'started', run: { switch: { net: 'public' }, ledger: null } });
    expect(threads).toContain('baton-hands');
    expect(look.missing).toEqual(['eth9']);
    expect(look.nics.map(({ nic }) => nic)).toEqual(['eth0', 'eth1']);
    const [eth0, eth1] = look.nics;
    expect(eth1).toMatchObject({ master: 'br0', masterKind: 'bridge', kind: 'veth', linkType: 1, mtu: 1500 });
    expect(eth0).toMatchObject({ children: ['mv0'], admin: true, carrier: true, groups: [] });
    expect(eth0?.settings).toMatchObject({ 'ipv4/conf/{nic}/arp_ignore': '0', 'ipv6/conf/{nic}/accept_ra': '1' });
    // Of the learnt ones those of gateway and peer only.
    expect(eth0?.neighbours.map(({ address, state }) => [address, state])).toEqual([
      ['10.7.0.11', 0x80],
      ['10.7.0.254', 0x04],
      ['10.7.0.9', 0x04],
    ]);
  });

  it('switches: record first, routes as before, then says so, then what is there', async () => {
    const run = await call('wholeSwitch');
    expect(run.said).toMatchObject({ kind: 'host-changed', id: 7, undone: false });
    expect(run.said).not.toHaveProperty('failed');
    expect(run.after).toEqual(run.before.map((line) => line.replace('dev eth0', 'dev eth1')));
    expect(run.before).toHaveLength(3);
    expect(run.addresses).toEqual({ eth0: [], eth1: ['inet 10.7.0.1/24', 'inet6 fd07::1/64'] });
    expect(run.seen.addresses[0]).toMatchObject({ local: '10.7.0.1', label: 'eth1' });
    expect(run.order[0]).toBe('started');
    expect(run.order[run.order.indexOf('host-changed') + 1]).toBe('host-observed');
    expect(run.files).toEqual([
      ['ledger.json', 0o600],
      ['switch.json', 0o600],
    ]);
    expect(run.records).toEqual({ switch: { id: 7 }, ledger: ['x'] });
    // The same order again changes nothing and fails nowhere.
    expect(run.again).not.toHaveProperty('failed');
    expect(run.left).toEqual({ switch: null, ledger: ['x'] });
  });

  it('takes back what it did when a step fails, and says why in the words of the kernel', async () => {
    const { before, after, words, arpIgnore, note } = await call('failures');
    const [rolledBack, noUndo, stuck, nonsense, badText, sysctl, noFile, noRecord] = words;
    expect(after).toEqual(before);
    expect(rolledBack).toMatchObject({
      undone: true,
      failed: { step: 7, code: 'ENETUNREACH', text: expect.stringMatching(/gateway/) as string },
    });
    expect(noUndo).toMatchObject({ undone: false, failed: { step: 1, code: 'ENETUNREACH' } });
    expect(stuck).toMatchObject({ undone: false, failed: { step: 1 } });
    expect(nonsense).toHaveProperty('failed');
    expect(badText).toMatchObject({
      failed: { step: 0, code: 'EINVAL', text: expect.stringMatching(/bogus/) as string },
    });
    expect(sysctl).toMatchObject({ failed: { step: 1, code: 'EPERM' } });
    expect(noFile).toMatchObject({ failed: { code: 'ENOENT' } });
    expect(arpIgnore).toBe('1');
    expect(noRecord).not.toHaveProperty('failed');
    expect(note).toMatchObject({ text: expect.stringMatching(/run directory.*(EISDIR|ENOTEMPTY)/) as string });
  });

  it('sees what others do to the NICs, also what the kernel does not tell', async () => {
    const { took, twin } = await call('strangers');
    console.log('milliseconds from the end of `ip` to the observation:', rounded(Object.values(took)));
    expect(Object.keys(took)).toHaveLength(13);
    expect(twin).toMatchObject({ ifindex: 4000, routes: [{ destination: '10.7.0.0/24' }] });
  });

  it('joins groups, more of them than one socket holds, and sees who joins what', async () => {
    const { joined, said, moved, left } = await call('groups');
    expect(joined).toEqual(['239.7.7.7', 'ff15::77']);
    expect(said).not.toHaveProperty('failed');
    expect(moved).toBe(51);
    expect(left).toEqual([]);
  });

  it('sees sysctls change, those that the kernel does not tell too', async () => {
    const { rpFilter, arpIgnore } = await call('sysctls');
    console.log(`seen after: rp_filter ${rpFilter.toFixed(1)} ms, arp_ignore ${arpIgnore.toFixed(1)} ms`);
    expect([rpFilter, arpIgnore]).toHaveLength(2);
  });

  it('is silent while nothing changes that matters', async () => {
    expect(await call('quiet')).toEqual({ said: 0 });
  });

  it('looks at everything anew when news were lost', async () => {
    expect(await call('overflow')).toBe(603);
  });

  it('switches while 300 links are being deleted', async () => {
    const { took, heldMs, before, after, seen, links } = await call('rtnlBusy', 300);
    console.log(`300 links deleted in ${heldMs.toFixed(0)} ms; switches meanwhile, ms: ${rounded(took)}`);
    expect(after).toEqual(before);
    expect(seen).toEqual(['10.7.0.1', 'fd07::1']);
    expect(links).toBeLessThan(10);
  });

  it('killed between two steps, it leaves the record, and the next one finishes', async () => {
    const run = await call('killed');
    expect(run.signal).toBe('SIGKILL');
    expect(run.there).toBeGreaterThan(0);
    expect(run.there).toBeLessThan(400);
    expect(run.record).toEqual({ switch: { steps: 400 }, ledger: null });
    expect(run.started).toMatchObject({ run: { switch: { steps: 400 } } });
    expect(run.finish).not.toHaveProperty('failed');
    expect(run.finished).toBe(400);
  });

  it('is quick', async () => {
    const { switches, news } = await call('latency', 40);
    console.log(
      `switch, ms: first ${switches[0]?.toFixed(2)}, then ${rounded(switches.slice(1))}; news, ms: ${rounded(news)}`,
    );
    // A bound that tells a wait from work, on a machine however busy.
    expect(median(switches)).toBeLessThan(500);
    expect(median(news)).toBeLessThan(500);
  });
});

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
const rounded = (values: number[]): string =>
  `median ${median(values).toFixed(2)}, ${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type * as cases from './inside/frames.js';
import { asRoot, Namespace } from './inside.js';

const module = new URL('./inside/frames.ts', import.meta.url);
type Cases = typeof cases;

/**
 *   here: eth0 ── eth1, eth2 ── eth3, without IPv6, so that nothing is sent but by the test
 *   here: eth0 ── there: far0 (10.1.1.2, fd00::2), indexes apart, so that links are told up at once
 */
describe.skipIf(!asRoot)('frames and echo (needs root)', () => {
  let here: Namespace;
  let there: Namespace;
  beforeEach(() => {
    here = new Namespace('fram', 'a');
    there = new Namespace('fram', 'b');
    for (const ns of [here, there]) {
      ns.run('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
      ns.run('sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0');
    }
  });
  afterEach(() => {
    here.remove();
    there.remove();
  });

  const pair = (one: string, other: string): void => {
    here.ip(`link add ${one} type veth peer name ${other}`);
    here.ip(`link set ${one} up`);
    here.ip(`link set ${other} up`);
  };
  const call = <K extends keyof Cases>(name: K, ...args: unknown[]): Promise<Awaited<ReturnType<Cases[K]>>> =>
    here.call(module, name, ...args);

  it('sends and receives poll frames in order and in batches', async () => {
    pair('eth0', 'eth1');
    const { got, entered, drops } = await call('many');
    expect(got).toEqual(Array.from({ length: 200 }, (_, i) => `eth1 88b5 ${i}`));
    expect(entered).toBeLessThan(100);
    expect(drops).toEqual({});
  });

  it('G7: leaves out what must not be said any more when it is sent', async () => {
    pair('eth0', 'eth1');
    const { got, drops } = await call('late');
    // The first 64 left as a full batch before that moment came.
    const inTime = Array.from({ length: 101 }, (_, i) => i).filter((i) => i < 64 || i % 2 === 0);
    expect(got).toEqual(inTime.map((i) => `eth1 88b5 ${i}`));
    expect(drops).toEqual({ 'send-too-late': 18 });
  });

  it('counts what is not for us', async () => {
    pair('eth0', 'eth1');
    pair('eth2', 'eth3');
    const { got, drops } = await call('foreign');
    expect(got).toEqual(['eth1 88b5 4']);
    expect(drops).toEqual({
      'frame-to-another-host': 1,
      'frame-of-a-foreign-nic': 1,
      'send-nic-missing': 1,
      'send-frame-length': 1,
    });
  });

  it('takes ARP and neighbour discovery with hop limit 255, and counts link-local group frames', async () => {
    pair('eth0', 'eth1');
    const { got, linkLocal } = await call('protocols');
    expect(got.sort()).toEqual(['eth1 806', 'eth1 86dd', 'eth1 86dd']);
    expect(linkLocal).toBe(2);
  });

  it('goes on after a NIC was down, or deleted and made again', async () => {
    pair('eth2', 'eth3');
    const { first, whileDown, again, whileGone, reborn, drops } = await call('comesBack');
    expect({ first, whileDown, again, whileGone, reborn }).toEqual({
      first: true,
      whileDown: false,
      again: true,
      whileGone: false,
      reborn: true,
    });
    expect(drops).toEqual({ 'send-enetdown': 1, 'send-nic-missing': 1 });
  });

  it('hears echoes of IPv4, IPv6 and link-local targets over the NIC asked, and of no other', async () => {
    for (const ns of [here, there]) ns.run('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=0');
    here.ip(`link add eth0 index 50 type veth peer name far0 index 60 netns ${there.name}`);
    here.ip(`link add eth1 index 51 type veth peer name far1 index 61 netns ${there.name}`);
    there.ip('link set far0 address 02:00:00:00:00:02');
    for (const [ns, nic, number] of [
      [here, 'eth0', 1],
      [there, 'far0', 2],
    ] as const) {
      ns.ip(`addr add 10.1.1.${number}/24 dev ${nic}`);
      ns.ip(`addr add fd00::${number}/64 dev ${nic} nodad`);
    }
    for (const nic of ['eth0', 'eth1']) here.ip(`link set ${nic} up`);
    for (const nic of ['far0', 'far1']) there.ip(`link set ${nic} up`);
    const targets = ['10.1.1.2', 'fd00::2', 'fe80::ff:fe00:2', '10.1.1.77'];
    const { answers, drops } = await call('echoes', ['eth0'], targets);
    expect(answers).toEqual(['eth0 10.1.1.2', 'eth0 fd00::2', 'eth0 fe80::ff:fe00:2']);
    expect(drops).toEqual({ 'echo-target': 1, 'echo-nic-missing': targets.length + 1, 'echo-of-another': 1 });
  });
});

import { describe, expect, it } from 'vitest';
import { ordinaryKernel, Stand } from './stand.js';

const ALL = ['10.77.0.1', '10.77.0.5', 'fd77::1'];

describe('link switch by hand', () => {
  it('moves with both NICs alive, answers when it is done, and stays there', () => {
    const stand = new Stand().start();
    const answer = stand.ask({ ask: 'link-switch', net: 'public' });
    expect(answer).toMatchObject({ ok: true });
    expect(answer!.text).toContain('public is on eth1 now');
    expect(answer!.text).toContain('until you switch it back');
    stand.pass(600_000);
    expect(stand.addresses('eth1')).toEqual(ALL);
    expect(stand.ask({ ask: 'link-switch', net: 'public', to: 'eth0' })).toMatchObject({ ok: true });
    expect(stand.addresses('eth0')).toEqual(ALL);
  });

  it('gives way to a failure', () => {
    const stand = new Stand().start();
    stand.ask({ ask: 'link-switch', net: 'public' });
    stand.carrier('eth1', false);
    expect(stand.addresses('eth0')).toEqual(ALL);
    stand.carrier('eth1', true);
    stand.carrier('eth0', false);
    stand.pass(5000);
    stand.carrier('eth0', true);
    expect(stand.addresses('eth0')).toEqual(ALL);
  });

  it('is refused with the reason', () => {
    const stand = new Stand(ordinaryKernel(), { standby: ['eth1', 'eth2'] }).start();
    const text = (net: string, to?: string): string =>
      stand.ask({ ask: 'link-switch', net, ...(to ? { to } : {}) })!.text;
    expect(text('lan')).toBe('this node has no net lan; it has public');
    expect(text('public', 'eth7')).toBe('eth7 is not a NIC of public; it has eth0, eth1, eth2');
    expect(text('public', 'eth0')).toBe('public is on eth0 already');
    stand.carrier('eth1', false);
    expect(text('public', 'eth1')).toBe('eth1 is down carrier');
    stand.ask({ ask: 'link-lock', nic: 'eth2', owner: 'ann', reason: 'patching' });
    expect(text('public', 'eth2')).toBe('eth2 is locked by ann (patching)');
    expect(text('public')).toBe(
      'no other NIC of public is fit: eth1 is down carrier; eth2 is locked by ann (patching)',
    );
    expect(stand.events('switch-started')).toEqual([]);
  });

  it('rehearsed shows the steps and does nothing', () => {
    const stand = new Stand().start();
    const { length } = stand.done;
    const answer = stand.ask({ ask: 'link-switch', net: 'public', dryRun: true });
    expect(answer).toMatchObject({
      ok: true,
      text: expect.stringMatching(/^public goes from eth0 to eth1 in \d+ steps$/) as string,
    });
    expect(stand.done.length).toBe(length);
  });

  it('says what the kernel refused', () => {
    const stand = new Stand().start();
    stand.refuses = (step) => step.do === 'add-address' && step.nic === 'eth1';
    const answer = stand.ask({ ask: 'link-switch', net: 'public' });
    expect(answer).toEqual({
      ok: false,
      text: 'public stays on eth0: add-address on eth1: EPERM Operation not permitted',
    });
    expect(stand.addresses('eth0')).toEqual(ALL);
  });
});

describe('link lock', () => {
  it.each(['eth0', 'eth1'])('of %s: no switch by itself, said once', (nic) => {
    const stand = new Stand().start();
    expect(stand.ask({ ask: 'link-lock', nic, owner: 'ann', reason: 'patching' })).toMatchObject({ ok: true });
    stand.carrier('eth0', false);
    stand.pass(10_000);
    expect(stand.addresses('eth0')).toEqual(ALL);
    expect(stand.events('switch-refused').length).toBe(1);
    expect(stand.ask({ ask: 'link-unlock', nic })).toMatchObject({ ok: true });
    stand.give({ kind: 'woke' });
    expect(stand.addresses('eth1')).toEqual(ALL);
  });

  it('ends by itself when its time is over', () => {
    const stand = new Stand().start();
    stand.ask({ ask: 'link-lock', nic: 'eth1', owner: 'ann', reason: '', forMs: 60_000 });
    stand.carrier('eth0', false);
    stand.pass(59_000);
    expect(stand.addresses('eth0')).toEqual(ALL);
    stand.pass(2000);
    expect(stand.addresses('eth1')).toEqual(ALL);
    expect(stand.events('link-unlocked')).toEqual(['link-unlocked expired']);
  });

  it('holds the switch back', () => {
    const stand = new Stand().start();
    stand.carrier('eth0', false);
    stand.ask({ ask: 'link-lock', nic: 'eth1', owner: 'ann', reason: '' });
    stand.carrier('eth0', true);
    stand.pass(60_000);
    expect(stand.addresses('eth1')).toEqual(ALL);
  });

  it('of another owner is not overwritten, and a NIC of no net is refused', () => {
    const stand = new Stand().start();
    stand.ask({ ask: 'link-lock', nic: 'eth1', owner: 'ann', reason: '' });
    expect(stand.ask({ ask: 'link-lock', nic: 'eth1', owner: 'bob', reason: '' })).toEqual({
      ok: false,
      text: 'eth1 is locked by ann',
    });
    expect(stand.ask({ ask: 'link-lock', nic: 'eth9', owner: 'bob', reason: '' })).toMatchObject({ ok: false });
    expect(stand.ask({ ask: 'link-unlock', nic: 'eth0' })).toEqual({ ok: false, text: 'eth0 is not locked' });
  });

  it('rehearsed locks nothing', () => {
    const stand = new Stand().start();
    expect(stand.ask({ ask: 'link-lock', nic: 'eth1', owner: 'ann', reason: '', dryRun: true })).toMatchObject({
      ok: true,
    });
    expect(stand.state.locks).toEqual({});
  });
});

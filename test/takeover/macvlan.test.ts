import { describe, expect, it } from 'vitest';
import { macvlanName } from '../../src/frame/macvlan.js';
import type { NicObservation } from '../../src/input.js';
import type { HealthReason, NicHealth } from '../../src/status.js';
import { isSilentElsewhere } from '../../src/takeover/macvlan.js';
import type { Turn } from '../../src/takeover/state.js';
import { FloatingStand, packageOf, V4 } from './floating-stand.js';

const MAC = '02:00:5e:00:01:10';

const HELD = { family: 4, local: V4, prefixLength: 32, scope: 0, flags: 0 } as const;

/** The address lies on its macvlan over eth0. */
function standing(): { stand: FloatingStand; macvlan: string; host: Record<string, NicObservation> } {
  const web = packageOf('web', V4);
  for (const resource of web.resources) Object.assign(resource, { mac: MAC });
  const stand = new FloatingStand({ packages: [web] });
  stand.refuses = (step) => step.do === 'add-macvlan';
  stand.start();
  const macvlan = macvlanName('eth0', MAC);
  const host = stand.world.host as Record<string, NicObservation>;
  const below = host['eth0']!;
  host[macvlan] = { ...below, nic: macvlan, below: 'eth0', addresses: [HELD] };
  stand.state.floating.macvlans[macvlan] = {
    change: null,
    fresh: false,
    settled: below.ifindex,
    refusals: 0,
    retryAt: 0,
  };
  return { stand, macvlan, host };
}

describe('S8: a MAC is tried on a NIC while no other one may speak under it', () => {
  it.each<[string, NicHealth, HealthReason | undefined, boolean]>([
    ['has lost its carrier, which may be back before anybody sees it', 'down', 'carrier', false],
    ['has it again, and the kernel does not say so yet', 'suspect', 'waiting', false],
    ['is deaf', 'down', 'deaf', true],
    ['is well', 'up', undefined, true],
  ])('the NIC that has the address %s', (_, health, reason, carrier) => {
    const { stand, macvlan, host } = standing();
    stand.health('eth0', health, reason);
    const { world, state } = stand;
    host['eth0'] = { ...host['eth0']!, carrier };
    const turn = { world, state, verdict: (nic: string) => stand.verdicts[nic]! } as unknown as Turn;
    expect(isSilentElsewhere(turn, MAC, macvlanName('eth1', MAC))).toBe(false);
    host[macvlan] = { ...host[macvlan]!, addresses: [] };
    expect(isSilentElsewhere(turn, MAC, macvlanName('eth1', MAC))).toBe(true);
  });

  it.each<[HealthReason, 'first' | 'last']>([
    ['carrier', 'first'],
    ['deaf', 'last'],
  ])('off a NIC that is down (%s) it goes %s in a local switch', (reason, when) => {
    const { stand, macvlan } = standing();
    stand.handsIdle = false;
    stand.grant({ web: 5 });
    stand.orders.length = 0;
    stand.health('eth0', 'down', reason);
    stand.wake();
    const orders = stand.orders.filter((order) => !order.startsWith('gate'));
    expect(orders.length).toBeGreaterThan(2);
    expect(orders.at(when === 'first' ? 0 : -1)).toBe(`delete-address ${macvlan} ${V4}`);
  });
});

it.each<[string, string, boolean]>([
  ['stays while that is gone through anew', MAC, true],
  ['does not if that has another MAC', '02:00:5e:00:01:99', false],
])('S13: an address that an earlier run left on its macvlan %s (seeds 208856, 209166)', (_, mac, stays) => {
  const { stand, macvlan, host } = standing();
  host[macvlan] = { ...host[macvlan]!, mac };
  Object.assign(stand.state.floating.macvlans[macvlan]!, { settled: 0, change: 99 });
  stand.handsIdle = false;
  stand.orders.length = 0;
  stand.grant({ web: 5 });
  expect(!stand.orders.includes(`delete-address ${macvlan} ${V4}`)).toBe(stays);
});

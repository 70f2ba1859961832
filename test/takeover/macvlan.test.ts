import { describe, expect, it } from 'vitest';
import { macvlanName } from '../../src/frame/macvlan.js';
import type { HealthReason, NicHealth } from '../../src/status.js';
import { isSilentElsewhere } from '../../src/takeover/macvlan.js';
import type { Turn } from '../../src/takeover/state.js';
import { FloatingStand, packageOf, V4 } from './floating-stand.js';

const MAC = '02:00:5e:00:01:10';

describe('S8: a MAC is tried on a NIC while no other one speaks under it', () => {
  it.each<[string, NicHealth, HealthReason | undefined, boolean, boolean]>([
    ['lost its carrier', 'down', 'carrier', false, true],
    ['lost it, and the kernel does not say so yet', 'down', 'carrier', true, true],
    ['has it again, and the kernel does not say so yet', 'suspect', 'waiting', false, false],
    ['is deaf', 'down', 'deaf', true, false],
    ['is well', 'up', undefined, true, false],
  ])('the NIC that has the address %s', (_, health, reason, carrier, isSilent) => {
    const web = packageOf('web', V4);
    for (const resource of web.resources) Object.assign(resource, { mac: MAC });
    const stand = new FloatingStand({ packages: [web] });
    stand.refuses = (step) => step.do === 'add-macvlan';
    stand.start();
    stand.health('eth0', health, reason);
    const name = macvlanName('eth0', MAC);
    const held = { family: 4, local: V4, prefixLength: 32, scope: 0, flags: 0 } as const;
    const below = { ...stand.world.host['eth0']!, carrier };
    Object.assign(stand.world.host, { eth0: below, [name]: { ...below, nic: name, addresses: [held] } });
    const { world, state } = stand;
    const turn = { world, state, verdict: (nic: string) => stand.verdicts[nic]! } as unknown as Turn;
    expect(isSilentElsewhere(turn, MAC, macvlanName('eth1', MAC))).toBe(isSilent);
  });
});

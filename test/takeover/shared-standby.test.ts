import { describe, expect, it } from 'vitest';
import type { ModelKernel } from './model-kernel.js';
import { ordinaryKernel, SETTINGS_AT_BOOT, Stand } from './stand.js';
import { startState } from '../../src/takeover/state.js';

/** Two nets, each with a primary of its own, and eth1 stands by for both. */
function shared(standby = ['eth1'], kernel?: ModelKernel): Stand {
  const stand = new Stand(kernel, { standby: ['eth1', 'eth2', ...standby] });
  for (const nic of standby) stand.health(nic, 'up');
  const nets = stand.world.self.nets;
  nets.splice(
    0,
    1,
    {
      net: 'public',
      primary: 'eth0',
      standby,
      addresses: [{ family: 4, address: '10.77.0.1', prefixLength: 24 }],
    },
    {
      net: 'lan',
      primary: 'eth2',
      standby,
      addresses: [{ family: 4, address: '10.88.0.1', prefixLength: 24 }],
    },
  );
  stand.world.cluster.nets.push({ ...stand.world.cluster.nets[0]!, name: 'lan' });
  stand.state = startState(stand.world, stand.now);
  return stand.start();
}

describe('one standby for two primaries', () => {
  it('carries both, and gives each its own back', () => {
    const stand = shared();
    stand.carrier('eth0', false);
    stand.carrier('eth2', false);
    expect(stand.addresses('eth1')).toEqual(['10.77.0.1', '10.77.0.5', '10.88.0.1', 'fd77::1']);
    stand.pass(5000);
    stand.carrier('eth0', true);
    expect(stand.addresses('eth0')).toEqual(['10.77.0.1', '10.77.0.5', 'fd77::1']);
    expect(stand.addresses('eth1')).toEqual(['10.88.0.1']);
    stand.pass(5000);
    stand.carrier('eth2', true);
    expect(stand.addresses('eth2')).toEqual(['10.88.0.1']);
    expect(stand.addresses('eth1')).toEqual([]);
    expect(stand.events('mended').slice(1)).toEqual([]);
  });

  it('comes through a restart with both on it', () => {
    const stand = shared();
    stand.carrier('eth0', false);
    stand.carrier('eth2', false);
    stand.pass(5000);
    stand.give({ kind: 'stop-asked', how: 'restart' });
    stand.start();
    stand.pass(5000);
    expect(stand.addresses('eth1')).toEqual(['10.77.0.1', '10.77.0.5', '10.88.0.1', 'fd77::1']);
    stand.carrier('eth2', true);
    expect(stand.addresses('eth2')).toEqual(['10.88.0.1']);
    expect(stand.addresses('eth1')).toEqual(['10.77.0.1', '10.77.0.5', 'fd77::1']);
  });
});

describe('two standbys for two primaries', () => {
  it('are used in turn, and one carries for both when the other dies', () => {
    const kernel = ordinaryKernel();
    kernel.addNic('eth3', 9, { ...SETTINGS_AT_BOOT });
    const stand = shared(['eth1', 'eth3'], kernel);
    stand.carrier('eth0', false);
    stand.carrier('eth2', false);
    expect(stand.addresses('eth1')).toEqual(['10.77.0.1', '10.77.0.5', 'fd77::1']);
    expect(stand.addresses('eth3')).toEqual(['10.88.0.1']);
    stand.carrier('eth1', false);
    expect(stand.addresses('eth3')).toEqual(['10.77.0.1', '10.77.0.5', '10.88.0.1', 'fd77::1']);
    stand.pass(5000);
    stand.carrier('eth2', true);
    expect(stand.addresses('eth2')).toEqual(['10.88.0.1']);
    expect(stand.addresses('eth3')).toEqual(['10.77.0.1', '10.77.0.5', 'fd77::1']);
    expect(stand.events('switch-failed')).toEqual([]);
  });
});

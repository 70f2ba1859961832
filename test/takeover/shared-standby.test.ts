import { describe, expect, it } from 'vitest';
import { Stand } from './stand.js';
import { startState } from '../../src/takeover/state.js';

/** Two nets, each with a primary of its own, and eth1 stands by for both. */
function shared(): Stand {
  const stand = new Stand(undefined, { standby: ['eth1', 'eth2'] });
  const nets = stand.world.self.nets;
  nets.splice(
    0,
    1,
    {
      net: 'public',
      primary: 'eth0',
      standby: ['eth1'],
      addresses: [{ family: 4, address: '10.77.0.1', prefixLength: 24 }],
    },
    {
      net: 'lan',
      primary: 'eth2',
      standby: ['eth1'],
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

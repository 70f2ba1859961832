import { describe, expect, it } from 'vitest';
import { wiringOf } from '../../../src/drill/foresight/wiring.js';
import { situation, TWO_NODES } from './sample.js';

const SWITCHES = /^switches: .*$/m;

describe('what hangs on what', () => {
  it('goes by the hints, with an uplink for each of several switches', () => {
    const { wiring } = situation();
    expect(wiring.switches['left']).toEqual({ bridges: ['left'], nics: ['alpha.eth0', 'beta.eth0'], nets: ['public'] });
    expect(wiring.trunks).toEqual({ 'left-core': ['left-core'], 'right-core': ['right-core'] });
    expect(wiring.segments.map(({ hub }) => hub)).toEqual(['core', 'private1']);
  });

  it('takes one switch for a net of which nothing is said, and says so', () => {
    const { wiring } = situation(TWO_NODES, [SWITCHES, '']);
    expect(Object.keys(wiring.switches)).toEqual(['public', 'private1']);
    expect(wiring.trunks).toEqual({});
    expect(wiring.assumed).toEqual([
      'alpha.eth0, alpha.eth1, beta.eth0, beta.eth1 hang on one switch (public): switches: says nothing of them',
      'alpha.hb0, beta.hb0 hang on one switch (private1): switches: says nothing of them',
    ]);
  });

  it('learns from hearing that NICs hang on switches of their own', () => {
    const { cluster } = situation(TWO_NODES, [SWITCHES, '']);
    const wiring = wiringOf(cluster, [
      { from: 'alpha/eth0', to: 'beta/eth0' },
      { from: 'alpha/eth1', to: 'beta/eth1' },
      { from: 'beta/hb0', to: 'alpha/hb0' },
    ]);
    expect(wiring.switches['public1']?.nics).toEqual(['alpha.eth0', 'beta.eth0']);
    expect(wiring.switches['public2']?.nics).toEqual(['alpha.eth1', 'beta.eth1']);
    expect(wiring.switches['private1']?.nics).toEqual(['alpha.hb0', 'beta.hb0']);
  });

  it('puts a NIC that nobody hears with the others: its silence says nothing of its switch', () => {
    const { cluster } = situation(TWO_NODES, [SWITCHES, '']);
    const wiring = wiringOf(cluster, [
      { from: 'alpha/eth0', to: 'beta/eth0' },
      { from: 'alpha/eth0', to: 'beta/eth1' },
    ]);
    expect(Object.keys(wiring.switches)).toEqual(['public', 'private1']);
  });

  it('makes one bridge a net of a switch that carries several, and one fault of them', () => {
    const { wiring } = situation(TWO_NODES, [
      SWITCHES,
      'switches: { lan: [alpha.eth0, beta.eth0, alpha.hb0, beta.hb0], right: [alpha.eth1, beta.eth1] }',
    ]);
    expect(wiring.switches['lan']?.bridges).toEqual(['lan/public', 'lan/private1']);
    expect(wiring.trunks['lan-core']).toEqual(['lan/public-core']);
  });
});

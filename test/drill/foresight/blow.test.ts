import { describe, expect, it } from 'vitest';
import { checkFault, inLab } from '../../../src/drill/foresight/blow.js';
import { modelOf } from '../../../src/drill/foresight/model.js';
import { situation, TWO_NODES } from './sample.js';

describe('a fault in the words of a user', () => {
  it.each([
    ['power-off alpha'],
    ['cut beta.eth1'],
    ['drop in alpha.hb0'],
    ['switch-mute right'],
    ['trunk left-core'],
    ['client-off 10.77.0.254'],
    ['arbiter-freeze'],
    ['split alpha,arbiter|beta'],
    ['freeze-for beta 3s'],
  ])('%s is understood', (text) => {
    expect(() => checkFault(situation(), text)).not.toThrow();
  });

  it.each([
    ['power-off alpa', /unknown node "alpa"; did you mean "alpha"\?/],
    ['cut alpha.eth7', /unknown NIC "alpha\.eth7"/],
    ['switch-off lefd', /did you mean "left"\?/],
    ['trunk left-right', /unknown trunk/],
    ['client-off 10.77.0.1', /unknown target/],
    ['serial-cut', /no serial line/],
    ['arbiter-torn alpha', /the arbiter is an etcd/],
    ['cpu-busy 4', /is for scenarios/],
    ['explode alpha', /unknown fault "explode"/],
    ['drop sideways alpha.eth0', /in, out or both/],
  ])('%s is refused', (text, why) => {
    expect(() => checkFault(situation(), text)).toThrow(why);
  });

  it('a refusal lists what can fail here', () => {
    expect(() => checkFault(situation(), 'power-off nobody')).toThrow(
      /nodes: alpha, beta\n +NICs: alpha\.eth0, .*\n +switches: left, right, private1\n +trunks: left-core, right-core\n +targets: 10\.77\.0\.254\n +arbiter: etcd/,
    );
  });

  it('of a switch that carries several nets is one for each of its bridges', () => {
    const one = situation(TWO_NODES, [
      /^switches: .*$/m,
      'switches: { lan: [alpha.eth0, beta.eth0, alpha.hb0, beta.hb0] }',
    ]);
    const { targets } = modelOf(one);
    expect(inLab(one, targets, 'switch-off lan')).toEqual(['switch-off lan/public', 'switch-off lan/private1']);
    expect(inLab(one, targets, 'client-off 10.77.0.254')).toEqual(['client-off target1']);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMac, spareMac } from '../../src/frame/mac.js';
import { isMacvlanName, macvlanAlias, macvlanName, MACVLAN_MARK } from '../../src/frame/macvlan.js';
import { decodeTrial, encodeTrial, TRIAL_MACS_MAX } from '../../src/frame/trial.js';

const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((bytes) => [...bytes].map((octet) => octet.toString(16).padStart(2, '0')).join(':'));

describe('trial of a MAC', () => {
  it('one MAC, byte for byte', () => {
    const trial = { token: 0x01020304, macs: ['02:ba:73:00:00:64'] };
    expect(Buffer.from(encodeTrial(trial)).toString('hex')).toBe('0102030401' + '02ba73000064');
    expect(decodeTrial(encodeTrial(trial))).toEqual(trial);
  });

  it('what is read is what was written', () => {
    const trial = fc.record({ token: fc.nat(2 ** 31 - 1), macs: fc.array(mac, { maxLength: TRIAL_MACS_MAX }) });
    fc.assert(fc.property(trial, (each) => void expect(decodeTrial(encodeTrial(each))).toEqual(each)));
  });

  it('any other length is damaged', () => {
    const whole = encodeTrial({ token: 7, macs: ['02:ba:73:00:00:64'] });
    for (let length = 0; length < whole.length; length++) expect(decodeTrial(whole.slice(0, length))).toBeNull();
    expect(decodeTrial(Uint8Array.of(...whole, 0))).toBeNull();
    expect(decodeTrial(Uint8Array.of(0, 0, 0, 1, TRIAL_MACS_MAX + 1, ...new Uint8Array(54)))).toBeNull();
  });
});

describe('names', () => {
  it('of a macvlan: the same each time, another one for each card and MAC, short enough for the kernel', () => {
    expect(macvlanName('eth0', '02:ba:73:00:00:64')).toBe(macvlanName('eth0', '02:ba:73:00:00:64'));
    const names = new Set<string>();
    for (const nic of ['eth0', 'eth1', 'enp3s0f1', 'bond0'])
      for (let i = 0; i < 64; i++) names.add(macvlanName(nic, `02:ba:73:00:00:${i.toString(16).padStart(2, '0')}`));
    expect(names.size).toBe(4 * 64);
    for (const name of names) {
      expect(isMacvlanName(name)).toBe(true);
      expect(name.length).toBeLessThanOrEqual(15);
    }
    expect(isMacvlanName('eth0')).toBe(false);
    expect(macvlanAlias('eth0', '02:ba:73:00:00:64').startsWith(MACVLAN_MARK)).toBe(true);
  });

  it('a spare MAC is one that a card may have: locally administered, unicast, and not the one it stands in for', () => {
    fc.assert(
      fc.property(mac, (each) => {
        const spare = spareMac(each);
        const [first] = parseMac(spare) ?? [];
        expect(first! & 0x03).toBe(0x02);
        expect(spare).toBe(spareMac(each));
        expect(spare).not.toBe(each);
      }),
    );
  });
});

/** What the net says of floating addresses: verification by peers, rivals, strangers. */
import { describe, expect, it } from 'vitest';
import { arpReply, arpRequest, gratuitousRequest } from '../../src/frame/arp.js';
import { neighbourProbe, unsolicitedAdvertisement } from '../../src/frame/ndp.js';
import { PART } from '../../src/frame/part.js';
import {
  decodeInquiry,
  decodeSighting,
  encodeInquiry,
  encodeSighting,
  INQUIRED_MAX,
} from '../../src/frame/sighting.js';
import { FloatingStand, packageOf, V4, V6 } from './floating-stand.js';

const OWN = '02:00:00:00:00:02';
const BETA = '02:00:00:00:00:bb';
const STRANGER = '02:00:00:00:00:ee';

function running(options = {}): FloatingStand {
  const stand = new FloatingStand(options).start();
  stand.grant({ web: 5 });
  stand.pass(5000);
  stand.frames.length = 0;
  return stand;
}

function hear(stand: FloatingStand, bytes: Uint8Array, nic = 'eth0'): void {
  stand.give({ kind: 'frame-received', nic, bytes });
}

function beat(stand: FloatingStand, kind: number, bytes: Uint8Array): void {
  stand.world.heard.push({ node: 'beta', incarnation: 'ab', sequence: 1, parts: [{ kind, bytes }] });
  stand.give({ kind: 'datagram-received', nic: 'hb0', to: '', from: '', bytes: new Uint8Array() });
  stand.world.heard.length = 0;
}

/** Beta has looked, and saw these. */
function answer(stand: FloatingStand, ...seen: { address: string; mac: string }[]): void {
  const asked = decodeInquiry(stand.told.at(-1)!.part.bytes)!;
  beat(stand, PART.sighting, encodeSighting({ token: asked.token, macs: [BETA], seen }));
}

describe('verification', () => {
  it('asks peers at once, and tells when they saw our MAC', () => {
    const stand = new FloatingStand().start();
    stand.peers = ['beta'];
    stand.grant({ web: 5 });
    expect(stand.told.map(({ node, part }) => [node, part.kind])).toEqual([['beta', PART.inquiry]]);
    expect(decodeInquiry(stand.told[0]!.part.bytes)).toEqual({
      token: 1,
      macs: [OWN, '02:00:00:00:00:03'],
      addresses: [V4, V6],
    });
    stand.now += 7;
    answer(stand, { address: V4, mac: OWN }, { address: V6, mac: OWN });
    expect(stand.journal.filter((x) => x.event === 'announce-confirmed')).toMatchObject([
      { package: 'web', evidence: { by: 'beta', addresses: 2, lastMs: 7, tries: 1 } },
    ]);
    stand.pass(20_000);
    expect(stand.told).toHaveLength(1);
  });

  it('nobody is asked where nobody shares the net, and nothing waits for it', () => {
    const stand = running();
    expect(stand.told).toEqual([]);
    expect(stand.job().state).toBe('running');
    expect(stand.state.alarms).toEqual({});
  });

  it('no answer: announced and asked again, an alarm in the end, cleared when it is seen', () => {
    const stand = new FloatingStand({ packages: [packageOf('web', V4)] }).start();
    stand.peers = ['beta'];
    stand.grant({ web: 5 });
    stand.pass(499);
    expect(stand.told).toHaveLength(1);
    const before = stand.frames.length;
    stand.pass(1);
    expect(stand.told).toHaveLength(2);
    expect(stand.frames.length).toBeGreaterThan(before);
    stand.pass(1500);
    expect(Object.values(stand.state.alarms).map(({ what }) => what)).toEqual(['announce-unconfirmed']);
    stand.pass(4600);
    answer(stand, { address: V4, mac: OWN });
    expect(stand.state.alarms).toEqual({});
    expect(stand.events('announce-confirmed')).toHaveLength(1);
  });

  it('another MAC answered: announced at once, and asked again', () => {
    const stand = new FloatingStand({ packages: [packageOf('web', V4)] }).start();
    stand.peers = ['beta'];
    stand.grant({ web: 5 });
    const before = stand.frames.length;
    answer(stand, { address: V4, mac: BETA });
    expect(stand.frames.length).toBeGreaterThan(before);
    expect(stand.events('rival')).toEqual(['rival other-node']);
    expect(stand.events('announce-confirmed')).toEqual([]);
    stand.pass(600);
    answer(stand, { address: V4, mac: OWN });
    expect(stand.events('announce-confirmed')).toHaveLength(1);
  });

  it('hundreds of addresses: one inquiry at a time', () => {
    const many = Array.from({ length: 100 }, (_, i) => `10.77.1.${i}`);
    const stand = new FloatingStand({ packages: [packageOf('web', ...many)] }).start();
    stand.peers = ['beta', 'gamma', 'delta'];
    stand.grant({ web: 5 });
    for (let rounds = 1; rounds <= 4; rounds++) {
      expect(stand.told).toHaveLength(2 * rounds);
      const { addresses } = decodeInquiry(stand.told.at(-1)!.part.bytes)!;
      expect(addresses.length).toBeLessThanOrEqual(INQUIRED_MAX);
      answer(stand, ...addresses.map((address) => ({ address, mac: OWN })));
    }
    expect(stand.events('announce-confirmed')).toHaveLength(1);
  });

  it('an alarm ends with the package', () => {
    const stand = new FloatingStand({ packages: [packageOf('web', V4)] }).start();
    stand.peers = ['beta'];
    stand.grant({ web: 5 });
    stand.pass(3000);
    expect(Object.keys(stand.state.alarms)).toHaveLength(1);
    stand.halt();
    stand.pass(1000);
    expect(stand.state.alarms).toEqual({});
  });

  it('the asked one probes and tells every MAC that answered', () => {
    const stand = new FloatingStand().start();
    beat(stand, PART.inquiry, encodeInquiry({ token: 9, macs: [BETA], addresses: [V4, V6] }));
    expect(stand.probes.map(({ address, nic }) => [nic, address])).toEqual([
      ['eth0', V4],
      ['eth0', V6],
    ]);
    hear(stand, arpReply(BETA, V4, OWN, '0.0.0.0'));
    hear(stand, arpReply(STRANGER, V4, OWN, '0.0.0.0'));
    hear(stand, unsolicitedAdvertisement(BETA, V6, false));
    stand.pass(10);
    expect(decodeSighting(stand.told[0]!.part.bytes)).toEqual({
      token: 9,
      macs: [OWN, '02:00:00:00:00:03'],
      seen: [
        { address: V4, mac: BETA },
        { address: V4, mac: STRANGER },
        { address: V6, mac: BETA },
      ],
    });
  });

  it('the asked one tells of silence too', () => {
    const stand = new FloatingStand().start();
    beat(stand, PART.inquiry, encodeInquiry({ token: 9, macs: [], addresses: [V4] }));
    stand.pass(200);
    expect(decodeSighting(stand.told[0]!.part.bytes)).toMatchObject({ token: 9, seen: [] });
  });

  it('damaged parts and foreign addresses are dropped by name', () => {
    const stand = new FloatingStand().start();
    beat(stand, PART.inquiry, Uint8Array.of(1, 2, 3));
    beat(stand, PART.sighting, new Uint8Array(0));
    beat(stand, PART.inquiry, encodeInquiry({ token: 9, macs: [], addresses: ['10.9.9.9'] }));
    expect(stand.state.dropped).toMatchObject({
      'inquiry-damaged': 1,
      'sighting-damaged': 1,
      'inquiry-foreign-address': 1,
    });
    expect(stand.probes).toEqual([]);
  });

  it('with announceRate the asked one sends no more probes than that', () => {
    const many = Array.from({ length: 30 }, (_, i) => `10.77.1.${i}`);
    const stand = new FloatingStand({ packages: [packageOf('web', ...many)], announceRate: 10 }).start();
    beat(stand, PART.inquiry, encodeInquiry({ token: 9, macs: [], addresses: many }));
    expect(stand.probes).toHaveLength(10);
  });
});

describe('rival', () => {
  it('another node of the cluster: journalled, and the net is told anew at once, once a second', () => {
    const stand = running();
    for (let i = 0; i < 10; i++) hear(stand, gratuitousRequest(BETA, V4));
    expect(stand.events('rival')).toEqual(['rival other-node']);
    expect(stand.frames.map(({ address }) => address)).toEqual([V4, V4]);
    expect(stand.state.alarms).toEqual({});
  });

  it('known by what it said of its NICs', () => {
    const stand = running();
    beat(stand, PART.inquiry, encodeInquiry({ token: 1, macs: [STRANGER], addresses: [] }));
    hear(stand, gratuitousRequest(STRANGER, V4));
    expect(stand.events('rival', 'address-conflict')).toEqual(['rival other-node']);
  });

  it('S9: each node its own quorum: what another may have served is told once more when it surely does no longer (seed 204679)', () => {
    const stand = running();
    stand.pass(20_000);
    const before = stand.frames.length;
    stand.alsoServed = ['web'];
    stand.pass(3000);
    expect(stand.frames).toHaveLength(before);
    stand.alsoServed = [];
    stand.pass(300);
    expect(stand.frames.slice(before).map(({ address }) => address)).toEqual(expect.arrayContaining([V4, V6]));
    const told = stand.frames.length;
    stand.pass(10_000);
    const after = stand.frames.length;
    expect(after).toBeGreaterThan(told);
    stand.pass(5000);
    expect(stand.frames).toHaveLength(after);
  });

  it('RFC 5227 2.4(c): a stranger is an alarm with its MAC, and is answered once in ten seconds', () => {
    const stand = running();
    for (let i = 0; i < 100; i++) {
      hear(stand, unsolicitedAdvertisement(STRANGER, V6, false));
      stand.pass(100);
    }
    expect(stand.frames.filter(({ address }) => address === V6)).toHaveLength(1);
    expect(Object.values(stand.state.alarms)).toMatchObject([{ what: 'address-conflict' }]);
    expect(Object.values(stand.state.alarms)[0]!.text).toContain(STRANGER);
    stand.pass(70_000);
    expect(stand.state.alarms).toEqual({});
  });

  it("the last word is the holder's: once a stranger is silent for two seconds, and once in ten seconds at most", () => {
    const stand = running({ announceEveryMs: 1e6 });
    for (let i = 0; i < 4; i++) {
      hear(stand, gratuitousRequest(STRANGER, V4));
      stand.pass(1000);
    }
    expect(stand.frames).toHaveLength(2);
    stand.pass(990);
    expect(stand.frames).toHaveLength(2);
    stand.pass(20);
    expect(stand.frames.map(({ address }) => address)).toEqual([V4, V4, V4, V4]);
    hear(stand, gratuitousRequest(STRANGER, V4));
    stand.pass(9900);
    expect(stand.frames).toHaveLength(4);
    stand.pass(200);
    expect(stand.frames).toHaveLength(6);
    stand.pass(9000);
    expect(stand.frames).toHaveLength(6);
  });

  it('S9: who has lost the address meanwhile has no last word', () => {
    const stand = running();
    hear(stand, gratuitousRequest(STRANGER, V4));
    expect(stand.frames).toHaveLength(2);
    stand.lose();
    stand.pass(5000);
    expect(stand.frames).toHaveLength(2);
  });

  it('own frames, probes, and claims to others say nothing', () => {
    const stand = running();
    hear(stand, gratuitousRequest('02:00:00:00:00:03', V4), 'eth1');
    hear(stand, neighbourProbe(STRANGER, V6));
    hear(stand, gratuitousRequest(STRANGER, '10.77.0.77'));
    hear(stand, Uint8Array.of(1, 2, 3));
    expect(stand.events('rival', 'address-conflict')).toEqual([]);
    expect(stand.frames).toEqual([]);
  });

  it.each<[string, number, string, Uint8Array, number]>([
    ['announced long after our last word', 3000, 'eth0', gratuitousRequest(OWN, V4), 1],
    ['IPv6', 3000, 'eth0', unsolicitedAdvertisement(OWN, V6, false), 1],
    ['soon after it, as a loop brings it back', 300, 'eth0', gratuitousRequest(OWN, V4), 0],
    ['heard by the standby, as all that we announce', 3000, 'eth1', gratuitousRequest(OWN, V4), 0],
    ['a question under it', 3000, 'eth0', arpRequest(OWN, V4, '10.77.0.77'), 0],
  ])('the address under our own MAC: %s', (_, afterMs, nic, bytes, alarms) => {
    const stand = running();
    stand.pass(afterMs);
    stand.frames.length = 0;
    for (let i = 0; i < 10; i++) hear(stand, bytes, nic);
    expect(Object.values(stand.state.alarms)).toHaveLength(alarms);
    if (alarms === 0) return;
    expect(Object.values(stand.state.alarms)[0]!.text).toContain('under our own MAC');
    expect(new Set(stand.frames.map(({ address }) => address)).size).toBe(1);
    stand.pass(70_000);
    expect(stand.state.alarms).toEqual({});
  });

  it('S9: who is not the holder says nothing', () => {
    const stand = running();
    stand.lose();
    hear(stand, gratuitousRequest(BETA, V4));
    stand.pass(5000);
    expect(stand.frames).toEqual([]);
    expect(stand.events('rival', 'address-conflict')).toEqual([]);
  });
});

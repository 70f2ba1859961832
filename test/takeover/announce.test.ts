import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Action } from '../../src/action.js';
import { decodeArp } from '../../src/frame/arp.js';
import { decodeEthernet, ETHERTYPE_ARP } from '../../src/frame/ethernet.js';
import { decodeNdp } from '../../src/frame/ndp.js';
import type { NicObservation } from '../../src/input.js';
import * as announcer from '../../src/takeover/announce.js';
import type { World } from '../../src/world.js';

const V4 = '10.77.0.1';
const V6 = 'fd77::1';
const MACS: Record<string, string> = { eth0: '02:00:00:00:00:01', eth1: '02:00:00:00:00:02' };

function nic(name: string, forwarding = '0'): NicObservation {
  const settings = { 'ipv6/conf/{nic}/forwarding': forwarding };
  return { nic: name, mac: MACS[name] ?? '', settings } as unknown as NicObservation;
}

/** Two nets, of which `slow` has a rate; only what the announcer may look at. */
function makeWorld(rate?: number, host = { eth0: nic('eth0'), eth1: nic('eth1') }): World {
  const nets = [{ name: 'public' }, { name: 'slow', ...(rate === undefined ? {} : { announceRate: rate }) }];
  return { cluster: { nets }, host } as unknown as World;
}

interface Sent {
  at: number;
  nic: string;
  address: string;
  mac: string;
  form: 'request' | 'reply' | 'advertisement';
  router?: boolean;
}

function read(at: number, nicName: string, bytes: Uint8Array): Sent {
  const frame = decodeEthernet(bytes);
  if (typeof frame === 'string') throw new Error(frame);
  if (frame.etherType === ETHERTYPE_ARP) {
    const arp = decodeArp(frame.payload);
    if (typeof arp === 'string') throw new Error(arp);
    expect(arp.sha).toBe(frame.source);
    expect(arp.spa).toBe(arp.tpa);
    return { at, nic: nicName, address: arp.spa, mac: arp.sha, form: arp.op };
  }
  const ndp = decodeNdp(frame.payload);
  if (typeof ndp === 'string' || ndp.type !== 'neighbour-advertisement') throw new Error('no advertisement');
  expect(ndp).toMatchObject({ override: true, solicited: false, source: ndp.target });
  return {
    at,
    nic: nicName,
    address: ndp.target,
    mac: ndp.targetLinkLayer ?? '',
    form: 'advertisement',
    router: ndp.router,
  };
}

const always = (): boolean => true;

/** The announcer on its own clock: it is woken when it asks to be, and not else. */
class Bed {
  readonly state = announcer.startAnnouncer();
  readonly sent: Sent[] = [];
  readonly journal: Action[] = [];
  now = 0;
  stillOurs: announcer.StillOurs = always;

  constructor(public world: World = makeWorld()) {}

  announce(address: string, nicName = 'eth1', net = 'public'): void {
    announcer.announce(this.state, this.now, { net, nic: nicName, address, cause: 'carrier' });
    this.take();
  }

  take(): void {
    const out: Action[] = [];
    announcer.takeAnnouncements(this.world, this.state, this.now, this.stillOurs, out);
    for (const action of out) {
      if (action.kind === 'send-frame') this.sent.push(read(this.now, action.nic, action.bytes));
      else this.journal.push(action);
    }
  }

  runUntil(end: number): void {
    for (;;) {
      const deadline = announcer.announceDeadline(this.world, this.state);
      if (deadline > end) break;
      expect(deadline).toBeGreaterThanOrEqual(this.now);
      this.now = deadline;
      const before = JSON.stringify(this.state);
      this.take();
      expect(JSON.stringify(this.state), 'a deadline that came must do something').not.toBe(before);
    }
    this.now = end;
  }
}

describe('a burst', () => {
  test('rounds at 0, 0.2, 1.2, 2.3 and 3.4 s', () => {
    expect(announcer.ROUNDS).toEqual([0, 200, 1200, 2300, 3400]);
  });

  test('of IPv4: request form, then reply form, five times', () => {
    const bed = new Bed();
    bed.announce(V4);
    bed.runUntil(60_000);
    expect(bed.sent).toEqual(
      announcer.ROUNDS.flatMap((at) =>
        (['request', 'reply'] as const).map((form) => ({ at, nic: 'eth1', address: V4, mac: MACS['eth1'], form })),
      ),
    );
  });

  test('of IPv6: advertisement with override, five times', () => {
    const bed = new Bed();
    bed.announce(V6);
    bed.runUntil(60_000);
    expect(bed.sent).toEqual(
      announcer.ROUNDS.map((at) => ({
        at,
        nic: 'eth1',
        address: V6,
        mac: MACS['eth1'],
        form: 'advertisement',
        router: false,
      })),
    );
  });

  test('of a host that forwards says that it is a router (RFC 4861 4.4)', () => {
    const bed = new Bed(makeWorld(undefined, { eth0: nic('eth0'), eth1: nic('eth1', '1') }));
    bed.announce(V6);
    expect(bed.sent.map((sent) => sent.router)).toEqual([true]);
  });

  test('asks for its wake-ups, and for none when all is said', () => {
    const bed = new Bed();
    expect(announcer.announceDeadline(bed.world, bed.state)).toBe(Infinity);
    bed.announce(V4);
    expect(announcer.announceDeadline(bed.world, bed.state)).toBe(200);
    bed.runUntil(3400);
    expect(announcer.announceDeadline(bed.world, bed.state)).toBe(Infinity);
    expect(bed.state.bursts).toEqual({});
  });

  test('that is woken late still has all its rounds, as far apart as before', () => {
    const bed = new Bed();
    bed.announce(V6);
    bed.now = 5000;
    bed.take();
    expect(bed.sent.map((sent) => sent.at)).toEqual([0, 5000]);
    bed.runUntil(60_000);
    expect(bed.sent.map((sent) => sent.at)).toEqual([0, 5000, 6000, 7100, 8200]);
  });

  test('carries the MAC that the NIC has at the moment of sending', () => {
    const bed = new Bed();
    bed.announce(V4);
    bed.world = makeWorld(undefined, { eth0: nic('eth0'), eth1: { ...nic('eth1'), mac: '02:00:00:00:00:99' } });
    bed.runUntil(200);
    expect(bed.sent.map((sent) => sent.mac)).toEqual([
      MACS['eth1'],
      MACS['eth1'],
      '02:00:00:00:00:99',
      '02:00:00:00:00:99',
    ]);
  });

  test('is one entry of the journal, at its start', () => {
    const bed = new Bed();
    bed.announce(V4);
    bed.runUntil(60_000);
    expect(bed.journal).toEqual([
      {
        kind: 'journal',
        entry: {
          at: 0,
          event: 'announced',
          net: 'public',
          nic: 'eth1',
          address: V4,
          cause: 'carrier',
          evidence: { mac: MACS['eth1'], rounds: 5 },
        },
      },
    ]);
  });

  test('goes on after the state went through JSON', () => {
    const bed = new Bed();
    bed.announce(V4);
    const other = new Bed();
    Object.assign(other.state, JSON.parse(JSON.stringify(bed.state)));
    other.runUntil(60_000);
    expect(other.sent).toHaveLength(8);
  });
});

describe('is it still ours?', () => {
  test('what moved on is not repeated, and that is counted', () => {
    const bed = new Bed();
    bed.announce(V4);
    bed.announce(V6);
    bed.stillOurs = (_nic, address) => address !== V4;
    bed.runUntil(60_000);
    expect(bed.sent.filter((sent) => sent.address === V4)).toHaveLength(2);
    expect(bed.sent.filter((sent) => sent.address === V6)).toHaveLength(5);
    expect(bed.state.dropped).toEqual({ 'announcement-not-ours': 1 });
  });

  test('asked of the very first frame too, and then the journal is silent', () => {
    const bed = new Bed();
    bed.stillOurs = () => false;
    bed.announce(V4);
    expect(bed.sent).toEqual([]);
    expect(bed.journal).toEqual([]);
    expect(announcer.announceDeadline(bed.world, bed.state)).toBe(Infinity);
  });

  test('asked with NIC and address, before each frame', () => {
    const bed = new Bed();
    const asked: string[] = [];
    bed.stillOurs = (...question) => asked.push(question.join(' ')) > 0;
    bed.announce(V4);
    bed.runUntil(200);
    expect(asked).toEqual(Array(4).fill('eth1 10.77.0.1'));
  });

  test('no frame out of a NIC that is gone', () => {
    const bed = new Bed();
    bed.announce(V4);
    bed.world = makeWorld(undefined, { eth0: nic('eth0') } as never);
    bed.runUntil(60_000);
    expect(bed.sent).toHaveLength(2);
    expect(bed.state.dropped).toEqual({ 'announcement-nic-missing': 1 });
  });

  test('withdrawn: not one more frame; of another address or net it is none of its business', () => {
    const bed = new Bed();
    bed.announce(V4);
    bed.announce(V6);
    announcer.withdraw(bed.state, 'public', V4);
    announcer.withdraw(bed.state, 'slow', V6);
    announcer.withdraw(bed.state, 'public', '10.77.0.9');
    bed.runUntil(60_000);
    expect(bed.sent.filter((sent) => sent.address === V4)).toHaveLength(2);
    expect(bed.sent.filter((sent) => sent.address === V6)).toHaveLength(5);
  });

  test('there and back again: the last word is the present NIC, and the older burst is silent', () => {
    const bed = new Bed();
    bed.announce(V4, 'eth1');
    bed.now = 100;
    bed.announce(V4, 'eth0');
    bed.runUntil(60_000);
    expect(bed.sent.filter((sent) => sent.nic === 'eth1').map((sent) => sent.at)).toEqual([0, 0]);
    expect(bed.sent.filter((sent) => sent.at >= 100)).toHaveLength(10);
    expect(bed.sent.at(-1)).toMatchObject({ nic: 'eth0', mac: MACS['eth0'] });
    expect(bed.state.dropped).toEqual({ 'announcement-superseded': 1 });
  });
});

describe('announceRate', () => {
  const addresses = Array.from({ length: 4 }, (_, i) => `10.77.0.${i + 1}`);

  test('without one, all first rounds leave at once: every request before any reply', () => {
    const bed = new Bed();
    for (const address of addresses)
      announcer.announce(bed.state, 0, { net: 'public', nic: 'eth1', address, cause: 'carrier' });
    bed.take();
    expect(bed.sent.map((sent) => `${sent.form} ${sent.address}`)).toEqual([
      ...addresses.map((address) => `request ${address}`),
      ...addresses.map((address) => `reply ${address}`),
    ]);
  });

  test('as many frames a second and no more; first rounds before repeats, the longest waiting first', () => {
    const bed = new Bed(makeWorld(3));
    for (const address of addresses)
      announcer.announce(bed.state, 0, { net: 'slow', nic: 'eth1', address, cause: 'carrier' });
    bed.take();
    bed.runUntil(2500);
    expect(bed.sent.map((sent) => `${sent.at} ${sent.form} ${sent.address}`)).toEqual([
      '0 request 10.77.0.1',
      '0 request 10.77.0.2',
      '0 request 10.77.0.3',
      '1000 request 10.77.0.4',
      '1000 reply 10.77.0.1',
      '1000 reply 10.77.0.2',
      '2000 reply 10.77.0.3',
      '2000 reply 10.77.0.4',
      '2000 request 10.77.0.1',
    ]);
  });

  test('of one net holds up no other', () => {
    const bed = new Bed(makeWorld(1));
    bed.announce('10.78.0.1', 'eth0', 'slow');
    bed.announce(V4, 'eth1', 'public');
    expect(bed.sent.map((sent) => `${sent.form} ${sent.address}`)).toEqual([
      'request 10.78.0.1',
      `request ${V4}`,
      `reply ${V4}`,
    ]);
  });

  test('below one a second', () => {
    const bed = new Bed(makeWorld(0.5));
    bed.announce(V6, 'eth1', 'slow');
    bed.runUntil(60_000);
    expect(bed.sent.map((sent) => sent.at)).toEqual([0, 2000, 4000, 6000, 8000]);
  });

  test('is kept over the end of a burst', () => {
    const bed = new Bed(makeWorld(1));
    bed.announce(V6, 'eth1', 'slow');
    announcer.withdraw(bed.state, 'slow', V6);
    bed.announce('fd77::2', 'eth1', 'slow');
    bed.runUntil(999);
    expect(bed.sent).toHaveLength(1);
    bed.runUntil(1000);
    expect(bed.sent).toHaveLength(2);
  });
});

type Move =
  { do: 'announce' | 'withdraw' | 'lose'; address: string; nic: string; net: string } | { do: 'wait'; ms: number };

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    do: fc.constantFrom('announce' as const, 'announce' as const, 'withdraw' as const, 'lose' as const),
    address: fc.constantFrom(V4, V6, '10.77.0.2', 'fd77::2', '10.77.0.3'),
    nic: fc.constantFrom('eth0', 'eth1'),
    net: fc.constantFrom('public', 'slow'),
  }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 3000 }) }),
);

test('property: whatever happens, only holders speak, and each burst ends', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (moves, rate) => {
      const bed = new Bed(makeWorld(rate));
      /** Net and address → NIC that holds it; the truth against which frames are held. */
      const holder = new Map<string, string>();
      let seen = 0;
      bed.stillOurs = (nicName, address) =>
        ['public', 'slow'].some((net) => holder.get(`${net} ${address}`) === nicName);
      const check = (): void => {
        for (const sent of bed.sent.slice(seen)) {
          expect(bed.stillOurs(sent.nic, sent.address)).toBe(true);
          expect(sent.mac).toBe(MACS[sent.nic]);
        }
        seen = bed.sent.length;
      };
      for (const step of moves) {
        if (step.do === 'wait') {
          const end = bed.now + step.ms;
          bed.runUntil(end);
        } else if (step.do === 'announce') {
          holder.set(`${step.net} ${step.address}`, step.nic);
          bed.announce(step.address, step.nic, step.net);
        } else {
          holder.delete(`${step.net} ${step.address}`);
          if (step.do === 'withdraw') announcer.withdraw(bed.state, step.net, step.address);
        }
        check();
      }
      bed.runUntil(bed.now + 120_000);
      check();
      expect(bed.state.bursts).toEqual({});
      expect(Object.keys(bed.state.sentAt)).not.toContain('public');
    }),
  );
});

test('property: on a net with a rate no window of a second holds more frames than that', () => {
  const slowMove = move.map((step) => (step.do === 'wait' ? step : { ...step, net: 'slow' }));
  fc.assert(
    fc.property(fc.array(slowMove, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (moves, rate) => {
      const bed = new Bed(makeWorld(rate));
      for (const step of moves) {
        if (step.do === 'wait') bed.runUntil(bed.now + step.ms);
        else if (step.do === 'announce') bed.announce(step.address, step.nic, step.net);
        else announcer.withdraw(bed.state, step.net, step.address);
      }
      bed.runUntil(bed.now + 120_000);
      const times = bed.sent.map((sent) => sent.at);
      for (const [i, at] of times.entries()) expect(at - (times[i - rate] ?? -Infinity)).toBeGreaterThanOrEqual(1000);
    }),
  );
});

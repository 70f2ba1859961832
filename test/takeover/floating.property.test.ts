/** Any order of grants, losses, documents, held-up hands and gates, failures, tampering and crashes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Step } from '../../src/action.js';
import { FloatingStand, LEASE, packageOf } from './floating-stand.js';

const ADDRESSES: Record<string, string[]> = { web: ['10.77.0.100', 'fd77::100'], mail: ['10.77.0.101'] };
const NAMES = Object.keys(ADDRESSES);

type Event =
  | { do: 'grant'; names: string[] }
  | { do: 'renew' | 'lose' | 'halt' | 'change' | 'gate' | 'restart' | 'cut' | 'heal' | 'flush' | 'observe' }
  | { do: 'elsewhere'; name: string }
  | { do: 'idle'; hands: boolean; gate: boolean }
  | { do: 'pass'; ms: number }
  | { do: 'refuse'; verb: Step['do'] | null; gate: boolean }
  | { do: 'tamper'; address: string; adds: boolean; nic: string };

const name = fc.constantFrom(...NAMES);
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('grant' as const), names: fc.subarray(NAMES) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('renew', 'lose', 'halt', 'change', 'gate', 'restart', 'cut', 'heal', 'flush', 'observe'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('elsewhere' as const), name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('idle' as const), hands: fc.boolean(), gate: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 1500 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('refuse' as const),
      verb: fc.constantFrom('add-address' as const, 'delete-address' as const, null, null),
      gate: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('tamper' as const),
      address: fc.constantFrom(...Object.values(ADDRESSES).flat()),
      adds: fc.boolean(),
      nic: fc.constantFrom('eth0', 'eth1'),
    }),
  },
);

class Story {
  readonly stand = new FloatingStand({ packages: NAMES.map((each) => packageOf(each, ...ADDRESSES[each]!)) });
  revision = 5;
  framesSeen = 0;
  ordersSeen = 0;

  constructor() {
    this.stand.check = () => this.check();
    this.stand.start();
  }

  play(event: Event): void {
    const { stand } = this;
    switch (event.do) {
      case 'grant':
        return stand.grant(Object.fromEntries(event.names.map((each) => [each, this.revision])));
      case 'renew':
        return stand.mandate.leaseEnd === null ? undefined : stand.renew();
      case 'lose':
        return stand.lose();
      case 'halt':
        this.revision++;
        return stand.halt();
      case 'elsewhere': {
        this.revision++;
        const here = Object.keys(stand.mandate.may).filter((each) => each !== event.name);
        return stand.mandate.leaseEnd === null
          ? undefined
          : stand.grant(Object.fromEntries(here.map((each) => [each, this.revision])));
      }
      case 'change':
        return stand.hands.length > 0 ? stand.change() : undefined;
      case 'gate':
        return stand.gateOrders.length > 0 ? stand.writeGate() : undefined;
      case 'restart':
        this.ordersSeen = stand.orders.length;
        stand.start();
        return;
      case 'cut':
      case 'heal':
        stand.kernel.nics['eth0']!.carrier = event.do === 'heal';
        if (event.do === 'heal') stand.health('eth0', 'up');
        else stand.health('eth0', 'down', 'carrier');
        return stand.observe();
      case 'flush':
        stand.gate = { held: [], leaseEnd: null };
        return stand.give({ kind: 'gate-lost', text: 'flushed' });
      case 'observe':
        return stand.observe();
      case 'idle':
        stand.handsIdle = event.hands;
        stand.gateIdle = event.gate;
        return stand.work();
      case 'pass':
        return stand.pass(event.ms, event.ms % 2 === 0);
      case 'refuse':
        stand.refuses = (step) => step.do === event.verb;
        stand.gateAnswer = () => (event.gate ? { ok: false, why: 'late' } : { ok: true });
        return;
      case 'tamper': {
        const family = event.address.includes(':') ? 6 : 4;
        const address = {
          family,
          local: event.address,
          prefixLength: family === 4 ? 32 : 128,
          scope: 0,
          flags: 0x202,
        } as const;
        stand.kernel.apply({ do: event.adds ? 'add-address' : 'delete-address', nic: event.nic, address });
        return stand.observe();
      }
    }
  }

  check(): void {
    const { stand } = this;
    const { mandate, now } = stand;
    const lease = mandate.leaseEnd !== null && now < mandate.leaseEnd;
    const allowed = new Set(lease ? NAMES.filter((each) => each in mandate.may) : []);
    for (const each of NAMES) {
      const addresses = new Set(ADDRESSES[each]);
      const onHost = Object.values(stand.kernel.nics).some((nic) =>
        nic.addresses.some(({ local }) => addresses.has(local)),
      );
      const adding = stand.hands.some(({ steps }) =>
        steps.some((x) => x.do === 'add-address' && addresses.has(x.address.local)),
      );
      const passes = [stand.gate, ...stand.gateOrders].some(
        ({ held, leaseEnd }) => leaseEnd !== null && leaseEnd > now && held.some((x) => addresses.has(x)),
      );
      const job = stand.job(each);
      // N5, but for an old gate after a restart, which lets nothing speak that is not there.
      if (!job.held) {
        expect(['starting', 'running'], `${each} is served and not held`).not.toContain(job.state);
        expect(onHost || adding, `${each} is not held`).toBe(false);
        if (stand.state.floating.gate.known !== null)
          expect(passes, `${each} is not held, the gate lets it speak`).toBe(false);
      }
      if (!allowed.has(each)) expect(['starting', 'running']).not.toContain(job.state);
    }
    // S9.
    for (const { address } of stand.frames.slice(this.framesSeen)) {
      expect(
        [...allowed].some((each) => ADDRESSES[each]!.includes(address)),
        `${address} is announced`,
      ).toBe(true);
    }
    this.framesSeen = stand.frames.length;
    // No add for what is surrendered; G1: the gate is told only of what is allowed.
    for (const order of stand.orders.slice(this.ordersSeen)) {
      const [verb, ...rest] = order.split(' ');
      const names = NAMES.filter((each) => rest.some((x) => ADDRESSES[each]!.includes(x)));
      if (verb === 'add-address' || verb === 'gate')
        for (const each of names) expect(allowed.has(each), order).toBe(true);
    }
    this.ordersSeen = stand.orders.length;
    for (const { leaseEnd } of stand.gateOrders.slice(-1)) {
      if (leaseEnd !== null) expect(leaseEnd).toBeLessThanOrEqual(mandate.leaseEnd ?? now);
    }
  }

  /** Nothing disturbs it any more. */
  settle(): void {
    const { stand } = this;
    stand.refuses = () => false;
    stand.gateAnswer = () => ({ ok: true });
    stand.handsIdle = true;
    stand.gateIdle = true;
    stand.work();
    stand.kernel.nics['eth0']!.carrier = true;
    stand.health('eth0', 'up');
    stand.observe();
    stand.pass(LEASE);
  }
}

test('N5, G1, S9: held is never falsely false, nothing without lease is announced, added or let through', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const story = new Story();
      for (const each of events) story.play(each);
    }),
    { numRuns: 150 },
  );
}, 120_000);

test('in the end what may be served runs, and everything else is gone and known to be', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 25 }), fc.subarray(NAMES), (events, names) => {
      const story = new Story();
      for (const each of events) story.play(each);
      const { stand } = story;
      story.settle();
      stand.place({});
      stand.grant(Object.fromEntries(names.map((each) => [each, ++story.revision])), 200_000);
      // As long as the longest pause against one who kept tampering or refusing.
      stand.pass(90_000);
      for (const each of NAMES) {
        const serves = names.includes(each);
        expect(stand.job(each)).toMatchObject(serves ? { state: 'running', held: true } : { held: false });
        for (const address of ADDRESSES[each]!) expect(stand.speaks(address)).toBe(serves);
      }
    }),
    { numRuns: 60 },
  );
}, 120_000);

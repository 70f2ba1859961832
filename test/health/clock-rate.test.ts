/** Rates of two clocks, measured by words that take their time. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Action } from '../../src/action.js';
import { clockPart, FASTER_MAX, FASTER_MIN, startClock, takeClock } from '../../src/health/clock-rate.js';
import type { HealthState, PeerState } from '../../src/health/state.js';
import type { Ms } from '../../src/input.js';

interface Weather {
  /** How long a word is under way. */
  delayMs: (at: Ms, sent: number) => Ms;
  /** Of all words so many are lost. */
  loses?: (sent: number) => boolean;
}

/** One end: its clock, and what it knows of the other's. */
class End {
  readonly state = { alarms: {}, decisions: [] } as unknown as HealthState;
  readonly peer: PeerState;
  readonly out: Action[] = [];
  rate = 1;
  #from = { world: 0, own: 0 };

  constructor(
    readonly name: string,
    other: string,
    origin: Ms,
  ) {
    this.peer = { node: other, clock: startClock() } as unknown as PeerState;
    this.#from.own = origin;
  }

  now(world: Ms): Ms {
    return this.#from.own + (world - this.#from.world) * this.rate;
  }

  drift(world: Ms, ppm: number): void {
    this.#from = { world, own: this.now(world) };
    this.rate = 1 + ppm / 1e6;
  }

  get told(): string[] {
    return this.out.flatMap((one) => (one.kind === 'journal' ? [one.entry.event] : []));
  }
}

class Pair {
  readonly alpha = new End('alpha', 'beta', 5000);
  readonly beta = new End('beta', 'alpha', 8_000_000);
  readonly #weather: Weather;
  #at: Ms = 0;
  #sent = 0;
  #under: { at: Ms; arrive: () => void }[] = [];

  constructor(weather: Weather) {
    this.#weather = weather;
  }

  run(forMs: Ms): void {
    for (const until = this.#at + forMs; this.#at < until; this.#at += 200) {
      this.#deliver();
      this.#send(this.alpha, this.beta, 0);
      this.#send(this.beta, this.alpha, 70);
    }
  }

  #send(from: End, to: End, laterMs: Ms): void {
    const part = clockPart(from.peer, from.now(this.#at + laterMs));
    if (part === null) return;
    const sent = this.#sent++;
    if (this.#weather.loses?.(sent) === true) return;
    const at = this.#at + laterMs + this.#weather.delayMs(this.#at, sent);
    const arrive = (): void => takeClock(to.state, to.peer, part, true, to.now(at), to.out);
    this.#under.push({ at, arrive });
  }

  #deliver(): void {
    const due = this.#under.filter(({ at }) => at <= this.#at).sort((a, b) => a.at - b.at);
    this.#under = this.#under.filter(({ at }) => at > this.#at);
    for (const { arrive } of due) arrive();
  }

  drift(alpha: number, beta: number): void {
    this.#deliver();
    this.alpha.drift(this.#at, alpha);
    this.beta.drift(this.#at, beta);
  }
}

const LAN: Weather = { delayMs: (_, sent) => 0.2 + 0.1 * (sent % 3) };
/** Up to 50 ms, each its own. */
const JITTER: Weather = { delayMs: (_, sent) => ((sent * 7919) % 500) / 10 };

interface Row {
  what: string;
  alpha: number;
  beta: number;
  weather?: Weather;
  /** What alpha and beta say of each other. */
  says: [RegExp, RegExp] | null;
}

describe('MEMBERSHIP 5: clocks whose rates differ by more than leases allow for are an alarm, at both', () => {
  test.each<Row>([
    { what: 'right', alpha: 0, beta: 0, says: null },
    { what: 'both at the bound, each its own way', alpha: -1000, beta: 1000, says: null },
    { what: 'and the other way', alpha: 1000, beta: -1000, says: null },
    { what: 'a little beyond', alpha: -1100, beta: 1000, says: [/beta runs 2[01]\d\d to 21\d\d ppm faster/, /slower/] },
    { what: 'one far beyond', alpha: 0, beta: 5000, says: [/beta runs .* ppm faster/, /alpha runs .* ppm slower/] },
    { what: 'one far too slow', alpha: 0, beta: -5000, says: [/slower/, /faster/] },
    { what: 'beyond, on a path with jitter', alpha: 0, beta: 5000, weather: JITTER, says: [/faster/, /slower/] },
    { what: 'at the bound, on a path with jitter', alpha: -1000, beta: 1000, weather: JITTER, says: null },
    {
      what: 'a path on which everything takes a second longer from then on',
      alpha: 0,
      beta: 0,
      weather: { delayMs: (at) => (at < 100_000 ? 0.2 : 1000) },
      says: null,
    },
    {
      what: 'the way back alone takes a second longer',
      alpha: 0,
      beta: 0,
      weather: { delayMs: (at, sent) => (at < 100_000 || sent % 2 === 0 ? 0.2 : 1000) },
      says: null,
    },
    {
      what: 'nothing comes through',
      alpha: 0,
      beta: 9000,
      weather: { delayMs: () => 1, loses: () => true },
      says: null,
    },
    {
      what: 'one is not heard by the other',
      alpha: 0,
      beta: 9000,
      weather: { ...LAN, loses: (n) => n % 2 === 1 },
      says: null,
    },
  ])('$what', ({ alpha, beta, weather = LAN, says }) => {
    const pair = new Pair(weather);
    pair.drift(alpha, beta);
    pair.run(180_000);
    const [ofBeta] = Object.values(pair.alpha.state.alarms);
    const [ofAlpha] = Object.values(pair.beta.state.alarms);
    if (says === null) expect([ofBeta, ofAlpha, ...pair.alpha.told]).toEqual([undefined, undefined]);
    else {
      expect(ofBeta).toMatchObject({ what: 'clock-rate', text: expect.stringMatching(says[0]) as string });
      expect(ofAlpha).toMatchObject({ what: 'clock-rate', text: expect.stringMatching(says[1]) as string });
    }
  });

  test('it takes a minute to be sure, and as long until it is over', () => {
    const pair = new Pair(LAN);
    pair.run(100_000);
    pair.drift(0, 6000);
    pair.run(15_000);
    expect(pair.alpha.told).toEqual([]);
    pair.run(60_000);
    expect(pair.alpha.told).toEqual(['alarm-raised']);
    expect(pair.alpha.state.decisions).toMatchObject([{ subject: 'beta', cause: 'clock-rate' }]);
    pair.drift(0, 0);
    pair.run(15_000);
    expect(pair.alpha.told).toEqual(['alarm-raised']);
    pair.run(80_000);
    expect(pair.alpha.told).toEqual(['alarm-raised', 'alarm-cleared']);
    expect(pair.alpha.state.decisions).toHaveLength(2);
  });

  test('what an answer to a daemon that was here before says of the way counts for nothing', () => {
    const end = new End('alpha', 'beta', 0);
    const old = clockPart({ ...end.peer, clock: { ...startClock(), heard: { time: 77, at: 0 } } }, 1000)!;
    takeClock(end.state, end.peer, old, false, 1000, end.out);
    expect(end.peer.clock.samples).toEqual([]);
    takeClock(end.state, end.peer, old, true, 1000, end.out);
    expect(end.peer.clock.samples).toHaveLength(1);
  });

  test('the bounds are those of T(d): of a fast observer and a slow holder, and of the reverse', () => {
    expect(FASTER_MAX).toBeCloseTo(0.002002002, 9);
    expect(FASTER_MIN).toBeCloseTo(-0.001998002, 9);
  });
});

test('no alarm is false, however long words take, and however many are lost, while both clocks keep to the bound', () => {
  const ppm = fc.oneof(fc.constantFrom(-1000, 1000), fc.integer({ min: -1000, max: 1000 }));
  const drawn = fc.record({
    drifts: fc.array(fc.tuple(ppm, ppm), { minLength: 1, maxLength: 4 }),
    delays: fc.array(fc.oneof(fc.double({ min: 0, max: 50, noNaN: true }), fc.constantFrom(0, 300, 3000)), {
      minLength: 1,
      maxLength: 40,
    }),
    /** Everything takes so much longer from then on, in one direction or both. */
    shift: fc.record({
      at: fc.integer({ min: 0, max: 200_000 }),
      byMs: fc.constantFrom(0, 5, 500, 10_000),
      both: fc.boolean(),
    }),
    lost: fc.subarray([0, 1, 2, 3, 4], { maxLength: 3 }),
  });
  fc.assert(
    fc.property(drawn, ({ drifts, delays, shift, lost }) => {
      const pair = new Pair({
        delayMs: (at, sent) =>
          delays[sent % delays.length]! + (at >= shift.at && (shift.both || sent % 2 === 1) ? shift.byMs : 0),
        loses: (sent) => lost.includes(sent % 5),
      });
      for (const [alpha, beta] of drifts) {
        pair.drift(alpha, beta);
        pair.run(90_000);
      }
      expect([...pair.alpha.told, ...pair.beta.told]).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

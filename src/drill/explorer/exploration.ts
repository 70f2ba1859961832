/**
 * One explored seed: a drawn cluster in memory, drawn blows, what must hold looked at after every change of the world;
 * then all is healed, and peace must come within a bound (DESIGN 14, 15).
 *
 *   seed ─▶ topology, schedule ─▶ simulator ──changed, stepped, spoken──▶ invariants ─▶ report
 */
import { createHash } from 'node:crypto';
import { SimulatorLab } from '../../../drivers/simulator/lab.js';
import { Random } from '../../../drivers/simulator/random.js';
import type { Ms } from '../../input.js';
import { unsettled } from '../invariant/convergence.js';
import { SimulatedScene } from '../invariant/scene.js';
import { aimOf, drawAimed } from './aimed.js';
import { Cast } from './cast.js';
import { mayLoseDisk } from './losses.js';
import { COORDINATOR, drawSchedule, HOLDER, type Blow, type Schedule } from './schedule.js';
import { drawTopology, type Drawn } from './topology.js';
import { parseFault } from '../scenario.js';

export interface Violation {
  /** `S1`. */
  invariant: string;
  /** Of the drill. */
  at: Ms;
  text: string;
}

export interface SeedReport {
  seed: number;
  traceHash: string;
  simulatedMs: Ms;
  violations: Violation[];
}

export interface ExploredSeed extends SeedReport {
  /** What the seed drew, and all that happened. */
  story: string;
}

/** From the last heal to peace: daemons boot, old leases end, elections, waits for peers at the start, hysteresis of alarms. */
const PEACE_WITHIN_MS: Ms = 45_000;
const LOOK_EVERY_MS: Ms = 500;
const ROUNDING_MS: Ms = 1e-3;
/** Peace must last so long. */
const PEACE_FOR_MS: Ms = 2000;
/** Alarms of what is over: they stand for a minute, so that somebody sees them. */
const TOLD_FOR_A_MINUTE = ['gate-flushed', 'address-conflict', 'rival-manager'];
/** Weather is judged from here on: the start is over. */
const ARMED_AT_MS: Ms = 7900;

/** `aim`: with that one; absent: a share of all seeds has one, by the seed alone. */
export async function exploreSeed(seed: number, aim = aimOf(seed)): Promise<ExploredSeed> {
  if (aim !== null) {
    const { drawn, schedule } = drawAimed(aim, seed);
    return new Exploration(seed, drawn, schedule).run();
  }
  const random = new Random(seed).stream('explore');
  const drawn = drawTopology(seed, random);
  return new Exploration(seed, drawn, drawSchedule(random, drawn)).run();
}

class Exploration {
  readonly lab: SimulatorLab;
  readonly #seed: number;
  readonly #drawn: Drawn;
  readonly #schedule: Schedule;
  readonly #violations: Violation[] = [];
  #scene: SimulatedScene | null = null;
  readonly #pauses: Random;
  readonly #cast: Cast;
  readonly #inForce = new Map<string, () => Promise<void>>();
  #due: { at: Ms; fault: string }[] = [];
  #isRough = true;

  constructor(seed: number, drawn: Drawn, schedule: Schedule) {
    this.#seed = seed;
    this.#drawn = drawn;
    this.#schedule = schedule;
    this.#pauses = new Random(seed).stream('pauses');
    this.lab = new SimulatorLab({
      seed,
      pauseMs: (_, where) => this.#pauseMs(where),
    });
    this.#cast = new Cast(this.lab, drawn);
  }

  violated(invariant: string, text: string): void {
    if (this.#violations.length < 10) this.#violations.push({ invariant, at: this.lab.now(), text });
  }

  async run(): Promise<ExploredSeed> {
    try {
      await this.#raise();
      for (const blow of this.#schedule.blows) {
        await this.#runUntil(blow.at);
        if (this.#violations.length > 0) break;
        await this.#strike(blow);
      }
      if (this.#violations.length === 0) await this.#runUntil(this.#schedule.endsAt);
      if (this.#violations.length === 0) await this.#settle();
    } catch (error) {
      this.violated('crash', error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    return this.#report();
  }

  async #raise(): Promise<void> {
    const { lab } = this;
    await lab.build(this.#drawn.scenario);
    const { daemons, hosts, bridges } = lab.network;
    if (this.#schedule.blows.some((blow) => blow.do === 'inflict' && blow.fault.startsWith('replay')))
      for (const bridge of bridges.values()) bridge.record();
    for (const [name, host] of hosts) host.clock.drift(this.#schedule.driftPpm[name] ?? 0);
    const told = (invariant: string, text: string): void => this.violated(invariant, text);
    this.#scene = new SimulatedScene(lab, told, { mild: this.#schedule.isMild });
    if (this.#schedule.startsTogether) for (const daemon of daemons.values()) daemon.start();
    else for (const name of daemons.keys()) await lab.startDaemon(name);
    lab.begin();
  }

  /** Heals come in their time; it stops short at a violation. */
  async #runUntil(at: Ms): Promise<void> {
    // Sums of fractions do not come out even.
    while (this.lab.now() < at - ROUNDING_MS && this.#violations.length === 0) {
      if (this.lab.now() >= ARMED_AT_MS) this.#scene?.invariants.arm();
      await this.lab.runUntil(Math.min(at, this.lab.now() + 100));
      await this.#healDue();
    }
  }

  async #healDue(): Promise<void> {
    const now = this.lab.now();
    const due = this.#due.filter(({ at }) => at <= now);
    this.#due = this.#due.filter(({ at }) => at > now);
    for (const { fault } of due) await this.#heal(fault);
  }

  async #strike(blow: Blow): Promise<void> {
    const { daemons } = this.lab.network;
    switch (blow.do) {
      case 'ask': {
        const daemon = daemons.get(this.#cast.named(blow.node))!;
        if (daemon.awake) daemon.ask(this.#cast.asked(blow.request), () => {});
        return;
      }
      case 'slow-disk':
        daemons.get(this.#cast.named(blow.node))!.disk.slowness = blow.times;
        return;
      case 'inflict':
        await this.#inflict(blow.fault, blow.healAfterMs);
    }
  }

  async #inflict(drawn: string, healAfterMs: Ms | null): Promise<void> {
    const fault = this.#resolved(drawn);
    if (fault === null || this.#inForce.has(fault) || !this.#makesSense(fault)) return;
    const parsed = parseFault(fault);
    await this.lab.inflict(parsed);
    if (healAfterMs === null) {
      this.lab.forget(parsed);
      return;
    }
    this.#inForce.set(fault, () => this.lab.heal(parsed));
    this.#due.push({ at: this.lab.now() + healAfterMs, fault });
  }

  /** With names in the place of words; null: the blow has lost its sense by that. */
  #resolved(drawn: string): string | null {
    const { daemons } = this.lab.network;
    const leader = [...daemons.values()].find((daemon) => daemon.node?.state.membership.post.role === 'coordinator');
    const [holder] = this.lab.watcher.answering(this.#drawn.addresses[0]!);
    const fault = this.#cast
      .named(drawn)
      .replace(COORDINATOR, leader?.host.name ?? this.#drawn.nodes[0]!)
      .replace(HOLDER, holder ?? this.#drawn.nodes[1]!);
    const [verb, one, other] = fault.split(' ');
    if (verb === 'block' && one === other) return null;
    if (verb !== 'isolate') return fault;
    const others = [
      ...this.#drawn.nodes.filter((name) => name !== one),
      ...(this.#drawn.hasArbiter ? ['arbiter'] : []),
    ];
    return `split ${one}|${others.join(',')}`;
  }

  /** A blow at a kernel that has no power, or at an address that is not there, is none. */
  #makesSense(fault: string): boolean {
    const [verb, where = '', what = ''] = fault.split(' ');
    const host = this.lab.network.hosts.get(where.split('.')[0]!);
    if (host && !host.powered) return false;
    if (verb === 'disk-lost') return mayLoseDisk(this.lab.network, where);
    return verb !== 'remove-address' || host?.owns(what) === true;
  }

  async #heal(fault: string): Promise<void> {
    const heal = this.#inForce.get(fault);
    this.#inForce.delete(fault);
    await heal?.();
  }

  async #settle(): Promise<void> {
    this.#isRough = false;
    for (const fault of [...this.#inForce.keys()]) await this.#heal(fault);
    this.#due = [];
    for (const daemon of this.lab.network.daemons.values()) {
      daemon.disk.slowness = 1;
      if (!daemon.runs) daemon.startSoon();
    }
    const forgiven = new Set(TOLD_FOR_A_MINUTE);
    const from = this.lab.now();
    let peaceSince: Ms | null = null;
    for (;;) {
      await this.#runUntil(this.lab.now() + LOOK_EVERY_MS);
      if (this.#violations.length > 0) return;
      const now = this.lab.now();
      const wrong = await unsettled(this.#scene!, forgiven);
      peaceSince = wrong.length > 0 ? null : (peaceSince ?? now);
      if (peaceSince !== null && now - peaceSince >= PEACE_FOR_MS) break;
      if (peaceSince === null && now - from > PEACE_WITHIN_MS) {
        for (const { name, text } of wrong) this.violated(name, text);
        return;
      }
    }
    this.#scene!.invariants.ended();
  }

  #pauseMs(where: 'effect' | 'gate'): Ms {
    const { chance, maxMs } = this.#schedule.pauses[where];
    if (chance === 0 || !this.#isRough || this.#pauses.unit() >= chance) return 0;
    return Math.max(1, maxMs * this.#pauses.unit() ** 2);
  }

  #report(): ExploredSeed {
    const trace = this.lab.trace();
    const { topology, cluster } = this.#drawn.scenario;
    const story = `${JSON.stringify({ topology, cluster })}\n${JSON.stringify({ ...this.#schedule, blows: undefined })}\n${trace}`;
    return {
      seed: this.#seed,
      traceHash: createHash('sha256').update(trace).digest('hex').slice(0, 16),
      simulatedMs: this.lab.now(),
      violations: this.#violations,
      story,
    };
  }
}

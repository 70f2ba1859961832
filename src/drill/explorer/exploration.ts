/**
 * One explored seed: a drawn cluster in memory, drawn blows, what must hold looked at after every change of the world;
 * then a core that can serve is healed, and peace must come within a bound (DESIGN 14, 15).
 *
 *   seed ─▶ topology, schedule ─▶ striker ─▶ simulator ──▶ invariants ─▶ report
 *                                    └─▶ acts ─▶ story: the same as a scenario
 */
import { createHash } from 'node:crypto';
import { SimulatorLab } from '../../../drivers/simulator/lab.js';
import { Random } from '../../../drivers/simulator/random.js';
import type { Ms } from '../../input.js';
import type { Violation } from '../report.js';
import { unsettled } from '../invariant/convergence.js';
import { SimulatedScene } from '../invariant/scene.js';
import { parseFault, type Scenario } from '../scenario.js';
import { aimOf, drawAimed } from './aimed.js';
import { Cast } from './cast.js';
import { BY_HAND_AT_MS, drawCore, keyCopies, peaceWithinMs, puttingBack, tidying, unlocking } from './ending.js';
import { AWAKE } from './kinds.js';
import { drawSchedule, type Blow, type Schedule } from './schedule.js';
import type { Story } from './story.js';
import { Striker } from './striker.js';
import { drawTopology, type Drawn } from './topology.js';

export interface SeedReport {
  seed: number;
  traceHash: string;
  simulatedMs: Ms;
  violations: Violation[];
}

export interface ExploredSeed extends SeedReport {
  /** What the seed drew, and all that happened. */
  text: string;
  story: Story;
}

const LOOK_EVERY_MS: Ms = 500;
/** Peace must last so long. */
const PEACE_FOR_MS: Ms = 2000;
/** And when somebody looks at the nodes that stay off: a fence agent at work on them fails in its own time. */
const VOUCHED_AT_MS: readonly Ms[] = [12_000, 25_000];
/** Weather is judged from here on: the start is over. */
const MILD_FROM_MS: Ms = 7900;

/** `aim`: with that one; absent: a share of all seeds has one, by the seed alone. */
export async function exploreSeed(seed: number, aim = aimOf(seed)): Promise<ExploredSeed> {
  if (aim !== null) {
    const { drawn, schedule } = drawAimed(aim, seed);
    return new Exploration(seed, drawn, schedule).run();
  }
  const drawn = drawTopology(seed);
  return new Exploration(seed, drawn, drawSchedule(seed, drawn)).run();
}

class Exploration {
  readonly #lab: SimulatorLab;
  readonly #seed: number;
  readonly #drawn: Drawn;
  readonly #schedule: Schedule;
  readonly #scenario: Scenario;
  readonly #striker: Striker;
  readonly #random: Random;
  readonly #pauses: Random;
  readonly #effects = new Map<string, { since: Ms; count: number }>();
  readonly #violations: Violation[] = [];
  #scene: SimulatedScene | null = null;
  #peace: Story['peace'] = null;
  /** Processes may be stopped: from the drill's begin to the last heal. */
  #isRough = false;

  constructor(seed: number, drawn: Drawn, schedule: Schedule) {
    this.#seed = seed;
    this.#drawn = drawn;
    this.#schedule = schedule;
    this.#random = new Random(seed).stream('ending');
    this.#pauses = new Random(seed).stream('pauses');
    this.#scenario = {
      ...drawn.scenario,
      world: { seed, start: schedule.startsTogether ? 'together' : 'in-turn' },
      before: Object.entries(schedule.driftPpm).flatMap(([name, ppm]) => (ppm === 0 ? [] : [`drift ${name} ${ppm}`])),
      always: { ...drawn.scenario.always, ...(schedule.isMild && { mildFrom: schedule.mildFromMs ?? MILD_FROM_MS }) },
    };
    this.#lab = new SimulatorLab({ seed, pauseMs: (node, where) => this.#pauseMs(node, where) });
    this.#striker = new Striker(this.#lab, drawn, new Cast(this.#lab, drawn));
  }

  async run(): Promise<ExploredSeed> {
    try {
      await this.#raise();
      for (const blow of this.#schedule.blows) {
        await this.#runUntil(Math.round(blow.at));
        if (this.#violations.length > 0) break;
        await this.#striker.strike(blow);
      }
      if (this.#violations.length === 0) await this.#runUntil(Math.ceil(this.#schedule.endsAt));
      if (this.#violations.length === 0) await this.#settle();
    } catch (error) {
      this.#violated('crash', error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    return this.#report();
  }

  #violated(invariant: string, text: string): void {
    if (this.#violations.length < 10) this.#violations.push({ invariant, at: this.#lab.now(), text });
  }

  async #raise(): Promise<void> {
    const lab = this.#lab;
    await lab.build(this.#scenario);
    if (this.#schedule.blows.some((blow) => blow.do === 'inflict' && blow.fault.startsWith('replay')))
      for (const bridge of lab.network.bridges.values()) bridge.record();
    const told = (invariant: string, text: string): void => this.#violated(invariant, text);
    this.#scene = new SimulatedScene(lab, told, { mild: this.#schedule.isMild });
    for (const fault of this.#scenario.before) await lab.inflict(parseFault(fault));
    for (const name of this.#drawn.nodes) await lab.startDaemon(name);
    lab.begin();
    this.#isRough = true;
  }

  /** Heals come in their time; it stops short at a violation. */
  async #runUntil(at: Ms): Promise<void> {
    const mildFrom = this.#schedule.mildFromMs ?? MILD_FROM_MS;
    while (this.#violations.length === 0) {
      const now = this.#lab.now();
      if (now >= mildFrom) this.#scene!.invariants.arm();
      await this.#striker.healDue();
      if (now >= at) return;
      await this.#lab.runUntil(
        Math.min(at, this.#striker.dueAt, now < mildFrom ? mildFrom : Infinity, now + LOOK_EVERY_MS),
      );
    }
  }

  async #settle(): Promise<void> {
    this.#isRough = false;
    const from = this.#lab.now();
    const core =
      this.#schedule.isMild || this.#schedule.healsAll
        ? this.#drawn.nodes
        : drawCore(this.#random.stream('core'), this.#lab.network, this.#drawn);
    const isWhole = core.length === this.#drawn.nodes.length;
    await this.#striker.healAll();
    for (const name of this.#drawn.nodes) {
      const fault = core.includes(name) ? `start ${name}` : `power-off ${name}`;
      await this.#strike(fault);
    }
    const withinMs = peaceWithinMs(this.#scene!.cluster.timing.nodeTimeoutMs);
    this.#peace = { at: from, core, withinMs };
    const last = this.#lastBlows(from, core, isWhole);
    let peaceSince: Ms | null = null;
    for (let at = from + LOOK_EVERY_MS; ; at += LOOK_EVERY_MS) {
      while (last[0] && last[0].at <= at) {
        await this.#runUntil(last[0].at);
        if (this.#violations.length === 0) await this.#striker.strike(last.shift()!);
        else return;
      }
      await this.#runUntil(at);
      if (this.#violations.length > 0) return;
      if (at - from === BY_HAND_AT_MS) {
        await this.#striker.switchOnByHand(core);
        await this.#striker.makeDiskAnew();
      }
      if (VOUCHED_AT_MS.includes(at - from))
        await this.#striker.vouchByHand(this.#drawn.nodes.filter((name) => !core.includes(name)));
      const wrong = await unsettled(this.#lab, this.#scenario, core);
      peaceSince = wrong.length > 0 ? null : (peaceSince ?? at);
      if (peaceSince !== null && at - peaceSince >= PEACE_FOR_MS && last.length === 0) break;
      if (peaceSince === null && at - from >= withinMs) {
        for (const { name, text } of wrong) this.#violated(name, text);
        return;
      }
    }
    this.#scene!.invariants.ended();
  }

  async #strike(fault: string): Promise<void> {
    await this.#striker.strike({ at: this.#lab.now(), do: 'inflict', fault, healAfterMs: null });
  }

  /** What operators still do, by time. Where all was in order they have nothing to do. */
  #lastBlows(from: Ms, core: readonly string[], isWhole: boolean): Blow[] {
    const at = (after: Ms): Ms => from + after;
    const command = (after: Ms, node: string, words: string): Blow => ({
      at: at(after),
      do: 'command',
      node,
      command: words,
    });
    const blows = [
      ...tidying(this.#schedule, this.#drawn, core).map((one) => command(one.after, AWAKE, one.command)),
      ...puttingBack(this.#schedule, this.#drawn, core).map((one) => command(one.after, one.node, one.command)),
      ...unlocking(this.#schedule, core).map((one) => command(one.after, one.node, one.command)),
      ...(isWhole ? keyCopies(this.#schedule, this.#drawn) : []).map(({ after, fault, command: words }): Blow =>
        fault === undefined
          ? command(after, this.#drawn.nodes[0]!, words!)
          : { at: at(after), do: 'inflict', fault, healAfterMs: null },
      ),
      ...this.#newFiles(from, core),
    ];
    return blows.sort((a, b) => a.at - b.at);
  }

  /** Where some nodes have the later file all get it. */
  #newFiles(from: Ms, core: readonly string[]): Blow[] {
    if (!this.#striker.acts.some(({ fault }) => fault?.startsWith('new-file'))) return [];
    return core.flatMap((name): Blow[] => [
      { at: from + 800, do: 'inflict', fault: `new-file ${name}`, healAfterMs: null, evenIfOff: true },
      { at: from + 800, do: 'inflict', fault: `restart ${name}`, healAfterMs: null },
    ]);
  }

  /** Effects are counted from the whole millisecond before, so that the stop can be told as a step of a scenario. */
  #pauseMs(node: string, where: 'effect' | 'gate'): Ms {
    const { chance, maxMs } = this.#schedule.pauses[where];
    const now = this.#lab.now();
    if (chance === 0 || !this.#isRough) return 0;
    const key = `${node} ${where}`;
    const since = Math.ceil(now) - 1;
    const before = this.#effects.get(key);
    const count = before?.since === since ? before.count + 1 : 1;
    this.#effects.set(key, { since, count });
    if (this.#pauses.unit() >= chance) return 0;
    const forMs = Math.max(1, Math.round(maxMs * this.#pauses.unit() ** 2));
    this.#striker.notePause(since, `pause ${node} ${where} ${count} ${forMs}ms`);
    return forMs;
  }

  #report(): ExploredSeed {
    const trace = this.#lab.trace();
    const { topology, cluster } = this.#scenario;
    const story: Story = {
      scenario: this.#scenario,
      acts: this.#striker.acts,
      peace: this.#peace,
      until: Math.ceil(this.#lab.now()),
    };
    const drawn = [
      { topology, cluster },
      { ...this.#schedule, blows: undefined },
    ].map((one) => JSON.stringify(one));
    return {
      seed: this.#seed,
      traceHash: createHash('sha256').update(trace).digest('hex').slice(0, 16),
      simulatedMs: this.#lab.now(),
      violations: this.#violations,
      text: [...drawn, trace].join('\n'),
      story,
    };
  }
}

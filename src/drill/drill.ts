/** Runs one scenario on one lab and reports: steps at their times, expectations within theirs, what must always hold at the end. */
import type { Hold, Lab, ProbeReport } from '../../drivers/lab.js';
import type { SimulatorLab } from '../../drivers/simulator/lab.js';
import type { Ms } from '../input.js';
import { floatingAddresses } from './floating.js';
import {
  alwaysWrong,
  describeEntry,
  longestGap,
  sinceItFirstAnswered,
  unmet,
  type Baseline,
  type Pending,
} from './judge.js';
import { overlapText } from './invariant/one-holder.js';
import { SimulatedScene } from './invariant/scene.js';
import { holdersOf, type DrillReport, type Judged, type TimelineLine, type Violation } from './report.js';
import { parseFault, type Fault, type Scenario, type ScenarioStep } from './scenario.js';
import { settingOf } from './setting.js';

export interface DrillOptions {
  /** Folder for the flight recordings of all daemons; absent: none are written. */
  record?: string;
  /** Once all daemons run, and before the drill's time begins. */
  arrange?: (lab: Lab) => Promise<void>;
  /** Each line of the timeline as it happens. */
  onLine?: (line: TimelineLine) => void;
  /** What must always hold (DESIGN 15) did not. What it throws ends the drill. */
  onViolated?: (violation: Violation) => void;
  signal?: AbortSignal;
}

/** More of one drill are not told. */
const VIOLATIONS_MAX = 10;
/** How often expectations under way are looked at, in drill time. */
const LOOK_EVERY_MS = { simulator: 10, kernel: 40 };
/** How long it waits at a stretch, so that it soon finds itself called off. Virtual time takes no time. */
const WAIT_MAX_MS = { simulator: Infinity, kernel: 200 };

export async function runDrill(scenario: Scenario, lab: Lab, options: DrillOptions = {}): Promise<DrillReport> {
  const startedAt = performance.now();
  const drill = new Drill(scenario, lab, options);
  try {
    await drill.prepare();
    await drill.play();
    await drill.conclude();
  } catch (error) {
    // Called off, its programs may have ended with it, and that is what they say.
    const cause: unknown = options.signal?.aborted ? options.signal.reason : error;
    drill.failures.push(cause instanceof Error ? cause.message : String(cause));
  } finally {
    await lab.destroy();
  }
  return drill.report(performance.now() - startedAt);
}

/** Its daemon starts when that is healed. */
function isOff(fault: Fault): fault is Extract<Fault, { fault: 'power-off' | 'stop' | 'kill' }> {
  return fault.fault === 'power-off' || fault.fault === 'stop' || fault.fault === 'kill';
}

function blowOf({
  fault,
  heal,
  do: done,
  ask,
}: ScenarioStep): Pick<DrillReport['acts'][number], 'kind' | 'what' | 'label'> | null {
  if (fault !== undefined) return { kind: 'fault', what: fault, label: fault };
  if (heal !== undefined) return { kind: 'heal', what: heal, label: `heal: ${heal}` };
  const command = done ?? ask;
  return command === undefined ? null : { kind: 'do', what: command, label: command };
}

/** Node, and command. */
function wordsOf(text: string): [string, string[]] {
  const match = /^([a-z0-9]+): *(.+)$/.exec(text);
  if (!match) throw new Error(`"${text}" is not a command; write "alpha: link switch --net public"`);
  return [match[1]!, match[2]!.split(/\s+/)];
}

class Drill {
  readonly failures: string[] = [];
  readonly #scenario: Scenario;
  readonly #lab: Lab;
  readonly #options: DrillOptions;
  readonly #timeline: TimelineLine[] = [];
  readonly #baseline: Baseline = { routes: {} };
  #pending: Pending[] = [];
  readonly #told: Record<string, number> = {};
  #outages: DrillReport['outages'] = [];
  #holders: DrillReport['holders'] = {};
  #connections: DrillReport['connections'] = [];
  #twoHolders: DrillReport['twoHolders'] = null;
  #acts: DrillReport['acts'] = [];
  readonly #judged: Judged[] = [];
  #holds: Hold[] = [];
  #endedAt: Ms = 0;
  /** Simulator only. */
  #scene: SimulatedScene | null = null;
  #violated = 0;

  constructor(scenario: Scenario, lab: Lab, options: DrillOptions) {
    this.#scenario = scenario;
    this.#lab = lab;
    this.#options = options;
  }

  async prepare(): Promise<void> {
    if (this.#options.record !== undefined) this.#lab.record(this.#options.record);
    await this.#lab.build(this.#scenario);
    this.#watch();
    const before = this.#scenario.before.map(parseFault);
    for (const fault of before) await this.#lab.inflict(fault);
    const off = before.flatMap((fault) => (isOff(fault) ? [fault.node] : []));
    for (const node of Object.keys(this.#scenario.topology.nodes)) {
      if (off.includes(node)) continue;
      this.#options.signal?.throwIfAborted();
      await this.#lab.startDaemon(node);
    }
    await this.#options.arrange?.(this.#lab);
    this.#lab.begin();
    for (const node of Object.keys(this.#scenario.topology.nodes))
      this.#baseline.routes[node] = (await this.#lab.truth(node)).routes;
  }

  /** What must always hold is judged from the simulated world itself. */
  #watch(): void {
    if (this.#lab.name !== 'simulator') return;
    const mild = this.#scenario.always.mildFrom !== undefined;
    const told = (invariant: string, text: string): void => this.#violate(invariant, text);
    this.#scene = new SimulatedScene(this.#lab as SimulatorLab, told, { mild });
  }

  #violate(invariant: string, text: string): void {
    if (this.#scenario.always.excused.includes(invariant) || ++this.#violated > VIOLATIONS_MAX) return;
    const at = this.#lab.now();
    this.failures.push(`${invariant}: ${text}, at ${at.toFixed(0)} ms`);
    this.#line({ at, what: 'unmet', text: `${invariant}: ${text}` });
    this.#options.onViolated?.({ invariant, at, text });
  }

  async play(): Promise<void> {
    const steps = [...this.#scenario.steps].sort((a, b) => a.at - b.at);
    // A blow that takes its time (a daemon restarted on a busy machine) puts off all that follows: stories keep their gaps.
    let late = 0;
    for (;;) {
      this.#options.signal?.throwIfAborted();
      const next = steps[0];
      const nextAt = next ? next.at + late : Infinity;
      const until = this.#scenario.until + late;
      const now = this.#lab.now();
      const { mildFrom = Infinity } = this.#scenario.always;
      if (now >= mildFrom) this.#scene?.invariants.arm();
      if (next && nextAt <= now) {
        steps.shift();
        await this.#look(next.at);
        await this.#blow(next);
        late += this.#lab.now() - now;
      } else if (now >= until && this.#pending.length === 0) break;
      else {
        const wait = (this.#pending.length > 0 ? LOOK_EVERY_MS : WAIT_MAX_MS)[this.#lab.name];
        const ahead = [until, mildFrom].filter((at) => at > now);
        await this.#lab.runUntil(Math.min(nextAt, now + wait, ...ahead));
      }
      this.#tell();
      await this.#look();
    }
  }

  async conclude(): Promise<void> {
    for (const pending of this.#pending) this.#fail(pending, ['not judged before the drill ended']);
    this.#scene?.invariants.ended();
    this.failures.push(...(await alwaysWrong(this.#lab, this.#scenario)));
    this.#tell();
    for (const probe of this.#probes()) {
      const { client, address, sent, answered, gaps } = probe;
      this.#outages.push({ client, address, longestMs: longestGap(probe), sent, answered, gaps });
      for (const gap of probe.gaps) {
        this.#line({
          at: gap.toMs,
          what: 'outage',
          text: `${client} saw ${address} out for ${(gap.toMs - gap.fromMs).toFixed(1)} ms`,
        });
      }
    }
    this.#connections = this.#lab.connections();
    this.#holders = holdersOf(this.#lab, this.#scenario);
    this.#holds = this.#lab.holds();
    this.#endedAt = this.#lab.now();
    if (floatingAddresses(this.#scenario).length > 0) {
      const overlaps = this.#lab.overlaps();
      const totalMs = overlaps.reduce((sum, overlap) => sum + overlap.toMs - overlap.fromMs, 0);
      this.#twoHolders = { totalMs, overlaps };
      for (const overlap of overlaps)
        this.#line({ at: overlap.toMs, what: 'unmet', text: `S1: ${overlapText(overlap)}` });
    }
    this.#acts = this.#acts.map((act, i) => ({
      ...act,
      felt: this.#feltBetween(act.at, this.#acts[i + 1]?.at ?? Infinity),
    }));
  }

  #feltBetween(from: Ms, to: Ms): DrillReport['acts'][number]['felt'] {
    return this.#probes().map((probe) => {
      const gaps = probe.gaps.filter((gap) => gap.toMs > from && gap.toMs <= to);
      return { client: probe.client, address: probe.address, longestMs: longestGap({ ...probe, gaps }) };
    });
  }

  report(tookMs: Ms): DrillReport {
    return {
      scenario: this.#scenario.name,
      title: this.#scenario.title,
      lab: this.#lab.name,
      verdict: this.failures.length === 0 ? 'passed' : 'failed',
      failures: this.failures,
      timeline: this.#timeline.sort((a, b) => a.at - b.at),
      outages: this.#outages,
      holders: this.#holders,
      connections: this.#connections,
      twoHolders: this.#twoHolders,
      acts: this.#acts,
      judged: this.#judged,
      setting: settingOf(this.#scenario),
      before: this.#scenario.before,
      holds: this.#holds,
      endedAt: this.#endedAt,
      tookMs,
    };
  }

  /** As the judge counts them: no floating address is out before it first answered. */
  #probes(): ProbeReport[] {
    const floating = floatingAddresses(this.#scenario).map((one) => one.address);
    return this.#lab.probes().map((probe) => (floating.includes(probe.address) ? sinceItFirstAnswered(probe) : probe));
  }

  async #blow(step: ScenarioStep): Promise<void> {
    const at = this.#lab.now();
    const blow = blowOf(step);
    if (blow) this.#acts.push({ at, ...blow, felt: [] });
    if (step.say !== undefined) this.#line({ at, what: 'say', text: step.say });
    if (step.fault !== undefined) {
      this.#line({ at, what: 'fault', text: step.fault });
      await this.#lab.inflict(parseFault(step.fault));
    }
    if (step.heal !== undefined) {
      this.#line({ at, what: 'heal', text: step.heal });
      await this.#lab.heal(parseFault(step.heal));
    }
    if (step.do !== undefined) await this.#operate(step.do, step.exit);
    if (step.ask !== undefined) {
      const [node, command] = wordsOf(step.ask);
      this.#line({ at, what: 'do', text: step.ask });
      this.#lab.ask(node, command);
    }
    if (step.expect) {
      const label = step.fault ?? step.heal ?? step.do ?? step.ask ?? `at ${step.at} ms`;
      const { expect: expected } = step;
      const dueAt = step.at + expected.within;
      this.#pending.push({ from: at, until: this.#lab.now() + expected.within, dueAt, expected, label });
    }
  }

  async #operate(command: string, exit: number): Promise<void> {
    const [node, words] = wordsOf(command);
    this.#line({ at: this.#lab.now(), what: 'do', text: command });
    const result = await this.#lab.operate(node, words);
    if (result.code !== exit)
      this.failures.push(
        `${command}: exit code ${result.code}, not ${exit}: ${(result.stderr || result.stdout).trim()}`,
      );
  }

  /** `nextAt`: time in the story of the blow that is about to fall. What waits for the end of its time before that is judged now. */
  async #look(nextAt = -Infinity): Promise<void> {
    const still: Pending[] = [];
    for (const pending of this.#pending) {
      const waits = pending.expected.throughout || pending.expected.events !== undefined;
      const over = this.#lab.now() >= pending.until || (waits && pending.dueAt <= nextAt);
      const wrong = await unmet(this.#lab, this.#scenario, pending, this.#baseline, over);
      if (wrong.length > 0 && (over || pending.expected.throughout)) this.#fail(pending, wrong);
      else if (wrong.length === 0 && (over || !waits)) {
        const at = this.#lab.now();
        this.#judged.push({ from: pending.from, at, label: pending.label, wrong });
        this.#line({
          at,
          what: 'met',
          text: `${pending.label}: as expected${this.#outageSince(pending.from)}`,
        });
      } else still.push(pending);
    }
    this.#pending = still;
  }

  /** What clients felt of it: each address whose probes went unanswered meanwhile. */
  #outageSince(from: Ms): string {
    const felt = this.#probes().map((probe) => ({ ...probe, gaps: probe.gaps.filter((gap) => gap.toMs > from) }));
    const texts = felt
      .filter((probe) => probe.gaps.length > 0)
      .map((probe) => `${probe.client} missed ${probe.address} for ${longestGap(probe).toFixed(1)} ms`);
    return texts.length > 0 ? `; ${texts.join(', ')}` : felt.length > 0 ? '; clients noticed nothing' : '';
  }

  #fail(pending: Pending, wrong: string[]): void {
    const text = `${pending.label}: ${wrong.join('; ')}`;
    const at = this.#lab.now();
    this.failures.push(text);
    this.#judged.push({ from: pending.from, at, label: pending.label, wrong });
    this.#line({ at, what: 'unmet', text });
    for (const one of pending.expected.peace ? wrong : []) {
      const [, invariant, told] = /^(L\d+): (.*)$/.exec(one) ?? [];
      if (invariant !== undefined) this.#options.onViolated?.({ invariant, at, text: told! });
    }
  }

  /** Journal entries since the last time. Those of one node come in order; those of two may not. */
  #tell(): void {
    const seen: Record<string, number> = {};
    for (const entry of this.#lab.journal()) {
      const count = (seen[entry.node] = (seen[entry.node] ?? 0) + 1);
      if (count <= (this.#told[entry.node] ?? 0)) continue;
      this.#told[entry.node] = count;
      this.#line({ at: entry.at, what: 'journal', text: describeEntry(entry), entry });
    }
  }

  #line(line: TimelineLine): void {
    this.#timeline.push(line);
    this.#options.onLine?.(line);
  }
}

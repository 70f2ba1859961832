/**
 * Makes a violation small: as few blows as fail the same way (delta debugging: Zeller and Hildebrandt, 2002), then a
 * smaller cluster, then rounder times. What is tried is a scenario, run as `baton scenario run` runs it.
 */
import { SimulatorLab } from '../../../drivers/simulator/lab.js';
import { runDrill } from '../drill.js';
import type { Violation } from '../report.js';
import type { Scenario } from '../scenario.js';
import { scenarioOf, type Act, type Story } from './story.js';
import { withoutNode, withoutPackage, withoutPrivateNets } from './surgery.js';

class Reached extends Error {}

/** Does that scenario break the same rule? When, and how it tells it; null: it does not. */
export async function failsAgain(scenario: Scenario, invariant: string): Promise<Violation | null> {
  let found: Violation | null = null;
  const lab = new SimulatorLab({ seed: scenario.world?.seed ?? 1 });
  const report = await runDrill(scenario, lab, {
    onViolated: (violation) => {
      if (violation.invariant !== invariant) return;
      found ??= violation;
      throw new Reached();
    },
  });
  if (invariant !== 'crash' || found !== null) return found;
  const [text] = report.failures.filter((failure) => !/^[SL]\d+:|judged|in force/.test(failure));
  return text === undefined ? null : { invariant, at: report.endedAt, text };
}

/** The smallest found within that time; null: the story does not fail again as a scenario. */
export async function shrink(story: Story, invariant: string, withinMs: number): Promise<Scenario | null> {
  const deadline = Date.now() + withinMs;
  const first = await failsAgain(scenarioOf(story), invariant);
  if (first === null) return null;
  const shrinker = new Shrinker(invariant, deadline);
  let smaller = await shrinker.fewerBlows({ ...story, until: untilOf(story, first) });
  smaller = await shrinker.smallerCluster(smaller);
  smaller = await shrinker.fewerBlows(smaller);
  return scenarioOf(await shrinker.rounderTimes(smaller));
}

/** Nothing after the violation matters, but that what is demanded is judged. */
function untilOf({ until, peace }: Story, { at }: Violation): number {
  return peace === null ? Math.ceil(at) + 1 : until;
}

class Shrinker {
  readonly #invariant: string;
  readonly #deadline: number;

  constructor(invariant: string, deadline: number) {
    this.#invariant = invariant;
    this.#deadline = deadline;
  }

  async fewerBlows(story: Story): Promise<Story> {
    let blows = [...new Set(story.acts.map(({ blow }) => blow))];
    let kept = story;
    for (let parts = 2; blows.length > 0 && this.#hasTime();) {
      const size = Math.ceil(blows.length / parts);
      let isSmaller = false;
      for (let from = 0; from < blows.length && this.#hasTime(); from += size) {
        const left = [...blows.slice(0, from), ...blows.slice(from + size)];
        const tried = withBlows(kept, left);
        if (!(await this.#fails(tried))) continue;
        [kept, blows, isSmaller] = [tried, left, true];
        from -= size;
      }
      if (isSmaller) parts = Math.max(2, parts - 1);
      else if (size === 1) break;
      else parts = Math.min(blows.length, parts * 2);
    }
    return kept;
  }

  async smallerCluster(story: Story): Promise<Story> {
    let kept = story;
    const { scenario } = story;
    const packages = Object.keys(scenario.cluster['packages'] ?? {});
    const cuts = [
      ...Object.keys(scenario.topology.nodes).map((name) => (one: Story) => withoutNode(one, name)),
      ...packages.map((name) => (one: Story) => withoutPackage(one, name)),
      withoutPrivateNets,
      (one: Story): Story => ({ ...one, scenario: { ...one.scenario, later: {} } }),
      ...scenario.before.map((fault) => (one: Story): Story => {
        const before = one.scenario.before.filter((other) => other !== fault);
        return { ...one, scenario: { ...one.scenario, before } };
      }),
    ];
    for (const cut of cuts) {
      const tried = cut(kept);
      if (tried !== null && this.#hasTime() && (await this.#fails(tried))) kept = tried;
    }
    return kept;
  }

  async rounderTimes(story: Story): Promise<Story> {
    let kept = story;
    for (const gridMs of [1000, 100, 10]) {
      for (const [n, act] of story.acts.entries()) {
        if (act.at % gridMs === 0 || !this.#hasTime()) continue;
        const acts = kept.acts.map((one, m) => (m === n ? { ...one, at: Math.round(act.at / gridMs) * gridMs } : one));
        const tried = { ...kept, acts };
        if (kept.acts[n]!.at === act.at && isInOrder(acts) && (await this.#fails(tried))) kept = tried;
      }
    }
    return kept;
  }

  #hasTime(): boolean {
    return Date.now() < this.#deadline;
  }

  async #fails(story: Story): Promise<boolean> {
    return (await failsAgain(scenarioOf(story), this.#invariant)) !== null;
  }
}

function withBlows(story: Story, blows: readonly number[]): Story {
  const left = new Set(blows);
  return { ...story, acts: story.acts.filter(({ blow }) => left.has(blow)) };
}

function isInOrder(acts: readonly Act[]): boolean {
  return acts.every(({ at }, n) => n === 0 || acts[n - 1]!.at <= at);
}

/**
 * State is plain data (DESIGN 3): at any moment a node made of its state, gone through JSON, does what the node itself does,
 * input by input, in whole drills of clusters with packages.
 */
import { expect, test, vi } from 'vitest';
import { SimulatorLab } from '../drivers/simulator/lab.js';
import type { Action } from '../src/action.js';
import { runDrill } from '../src/drill/drill.js';
import { listScenarios, loadScenario } from '../src/drill/load.js';
import type { Input, Ms } from '../src/input.js';
import type * as NodeFile from '../src/node.js';
import type { NodeOptions, NodeState } from '../src/node.js';

const watch = vi.hoisted(() => ({ twins: 0, steps: 0, faults: [] as string[] }));

/** A prime, so that it falls on every kind of input. */
const EVERY = 53;

vi.mock('../src/node.js', async (original) => {
  const { Node } = await original<typeof NodeFile>();

  class Twinned extends Node {
    readonly #options: NodeOptions;
    #twin: InstanceType<typeof Node> | null = null;
    #count = 0;

    constructor(options: NodeOptions, now: Ms, restored?: NodeState) {
      super(options, now, restored);
      this.#options = options;
    }

    override step(now: Ms, input: Input): Action[] {
      if (this.#count++ % EVERY === 0) this.#twin = this.#renewed(now);
      const actions = super.step(now, input);
      watch.steps++;
      const twin = this.#twin!;
      const others = twin.step(now, input);
      if (textOf(actions) !== textOf(others)) fault(`${input.kind} at ${now}: other actions`);
      if (super.deadline() !== twin.deadline()) fault(`${input.kind} at ${now}: another deadline`);
      return actions;
    }

    #renewed(now: Ms): InstanceType<typeof Node> {
      walk(this.state, this.#options.node);
      if (this.#twin !== null && textOf(this.state) !== textOf(this.#twin.state)) fault(`at ${now}: another state`);
      watch.twins++;
      return new Node(this.#options, now, JSON.parse(JSON.stringify(this.state)) as NodeState);
    }
  }

  return { Node: Twinned };
});

function fault(text: string): void {
  if (watch.faults.length < 20) watch.faults.push(text);
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, it: unknown) => (it instanceof Uint8Array ? Array.from(it).join() : it));
}

/** Nothing that JSON does not know. */
function walk(value: unknown, path: string): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : fault(`${path} is ${value}`);
  if (typeof value !== 'object') return fault(`${path} is a ${typeof value}`);
  const kind: unknown = Object.getPrototypeOf(value);
  if (kind !== Object.prototype && kind !== Array.prototype) return fault(`${path} is an object of a class`);
  for (const [key, each] of Object.entries(value)) walk(each, `${path}.${key}`);
}

const NAMES = ['package-moved', 'node-off-three', 'holder-killed', 'node-disk-full'];
const scenarios = listScenarios()
  .map(loadScenario)
  .filter(({ name }) => NAMES.includes(name));

test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', async (_, scenario) => {
  Object.assign(watch, { twins: 0, steps: 0, faults: [] });
  const { verdict } = await runDrill(scenario, new SimulatorLab());
  expect(watch.faults).toEqual([]);
  expect(verdict).toBe('passed');
  expect(watch.twins).toBeGreaterThan(10);
});

/** What happened to an explored cluster, as a scenario: the same seed and the same acts are the same story. */
import { stringify } from 'yaml';
import type { Ms } from '../../input.js';
import type { Scenario, ScenarioStep } from '../scenario.js';

export interface Act {
  /** Whole milliseconds of the drill. */
  at: Ms;
  /** Fault and heal of one blow have the same. */
  blow: number;
  fault?: string;
  heal?: string;
  ask?: string;
}

export interface Story {
  /** Topology, cluster file and dice; its steps do not count. */
  scenario: Scenario;
  acts: readonly Act[];
  /** What was demanded when all was over; null: it did not come to that. */
  peace: { at: Ms; core: readonly string[]; withinMs: Ms } | null;
  until: Ms;
}

export function scenarioOf({ scenario, acts, peace, until }: Story): Scenario {
  const steps: ScenarioStep[] = acts.map(({ at, fault, heal, ask }) => ({
    at,
    exit: 0,
    ...(fault !== undefined && { fault }),
    ...(heal !== undefined && { heal }),
    ...(ask !== undefined && { ask }),
  }));
  if (peace)
    steps.push({
      at: peace.at,
      exit: 0,
      expect: { within: peace.withinMs, throughout: false, peace: [...peace.core] },
    });
  return { ...scenario, steps, until };
}

const WHY = 'drawn by baton scenario explore: its moments are those of virtual time';

/** As a scenario file. */
export function writeScenario({
  title,
  world,
  topology,
  cluster,
  later,
  before,
  steps,
  until,
  always,
}: Scenario): string {
  const told = {
    title,
    labs: ['simulator'],
    why: WHY,
    world,
    topology: withoutNothing({
      ...topology,
      fences: mapped(topology.fences, (one) => ({ ...one, takes: ms(one.takes) })),
    }),
    cluster,
    ...(Object.keys(later).length > 0 && { later }),
    ...(before.length > 0 && { before }),
    steps: steps.map(({ at, fault, heal, ask, expect }) => ({
      at: ms(at),
      ...withoutNothing({ fault, heal, ask }),
      ...(expect && { expect: { within: ms(expect.within), peace: expect.peace } }),
    })),
    until: ms(until),
    ...(always.mildFrom !== undefined && { always: { mildFrom: ms(always.mildFrom) } }),
  };
  return stringify(told, { lineWidth: 120, aliasDuplicateObjects: false });
}

function ms(span: Ms): string {
  return `${span}ms`;
}

function mapped<T, U>(record: Readonly<Record<string, T>>, to: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, to(value)]));
}

/** What is absent or empty is left out. */
function withoutNothing(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const says = (value: unknown): boolean =>
    value !== undefined && !(typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(record).filter(([, value]) => says(value)));
}

/** One or two parts that fail, and what came of it: a row of the audit. */
import type { Ms } from '../../input.js';
import { outcomeOf, type Outcome } from './outcome.js';
import type { Part } from './part.js';
import { rehearse } from './rehearsal.js';
import type { Situation } from './situation.js';

export interface TrialOrder {
  parts: Part[];
  faults: string[];
}

/** What was served before, and what became of it. */
export interface Effect {
  /** A package, or a stationary address where there are no packages. */
  subject: string;
  before: string | null;
  after: string | null;
  /** The longest outage; 0: none above 5 ms. */
  ms: Ms;
  forGood: boolean;
}

export interface Trial {
  /** `switch left`; two of a double fault. */
  parts: { kind: Part['kind']; name: string; node?: string }[];
  faults: string[];
  effects: Effect[];
  twoHolders: Outcome['twoHolders'];
  /** As in `Outcome`. */
  rerouted: Outcome['rerouted'];
  /** Something went wrong with the rehearsal itself. */
  trouble: string[];
}

/** Briefly; what is out then gets its time to come back. */
export async function tryFaults(situation: Situation, order: TrialOrder): Promise<Trial> {
  const brief = await trialOf(situation, order, true);
  return lostIn(brief).length > 0 ? trialOf(situation, order, false) : brief;
}

async function trialOf(situation: Situation, { parts, faults }: TrialOrder, brief: boolean): Promise<Trial> {
  const blows = faults.map((fault) => ({ at: 0, fault }));
  const rehearsed = await rehearse(situation, blows, { brief });
  const outcome = outcomeOf(situation, rehearsed);
  const failures = rehearsed.report.failures.filter((failure) => !failure.startsWith('S1'));
  return {
    parts: parts.map(({ kind, name, node }) => ({ kind, name, ...(node !== undefined && { node }) })),
    faults,
    effects: effectsOf(situation, outcome, parts),
    twoHolders: outcome.twoHolders,
    rerouted: outcome.rerouted,
    trouble: [...rehearsed.differs, ...failures],
  };
}

function effectsOf({ cluster }: Situation, { packages, addresses }: Outcome, parts: readonly Part[]): Effect[] {
  if (cluster.packages.length > 0)
    return packages
      .filter(({ before, after }) => before !== null || after !== null)
      .map(({ package: subject, ...effect }) => ({ subject, ...effect }));
  // A node without power has no address, and needs none.
  const dead = parts.flatMap(({ kind, name }) => (kind === 'node' ? [name] : []));
  return addresses
    .filter(({ node }) => !dead.includes(node))
    .map(({ address, node, ms, forGood }) => ({
      subject: address,
      before: node,
      after: forGood ? null : node,
      ms,
      forGood,
    }));
}

/** Who was served and is not any more. */
export function lostIn({ effects }: Trial): string[] {
  return effects
    .filter(({ before, forGood, after }) => before !== null && (forGood || after === null))
    .map(({ subject }) => subject);
}

/** `baton what-if`: what these faults would do to this cluster, in so many rehearsals. Nothing is touched. */
import type { Ms } from '../../input.js';
import { isAside } from '../demo.js';
import type { DrillReport, TimelineLine } from '../report.js';
import { checkFault, type Blow } from './blow.js';
import { modelOf } from './model.js';
import { outcomeOf, type Outcome } from './outcome.js';
import { rehearse, type Rehearsed } from './rehearsal.js';
import type { Situation } from './situation.js';

/** Over all rehearsals. */
export interface Range {
  /** Of the first, whose timeline is told. */
  ms: Ms;
  leastMs: Ms;
  mostMs: Ms;
  /** In how many of them it was out until the end. */
  forGood: number;
}

export interface Prediction {
  cluster: string;
  /** `live`: as `node`'s daemon tells; `file`: as the cluster file promises. */
  from: 'live' | 'file';
  node: string | null;
  faults: Blow[];
  rehearsals: number;
  /** What nobody said and was taken for granted, in words. */
  assumed: string[];
  /** What of the present state could not be restored, in words. */
  differs: string[];
  /** Milliseconds since the first fault. */
  timeline: Pick<TimelineLine, 'at' | 'what' | 'text'>[];
  /** `after`: one node, or several if rehearsals ended differently; null: nobody. */
  packages: { package: string; before: string | null; after: (string | null)[]; outage: Range }[];
  /** Stationary ones that went dark. */
  addresses: { address: string; node: string; outage: Range }[];
  twoHolders: Outcome['twoHolders'];
  /** The first rehearsal as a drill: its times begin earlier. */
  drill: DrillReport;
}

export interface PredictOptions {
  rehearsals: number;
  /** So many are done. */
  onRehearsed?: (count: number) => void;
  signal?: AbortSignal;
}

/** Throws FaultError for a fault that cannot be dealt here. */
export async function predict(
  situation: Situation,
  faults: readonly Blow[],
  options: PredictOptions,
): Promise<Prediction> {
  for (const { fault } of faults) checkFault(situation, fault);
  const blows = [...faults].sort((a, b) => a.at - b.at);
  const rehearsed: Rehearsed[] = [];
  for (let seed = 1; seed <= options.rehearsals; seed++) {
    const one = await rehearse(situation, blows, { seed, ...(options.signal && { signal: options.signal }) });
    options.signal?.throwIfAborted();
    rehearsed.push(one);
    options.onRehearsed?.(seed);
  }
  const outcomes = rehearsed.map((one) => outcomeOf(situation, one));
  const [first] = rehearsed;
  const { cluster, from, node } = situation;
  return {
    cluster: cluster.name,
    from,
    node,
    faults: blows,
    rehearsals: rehearsed.length,
    assumed: modelOf(situation).assumed,
    differs: [...new Set(rehearsed.flatMap(({ differs }) => differs))],
    timeline: timelineOf(first!, blows),
    packages: outcomes[0]!.packages.map(({ package: name, before }, i) => ({
      package: name,
      before,
      after: [...new Set(outcomes.map((outcome) => outcome.packages[i]!.after))],
      outage: rangeOf(outcomes.map((outcome) => outcome.packages[i]!)),
    })),
    addresses: outcomes[0]!.addresses
      .map(({ address, node: owner }, i) => ({
        address,
        node: owner,
        outage: rangeOf(outcomes.map((outcome) => outcome.addresses[i]!)),
      }))
      .filter(({ outage }) => outage.mostMs > 0),
    twoHolders: outcomes.flatMap(({ twoHolders }) => twoHolders),
    drill: first!.report,
  };
}

function rangeOf(outages: readonly { ms: Ms; forGood: boolean }[]): Range {
  const lengths = outages.map(({ ms }) => ms);
  return {
    ms: lengths[0]!,
    leastMs: Math.min(...lengths),
    mostMs: Math.max(...lengths),
    forGood: outages.filter(({ forGood }) => forGood).length,
  };
}

/** The story without asides, from the first fault on; faults in the user's words. What is out at the end has no end to tell. */
function timelineOf({ report, fromMs }: Rehearsed, blows: readonly Blow[]): Prediction['timeline'] {
  const told = report.timeline.filter(
    ({ at, what, text }) =>
      at >= fromMs &&
      ((what === 'outage' && at < report.endedAt - 1) || what === 'unmet' || (what === 'journal' && !isAside(text))),
  );
  return [
    ...blows.map(({ at, fault }) => ({ at, what: 'fault' as const, text: fault })),
    ...told.map(({ at, what, text }) => ({ at: at - fromMs, what, text })),
  ].sort((a, b) => a.at - b.at);
}

/** `baton audit`: every single fault, and with `double` each pair, tried in the simulator; what breaks, and what cures it. */
import { settingOf, type Setting } from '../setting.js';
import { cautionsOf } from './caution.js';
import { findingsOf, isHarmful, type Finding } from './finding.js';
import { tryAll } from './jobs.js';
import { modelOf } from './model.js';
import { partsOf, type Part } from './part.js';
import { scenarioOf } from './rehearsal.js';
import type { Situation } from './situation.js';
import { lostIn, type Trial, type TrialOrder } from './trial.js';

export interface Audit {
  cluster: string;
  from: 'live' | 'file';
  node: string | null;
  /** What nobody said and was taken for granted, in words. */
  assumed: string[];
  /** Single points of failure. */
  findings: Finding[];
  /** Plans and numbers that do not go together, in words. */
  cautions: string[];
  /** Every single fault; those that show a single point of failure first. */
  singles: Trial[];
  /** Pairs that do harm which neither does alone; null: not asked for. */
  doubles: Trial[] | null;
  /** Faults tried, pairs among them. */
  tried: number;
  /** What went wrong with rehearsals, or could not be restored, in words. */
  trouble: string[];
  setting: Setting;
}

export interface AuditOptions {
  double: boolean;
  /** Processes side by side; 1: this one alone. */
  jobs: number;
  onTried?: (done: number, all: number) => void;
  signal?: AbortSignal;
}

export async function audit(situation: Situation, options: AuditOptions): Promise<Audit> {
  const parts = partsOf(situation);
  const orders = parts.flatMap((part) => part.ways.map((faults): TrialOrder => ({ parts: [part], faults })));
  const pairs = options.double ? pairsOf(parts) : [];
  let done = 0;
  const trials = await tryAll(situation, [...orders, ...pairs], {
    jobs: options.jobs,
    onTrial: () => options.onTried?.(++done, orders.length + pairs.length),
    ...(options.signal && { signal: options.signal }),
  });
  const singles = trials.slice(0, orders.length);
  const { cluster, from, node } = situation;
  return {
    cluster: cluster.name,
    from,
    node,
    assumed: modelOf(situation).assumed,
    findings: findingsOf(situation, singles),
    cautions: cautionsOf(situation, singles),
    singles: [...singles].sort((a, b) => gravity(b) - gravity(a)),
    doubles: options.double ? trials.slice(orders.length).filter((trial) => isWorse(trial, singles)) : null,
    tried: trials.length,
    trouble: [...new Set(trials.flatMap(({ trouble }) => trouble))],
    setting: settingOf(scenarioOf(situation, []).scenario),
  };
}

/** Each by its first way. A node that has no power has no NICs and no daemon to lose. */
function pairsOf(parts: readonly Part[]): TrialOrder[] {
  return parts.flatMap((one, i) =>
    parts.slice(i + 1).flatMap((other): TrialOrder[] => {
      const isWithin = (part: Part, whole: Part): boolean => whole.kind === 'node' && part.node === whole.name;
      if (isWithin(one, other) || isWithin(other, one)) return [];
      return [{ parts: [one, other], faults: [...new Set([...one.ways[0]!, ...other.ways[0]!])] }];
    }),
  );
}

/** Harm first, then what is out longest. */
function gravity(trial: Trial): number {
  const longest = Math.max(0, ...trial.effects.map(({ ms }) => ms));
  return (isHarmful(trial) ? 1e9 : 0) + longest;
}

/** Something is lost that neither of the two takes down alone, whichever way it fails. */
function isWorse(pair: Trial, singles: readonly Trial[]): boolean {
  const alone = singles.filter(({ parts: [part] }) =>
    pair.parts.some(({ kind, name }) => kind === part!.kind && name === part!.name),
  );
  const lost = new Set(alone.flatMap(lostIn));
  const both = alone.some(({ twoHolders }) => twoHolders.length > 0);
  return lostIn(pair).some((subject) => !lost.has(subject)) || (pair.twoHolders.length > 0 && !both);
}

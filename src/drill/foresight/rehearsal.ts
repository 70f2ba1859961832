/**
 * One rehearsal: the situation in a lab, the faults at their times, and what came of it.
 *
 *   situation ─model─▶ scenario ─build─▶ lab ─arrange─▶ as it stands now ─faults─▶ drill's report
 */
import type { Lab } from '../../../drivers/lab.js';
import { SimulatorLab } from '../../../drivers/simulator/lab.js';
import type { Cluster } from '../../config/cluster.js';
import type { Ms } from '../../input.js';
import { runDrill } from '../drill.js';
import type { DrillReport } from '../report.js';
import { parseFault, scenarioSchema, type Scenario } from '../scenario.js';
import { arrange } from './arrangement.js';
import { inLab, lastsMs, type Blow } from './blow.js';
import { modelOf } from './model.js';
import type { Situation } from './situation.js';

export interface Rehearsed {
  /** When the first fault falls, in the report's time. */
  fromMs: Ms;
  report: DrillReport;
  /** What could not be arranged. */
  differs: string[];
}

export interface RehearsalOptions {
  /** Another one: the faults fall at another moment of polls and heartbeats, and dice fall otherwise. */
  seed?: number;
  /** Ends as soon as what mends itself has been mended: what is out by then may yet come back. */
  brief?: boolean;
  /** Default: a simulator. */
  lab?: Lab;
  signal?: AbortSignal;
}

/** Of quiet before the first fault. */
const LEAD_MS: Ms = 1000;
const GOES_ON_MS: Ms = 6000;
const GOES_ON_BRIEFLY_MS: Ms = 2000;

export function scenarioOf(
  situation: Situation,
  blows: readonly Blow[],
  { seed = 1, brief = false }: Pick<RehearsalOptions, 'seed' | 'brief'> = {},
): { scenario: Scenario; fromMs: Ms } {
  const { topology, cluster, targets } = modelOf(situation);
  // The golden ratio spreads moments evenly, however many there are.
  const phase = (seed * 0.618_033_988_75) % 1;
  const fromMs =
    LEAD_MS + Math.round(phase * 2 * Math.max(situation.cluster.timing.heartbeatMs, situation.cluster.timing.pollMs));
  const steps = blows.flatMap(({ at, fault }) =>
    inLab(situation, targets, fault).map((text) => ({ at: fromMs + at, fault: text, exit: 0 })),
  );
  const last = Math.max(0, ...blows.map(({ at, fault }) => at + lastsMs(parseFault(fault))));
  const always = scenarioSchema.shape.always.parse({ tcp: false });
  return {
    fromMs,
    scenario: {
      name: 'what-if',
      title: blows.map(({ fault }) => fault).join(', then '),
      labs: ['simulator', 'kernel'],
      topology,
      cluster,
      differs: {},
      later: {},
      before: [],
      steps,
      until: fromMs + last + horizonMs(situation.cluster, brief),
      always,
    },
  };
}

/** From the last fault on: until all that can come of it has come. */
function horizonMs({ timing }: Cluster, brief: boolean): Ms {
  const { nodeTimeoutMs, pollMs, pollMisses } = timing;
  if (brief) return GOES_ON_BRIEFLY_MS + 2 * nodeTimeoutMs + 2 * pollMs * pollMisses;
  return GOES_ON_MS + 6 * nodeTimeoutMs + 4 * pollMs * pollMisses;
}

export async function rehearse(
  situation: Situation,
  blows: readonly Blow[],
  options: RehearsalOptions = {},
): Promise<Rehearsed> {
  const { seed = 1, signal } = options;
  const { scenario, fromMs } = scenarioOf(situation, blows, options);
  const differs: string[] = [];
  const report = await runDrill(scenario, options.lab ?? new SimulatorLab({ seed }), {
    arrange: async (lab) => void differs.push(...(await arrange(lab, situation))),
    ...(signal && { signal }),
  });
  return { fromMs, report, differs };
}

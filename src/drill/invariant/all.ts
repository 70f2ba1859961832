/** The one list of what must hold: explorer, drills on the simulator, and replays take it from here. */
import type { SimulatorLab } from '../../../drivers/simulator/lab.js';
import { ConfigGuard } from './config-guard.js';
import { EpochsRise } from './epochs-rise.js';
import { FitTarget } from './fit-target.js';
import { ForeignState } from './foreign-state.js';
import { HitlessRestart } from './hitless-restart.js';
import { InertInput } from './inert-input.js';
import { InquorateDark } from './inquorate-dark.js';
import type { Facts, Invariant } from './invariant.js';
import { LastWord } from './last-word.js';
import { NoFalseMove } from './no-false-move.js';
import { NoFlapping } from './no-flapping.js';
import { OneHolder } from './one-holder.js';
import { OnePort } from './one-port.js';
import { PlannedMove } from './planned-move.js';
import { RoutesKept } from './routes-kept.js';
import { ScriptsExclusive } from './scripts-exclusive.js';
import { StationaryStays } from './stationary-stays.js';
import { SwitchInTime } from './switch-in-time.js';

export interface Choice {
  /** S10, where nothing worse than bad weather happens; whoever knows that arms it. */
  mild?: boolean;
  /** The clock of all is a guess: what stands on the order of moments at two nodes cannot be judged (S1, S9, S11). */
  isEstimated?: boolean;
}

export function allInvariants(facts: Facts, { mild = false, isEstimated = false }: Choice): Invariant[] {
  return [
    ...(isEstimated ? [] : [new OneHolder(facts), new LastWord(facts), new ScriptsExclusive(facts)]),
    new StationaryStays(facts),
    new EpochsRise(facts),
    new InertInput(facts),
    new ForeignState(facts),
    new RoutesKept(facts),
    new ConfigGuard(facts),
    new HitlessRestart(facts),
    new FitTarget(facts),
    ...(facts.lab === null ? [] : inMemory(facts, facts.lab)),
    new NoFlapping(facts),
    ...(mild ? [new NoFalseMove(facts)] : []),
  ];
}

/** What needs facts that only the simulator has: wires and disks, ports of switches, calm. */
function inMemory(facts: Facts, lab: SimulatorLab): Invariant[] {
  return [new InquorateDark(facts, lab), new OnePort(facts), new SwitchInTime(facts, lab), new PlannedMove(facts)];
}

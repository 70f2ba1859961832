/** The one list of what must hold: explorer, drills on the simulator, and replays take it from here. */
import { EpochsRise } from './epochs-rise.js';
import { InquorateDark } from './inquorate-dark.js';
import type { Facts, Invariant } from './invariant.js';
import { LastWord } from './last-word.js';
import { NoFalseMove } from './no-false-move.js';
import { OneHolder } from './one-holder.js';
import { OnePort } from './one-port.js';

export interface Choice {
  /** S10, where nothing worse than bad weather happens; whoever knows that arms it. */
  mild?: boolean;
}

export function allInvariants(facts: Facts, { mild = false }: Choice): Invariant[] {
  return [
    new OneHolder(facts),
    ...(facts.lab === null ? [] : [new InquorateDark(facts, facts.lab)]),
    new EpochsRise(facts),
    new OnePort(facts),
    new LastWord(facts),
    ...(mild ? [new NoFalseMove(facts)] : []),
  ];
}

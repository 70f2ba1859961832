/** Elections, votes and changes of voters at the wrong moment. */
import type { Random } from '../../../../drivers/simulator/random.js';
import type { Ms } from '../../../input.js';
import type { Aim } from '../aimed.js';
import type { Blow } from '../schedule.js';
import { moveTo } from './cut-off.js';
import { drawGround, FORMED_MS, QUICK, schedule, strike, type Aimed } from './ground.js';

const LONG: Ms = 60_000;
const BLOW_MS = FORMED_MS + 1000;

/** One voter misses the newest placement, and stands when the coordinator dies. */
function oldDocument(random: Random): Aimed {
  const drawn = drawGround('old-document', { nodes: 3, timing: QUICK });
  const back = 600 + random.between(0, 400);
  return {
    drawn,
    schedule: schedule([
      moveTo(FORMED_MS, 'second'),
      strike(BLOW_MS, 'isolate third', back),
      moveTo(BLOW_MS + 100, 'first'),
      strike(BLOW_MS + back + random.between(-50, 50), 'isolate first', LONG),
    ]),
  };
}

function slowDisk(at: Ms, node: string, times: number): Blow {
  return { at, do: 'slow-disk', node, times };
}

/** Two of five are lost; as the others shrink the voters, one of them is so slow that it dies without the news. */
function votersShrink(random: Random): Aimed {
  const drawn = drawGround('voters-shrink', { nodes: 5, timing: QUICK });
  const shrunk = BLOW_MS + random.between(1850, 2500);
  return {
    drawn,
    schedule: schedule([
      moveTo(FORMED_MS, 'first'),
      strike(BLOW_MS, 'split first,second,third|fourth|fifth', shrunk - BLOW_MS),
      slowDisk(BLOW_MS, 'third', 60),
      strike(shrunk, 'kill third', 1),
      slowDisk(shrunk + 200, 'third', 1),
      strike(shrunk + 1, 'split first,second|third,fourth,fifth', LONG),
    ]),
  };
}

/** The new placement reaches one node; all others that should have stored it die before they have. */
function proposalLost(random: Random): Aimed {
  const drawn = drawGround('proposal-lost', { nodes: 5, timing: QUICK });
  const at = BLOW_MS + random.between(5, 60);
  const late = ['third', 'fourth', 'fifth'];
  return {
    drawn,
    schedule: schedule([
      moveTo(FORMED_MS, 'first'),
      ...late.map((name) => slowDisk(BLOW_MS - 200, name, 60)),
      moveTo(BLOW_MS, 'second'),
      ...late.map((name) => strike(at, `kill ${name}`, 1)),
      strike(at, 'split first,second|third,fourth,fifth', LONG),
      ...late.map((name) => slowDisk(at + 200, name, 1)),
    ]),
  };
}

/** A voter dies with what it has just promised, and comes back among those who were not promised anything. */
function promiseForgotten(random: Random): Aimed {
  const drawn = drawGround('promise-forgotten', { nodes: 3, timing: QUICK });
  const dies = BLOW_MS + random.between(100, 500);
  return {
    drawn,
    schedule: schedule([
      moveTo(FORMED_MS, 'third'),
      slowDisk(BLOW_MS - 300, 'third', 100),
      strike(BLOW_MS, 'split first|second,third', dies - BLOW_MS),
      strike(dies, 'kill third', 1),
      slowDisk(dies + 200, 'third', 1),
      strike(dies + 1, 'split first,third|second', LONG),
    ]),
  };
}

export const OFFICE: Record<string, Aim> = {
  'old-document': { tries: 'a voter without the newest placement stands for coordinator', draw: oldDocument },
  'voters-shrink': { tries: 'those who are counted out come back as the voters are changed', draw: votersShrink },
  'proposal-lost': { tries: 'a placement that one node has heard of is lost', draw: proposalLost },
  'promise-forgotten': { tries: 'a voter forgets what it said as its disk was slow', draw: promiseForgotten },
};

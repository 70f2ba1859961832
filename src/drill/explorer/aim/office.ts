/** Elections, votes and changes of voters at the wrong moment. */
import type { Random } from '../../../../drivers/simulator/random.js';
import type { Aim } from '../aimed.js';
import { pick, shuffled } from '../dice.js';
import { moveTo } from './cut-off.js';
import { BLOW_MS, drawGround, FORMED_MS, LONG, QUICK, schedule, strike, type Aimed } from './ground.js';

/**
 * Two voters miss the newest placement; when coordinator and holder die, one of them is the only one whom enough others hear.
 * The one left with the placement does not hear the fourth, so it cannot be elected in its place.
 */
function oldDocument(random: Random): Aimed {
  const drawn = drawGround('old-document', { nodes: 5 });
  const back = random.between(300, 700);
  return {
    drawn,
    schedule: schedule([
      moveTo(FORMED_MS, 'fifth'),
      strike(BLOW_MS, 'split first,second,fifth|third,fourth', back),
      moveTo(BLOW_MS + 50, 'first'),
      strike(BLOW_MS + back - 2, 'isolate first', LONG),
      strike(BLOW_MS + back - 1, 'power-off second', LONG),
      strike(BLOW_MS + back, 'block fourth fifth', LONG),
    ]),
  };
}

/** Two of five are lost; as the others shrink the voters, one of them is so slow that it dies without the news. */
function votersShrink(random: Random): Aimed {
  const drawn = drawGround('voters-shrink', { nodes: 5 });
  const shrunk = BLOW_MS + random.between(1850, 2500);
  return {
    drawn,
    schedule: schedule([
      moveTo(FORMED_MS, 'first'),
      strike(BLOW_MS, 'split first,second,third|fourth|fifth', shrunk - BLOW_MS),
      strike(BLOW_MS, 'disk-slow third 60', shrunk + 200 - BLOW_MS),
      strike(shrunk, 'kill third', 1),
      strike(shrunk + 1, 'split first,second|third,fourth,fifth', LONG),
    ]),
  };
}

/**
 * The new placement reaches one node alone: the old holder lets go and is heard, but it hears its coordinator no more, and
 * the others choose anew without having heard of it.
 */
function proposalLost(random: Random): Aimed {
  const drawn = drawGround('proposal-lost', { nodes: 5 });
  const deaf = BLOW_MS + random.between(15, 50);
  const rest = ['third', 'fourth', 'fifth'];
  return {
    drawn,
    schedule: schedule([
      moveTo(FORMED_MS, 'third'),
      strike(BLOW_MS - 1, 'kernel-slow third 40ms', 300),
      moveTo(BLOW_MS, 'second'),
      ...rest.map((name) => strike(deaf, `block first ${name}`, LONG)),
      strike(deaf, `split second|${rest.join(',')}`, LONG),
      strike(deaf, 'block fourth first', LONG),
      strike(deaf, 'block fifth first', LONG),
      strike(BLOW_MS + 130, 'block third first', LONG),
    ]),
  };
}

/** Those who cannot hear each other ask the same voter, which dies between the two with what it had promised. */
function promiseForgotten(random: Random): Aimed {
  const timing = { ...QUICK, nodeTimeout: '3s' };
  const drawn = drawGround('promise-forgotten', { nodes: 3, timing });
  const dies = BLOW_MS + random.between(450, 1100);
  const [one, other] = shuffled(random, ['second', 'third']);
  return {
    drawn,
    schedule: schedule([
      moveTo(FORMED_MS, pick(random, ['first', 'second'])),
      strike(BLOW_MS, 'split second|third', LONG),
      strike(BLOW_MS, 'kill first', 1),
      strike(BLOW_MS, 'disk-slow first 300', dies + 200 - BLOW_MS),
      strike(dies, 'kill first', 1),
      strike(dies, `block ${one} first`, Math.round(random.between(400, 1200))),
      strike(BLOW_MS, `block first ${other}`, dies - BLOW_MS),
      // Two of one term are asked for different things.
      ...[1400, 1800, 2300].flatMap((after) => [
        { ...moveTo(dies + after, 'second'), node: 'second' },
        { ...moveTo(dies + after + 1, 'third'), node: 'third' },
      ]),
    ]),
  };
}

export const OFFICE: Record<string, Aim> = {
  'old-document': { tries: 'a voter without the newest placement stands for coordinator', draw: oldDocument },
  'voters-shrink': { tries: 'those who are counted out come back as the voters are changed', draw: votersShrink },
  'proposal-lost': { tries: 'a placement that one node has heard of is lost', draw: proposalLost },
  'promise-forgotten': { tries: 'a voter forgets what it said as its disk was slow', draw: promiseForgotten },
};

/** Who is cut off from whom while leases run: the ways in which two could hold one address. */
import type { Random } from '../../../../drivers/simulator/random.js';
import type { Ms } from '../../../input.js';
import type { Aim } from '../aimed.js';
import type { Blow } from '../schedule.js';
import { chance, pick, shuffled } from '../dice.js';
import { BLOW_MS, drawGround, FORMED_MS, LEASE_MS, LONG, schedule, strike, TWO, WEB, type Aimed } from './ground.js';

/** The coordinator is to hold the package, too. */
export function holdByFirst(at = FORMED_MS): Blow {
  return { at, do: 'ask', node: 'first', request: { ask: 'package-move', package: 'web', to: 'first' } };
}

export function moveTo(at: Ms, to: string, moved = 'web'): Blow {
  return { at, do: 'ask', node: 'first', request: { ask: 'package-move', package: moved, to } };
}

/** It may come back when the others have elected another, and then hears as many of them as would be its majority. */
function coordinatorCutOff(random: Random, othersRestart: boolean): Aimed {
  const nodes = pick(random, [3, 3, 5]);
  const drawn = drawGround('coordinator-cut-off', { nodes });
  const others = ['second', 'third', 'fourth', 'fifth'].slice(0, nodes - 1);
  const restarts = others.map((name) => strike(BLOW_MS + random.between(-200, 0), `kill ${name}`, 1));
  const comesBack = !othersRestart && chance(random, 0.5);
  const deaf = comesBack ? shuffled(random, others).slice(others.length / 2) : [];
  return {
    drawn,
    schedule: schedule([
      holdByFirst(),
      strike(BLOW_MS, 'isolate first', comesBack ? Math.round(random.between(350, 0.9 * LEASE_MS)) : LONG),
      ...deaf.flatMap((name) => [`block first ${name}`, `block ${name} first`]).map((it) => strike(BLOW_MS, it, LONG)),
      ...(othersRestart ? restarts : []),
    ]),
  };
}

function coordinatorAndHolder(random: Random): Aimed {
  const nodes = pick(random, [4, 5, 5]);
  const drawn = drawGround('coordinator-and-holder', { nodes });
  const rest = ['third', 'fourth', 'fifth'].slice(0, nodes - 2).join(',');
  return {
    drawn,
    schedule: schedule([moveTo(FORMED_MS, 'second'), strike(BLOW_MS, `split first,second|${rest}`, LONG)]),
  };
}

/** Whoever holds stands still for about as long as a lease; then the grants that came meanwhile are read all at once. */
function holderStopped(random: Random): Aimed {
  const stopped = pick(random, ['first', 'second']);
  const forMs = Math.round(random.between(0.6 * LEASE_MS, 2.2 * LEASE_MS));
  const drawn = drawGround('holder-stopped', { nodes: 3 });
  return {
    drawn,
    schedule: schedule([moveTo(FORMED_MS, stopped), strike(BLOW_MS, `freeze-for ${stopped} ${forMs}ms`)]),
  };
}

/** All that one node sends or hears is late; then the others hear it no more, while what they have sent is still on its way. */
function lateWord(random: Random): Aimed {
  const drawn = drawGround('late-word', { nodes: 3 });
  const late = Math.round(random.between(60, 220));
  const holder = pick(random, ['first', 'second']);
  return {
    drawn,
    schedule: schedule([
      moveTo(FORMED_MS, holder),
      strike(FORMED_MS + 200, `delay ${late}ms ${holder}.eth0`, LONG),
      ...['first', 'second', 'third']
        .filter((name) => name !== holder)
        .map((name) => strike(BLOW_MS, `block ${holder} ${name}`, LONG)),
    ]),
  };
}

/** The same with the coordinator, whose beats come too late for nobody's patience. */
function lateAnswers(random: Random): Aimed {
  const drawn = drawGround('late-answers', { nodes: 3, timing: { poll: '600ms' } });
  const late = Math.round(random.between(100, 180));
  const at = 2600 + random.between(0, 200);
  return {
    drawn,
    schedule: schedule([
      holdByFirst(1500),
      strike(1800, `delay ${late}ms first.eth0`, LONG),
      strike(at, 'block first second', LONG),
      strike(at, 'block first third', LONG),
    ]),
  };
}

/** Packages go from node to node; kernels become slow, and processes stop, as they let go. */
function movesWithStops(random: Random): Aimed {
  const drawn = drawGround('moves-with-stops', { nodes: 3, packages: pick(random, [WEB, TWO]) });
  const from = pick(random, ['first', 'second', 'second', 'third']);
  const to = pick(
    random,
    ['first', 'second', 'third'].filter((name) => name !== from),
  );
  const before = pick(random, ['effect', 'gate']);
  const stop = `pause ${from} ${before} ${1 + Math.floor(random.between(0, 8))} ${Math.round(random.between(50, 900))}ms`;
  const slow = `kernel-slow ${from} ${Math.round(random.between(80, 400))}ms`;
  return {
    drawn,
    schedule: schedule([
      moveTo(FORMED_MS, from),
      chance(random, 0.7) ? strike(BLOW_MS - 1, slow, 900) : strike(BLOW_MS - 1, stop),
      moveTo(BLOW_MS, to),
    ]),
  };
}

/** Nothing is wrong, and operators move packages. */
function plainMoves(random: Random): Aimed {
  const drawn = drawGround('plain-moves', { nodes: 3, packages: TWO });
  const to = (): string => pick(random, ['first', 'second', 'third']);
  return {
    drawn,
    schedule: schedule([moveTo(FORMED_MS, to()), moveTo(BLOW_MS, to()), moveTo(BLOW_MS + 300, to(), 'mail')]),
  };
}

/** Two nodes do not hear each other; both reach the arbiter, one of them not all the time. */
function splitThroughArbiter(random: Random): Aimed {
  const drawn = drawGround('split-through-arbiter', {
    nodes: pick(random, [2, 2, 4]),
    arbiter: pick(random, ['etcd', 'etcd', 'disk']),
    quorum: { onArbiterLoss: pick(random, ['keep', 'surrender']) },
  });
  const { nodes } = drawn;
  const apart = nodes.length === 2 ? 'split first|second' : 'split first,second|third,fourth';
  const blows = [holdByFirst(), strike(BLOW_MS, apart, LONG)];
  if (chance(random, 0.5)) {
    const from = BLOW_MS + random.between(-50, 400);
    blows.push(strike(from, 'block first arbiter', Math.round(random.between(200, 1500))));
  } else {
    const forMs = Math.round(random.between(200, 800));
    blows.push(strike(BLOW_MS + random.between(0, 300), `freeze-for first ${forMs}ms`));
  }
  return { drawn, schedule: schedule(blows) };
}

/** The arbiter forgets all that it knew, after it has voted against the coordinator that was cut off from it. */
function arbiterForgets(random: Random): Aimed {
  const drawn = drawGround('arbiter-forgets', { nodes: 2, arbiter: 'etcd' });
  const lost = BLOW_MS + Math.round(random.between(200, 900));
  return {
    drawn,
    schedule: schedule([
      holdByFirst(),
      strike(BLOW_MS, 'split first|second,arbiter', lost - BLOW_MS),
      strike(BLOW_MS + 1, 'block first second', LONG),
      strike(BLOW_MS + 2, 'block second first', LONG),
      strike(lost + 1, 'arbiter-forget'),
    ]),
  };
}

export const CUT_OFF: Record<string, Aim> = {
  'coordinator-cut-off': {
    tries: 'the coordinator, which holds the package, is cut off from all others, or hears some of them again',
    draw: (random) => coordinatorCutOff(random, false),
  },
  'others-restart': {
    tries: 'the coordinator, which holds the package, is cut off while all others restart',
    draw: (random) => coordinatorCutOff(random, true),
  },
  'coordinator-and-holder': {
    tries: 'the coordinator and one holder against the rest',
    draw: coordinatorAndHolder,
  },
  'holder-stopped': {
    tries: 'a holder, or the coordinator, stands still until its lease is over',
    draw: holderStopped,
  },
  'late-word': { tries: 'grants come late, then no more', draw: lateWord },
  'late-answers': { tries: 'answers come late, then nobody hears the coordinator', draw: lateAnswers },
  'moves-with-stops': { tries: 'planned moves while kernels and processes are slow', draw: movesWithStops },
  'plain-moves': { tries: 'planned moves in a well cluster', draw: plainMoves },
  'split-through-arbiter': { tries: 'two halves that both reach the arbiter', draw: splitThroughArbiter },
  'arbiter-forgets': { tries: 'the arbiter loses its data after a vote', draw: arbiterForgets },
};

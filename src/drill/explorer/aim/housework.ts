/** What happens to a well cluster: moves, restarts, new files, lost disks, other people's addresses. */
import type { Random } from '../../../../drivers/simulator/random.js';
import type { Aim } from '../aimed.js';
import { chance, pick } from '../dice.js';
import type { Blow } from '../schedule.js';
import { withRoutes } from './blindness.js';
import { moveTo } from './cut-off.js';
import { BLOW_MS, drawGround, FORMED_MS, LONG, QUICK, schedule, strike, TWO, type Aimed } from './ground.js';

/** The process stands still between arm, check and act of the gate, and everybody else is cut off meanwhile. */
function stopInTheGate(random: Random): Aimed {
  const drawn = drawGround('stop-in-the-gate', { nodes: 3 });
  const holder = pick(random, ['first', 'second']);
  const nth = pick(random, [1, 2, 2, 2, 5]);
  const forMs = Math.round(random.between(950, 2500));
  return {
    drawn,
    schedule: schedule([moveTo(FORMED_MS, holder), strike(BLOW_MS, `pause ${holder} gate ${nth} ${forMs}ms`)], {
      endsAt: BLOW_MS + forMs + 500,
    }),
  };
}

/** Somebody adds by hand what was moved away from a node that serves something else. */
function leftover(random: Random): Aimed {
  const drawn = drawGround('leftover', { nodes: 2, arbiter: 'etcd', packages: TWO });
  const at = BLOW_MS + random.between(100, 1500);
  return {
    drawn,
    schedule: schedule([
      moveTo(FORMED_MS, 'first', 'mail'),
      moveTo(FORMED_MS + 100, 'first'),
      moveTo(BLOW_MS, 'second'),
      strike(at, 'add-address first.eth0 10.77.0.100/32', 800),
    ]),
  };
}

/** Kernels that let announcements past the gate: the machine alone must hold its tongue. */
function movesOnOldKernels(random: Random): Aimed {
  const nodes = ['alpha', 'beta', 'gamma'];
  const drawn = drawGround('moves-on-old-kernels', { nodes: 3, packages: TWO, topology: { oldKernels: nodes } });
  const blows: Blow[] = [moveTo(FORMED_MS, 'first')];
  for (let n = 1; n < 4; n++)
    blows.push(moveTo(FORMED_MS + n * 700 + random.between(0, 300), pick(random, ['first', 'second', 'third'])));
  if (chance(random, 0.4)) blows.push(strike(FORMED_MS + 2500, 'isolate second', LONG));
  return { drawn, schedule: schedule(blows) };
}

/** The primary node comes back for a moment, again and again. */
function homeComesAndGoes(random: Random): Aimed {
  const packages = { web: { addresses: ['10.77.0.100'], failback: 'automatic', movesMax: 3, movesWindow: '10m' } };
  const drawn = drawGround('home-comes-and-goes', { nodes: 3, packages });
  const offMs = Math.round(random.between(1200, 2000));
  const upMs = Math.round(random.between(1500, 3500));
  const blows = Array.from({ length: 4 }, (_, n) => strike(BLOW_MS + n * (offMs + upMs), 'kill alpha', offMs));
  return { drawn, schedule: schedule(blows) };
}

function holderDead(random: Random): Aimed {
  const drawn = drawGround('holder-dead', { nodes: 3 });
  const holder = pick(random, ['first', 'second']);
  return {
    drawn,
    schedule: schedule(
      [moveTo(FORMED_MS, holder), strike(BLOW_MS, `${pick(random, ['power-off', 'kill'])} ${holder}`, LONG)],
      {
        endsAt: BLOW_MS + 3000,
        healsAll: false,
      },
    ),
  };
}

/** All that went over a switch comes again, later. */
function replayed(random: Random): Aimed {
  const drawn = drawGround('replayed', { nodes: 2, arbiter: 'etcd', standby: chance(random, 0.5) });
  const blows = [BLOW_MS, BLOW_MS + random.between(200, 900)].map((at) => strike(at, 'replay left'));
  if (chance(random, 0.5)) blows.push(strike(BLOW_MS - 400, 'kill second', 1));
  if (chance(random, 0.5)) blows.push(strike(BLOW_MS + 100, 'corrupt 30%', 1000));
  return { drawn, schedule: schedule(blows) };
}

/** One node already reads another cluster file as a second one goes. */
function otherFile(random: Random): Aimed {
  const later = { timing: { ...QUICK, margin: '35ms' } };
  const drawn = drawGround('other-file', { nodes: 3, story: { later } });
  return {
    drawn,
    schedule: schedule([
      moveTo(FORMED_MS, 'first'),
      strike(BLOW_MS, 'new-file third'),
      strike(BLOW_MS + 1, 'restart third'),
      strike(BLOW_MS + random.between(400, 1200), `isolate ${pick(random, ['first', 'second'])}`, 2500),
    ]),
  };
}

/** A voter comes back without its disk, while the voters are about to be changed or split. */
function diskLost(random: Random): Aimed {
  const drawn = drawGround('disk-lost', { nodes: 3 });
  const cut = BLOW_MS - random.between(50, 400);
  return {
    drawn,
    schedule: schedule([
      moveTo(FORMED_MS, 'first'),
      ...(chance(random, 0.5) ? [strike(cut, 'isolate first', BLOW_MS - cut + 20)] : []),
      strike(BLOW_MS, 'disk-lost second'),
      strike(BLOW_MS + 1, 'kill second', 1),
      ...(chance(random, 0.5) ? [strike(BLOW_MS + 30, 'split first,second|third', 3000)] : []),
    ]),
  };
}

/**
 * A package that nobody has runs nowhere. The majority elects another coordinator, which starts it; then one of them loses its
 * disk, with what it promised, and hears the former one, which is asked to start it, too.
 */
function diskLostInASplit(random: Random): Aimed {
  const packages = { ...TWO, mail: { ...TWO.mail, enabled: false } };
  const drawn = drawGround('disk-lost-in-a-split', { nodes: 5, packages });
  const start = (at: number, node: string, to: string): Blow => ({
    at,
    do: 'ask',
    node,
    request: { ask: 'package-start', package: 'mail', to },
  });
  const lost = BLOW_MS + random.between(350, 500);
  const joins = lost + 250;
  return {
    drawn,
    schedule: schedule([
      strike(BLOW_MS, 'split first,second|third,fourth,fifth', joins - BLOW_MS),
      start(BLOW_MS + 330, 'third', 'third'),
      start(BLOW_MS + 345, 'fifth', 'fifth'),
      strike(lost, 'disk-lost fourth'),
      strike(lost, 'kill fourth', 1),
      strike(joins, 'split first,second,fourth|third,fifth', LONG),
      ...[380, 420, 460].map((after) => start(lost + after, 'first', 'second')),
    ]),
  };
}

/** Others' addresses and settings lie beside baton's as a node stops in good order. */
function foreignAndStop(random: Random): Aimed {
  const drawn = drawGround('foreign-and-stop', { nodes: 2, arbiter: 'etcd', standby: true });
  const node = pick(random, drawn.nodes);
  return {
    drawn,
    schedule: schedule(
      [
        strike(FORMED_MS, `add-address ${node}.${pick(random, ['eth0', 'eth1'])} 10.77.0.77/24`, LONG),
        ...(chance(random, 0.4) ? [strike(FORMED_MS + 200, `cut ${node}.eth0`, 400)] : []),
        strike(BLOW_MS + 1500, `stop ${node}`, LONG),
      ],
      { endsAt: BLOW_MS + 5000 },
    ),
  };
}

function macFollows(random: Random): Aimed {
  const drawn = drawGround('mac-follows', {
    nodes: 2,
    standby: true,
    packages: {},
    timing: { ...QUICK, poll: '100ms' },
    net: { mac: 'follow' },
    target: true,
  });
  const fault = `${pick(random, ['cut', 'drop in', 'drop both'])} alpha.eth0`;
  return {
    drawn,
    schedule: schedule([strike(BLOW_MS, fault, random.between(500, 3000))], { endsAt: BLOW_MS + 5000 }),
  };
}

/** A daemon is killed or asked to begin anew, and is back within its lease. */
function restarts(random: Random): Aimed {
  const drawn = drawGround('restarts', { nodes: 3, packages: TWO });
  const how = pick(random, ['first', 'second', 'third']);
  return {
    drawn,
    schedule: schedule([
      moveTo(FORMED_MS, how),
      chance(random, 0.5) ? strike(BLOW_MS, `restart ${how}`) : strike(BLOW_MS, `kill ${how}`, 1),
    ]),
  };
}

/** The cable may be in again before the daemon is: then nothing but its record tells that something was under way. */
function killedInASwitch(random: Random): Aimed {
  const drawn = drawGround('killed-in-a-switch', { ...withRoutes(2), nodes: 2 });
  const nth = 1 + Math.floor(random.between(0, 20));
  const backAfterMs = pick(random, [600, 600, 900, LONG]);
  return {
    drawn,
    schedule: schedule(
      [
        strike(BLOW_MS, `kill-at alpha ${nth}`),
        strike(BLOW_MS + 5, 'cut alpha.eth0', backAfterMs),
        strike(BLOW_MS + 700, 'start alpha'),
      ],
      { endsAt: BLOW_MS + 4000 },
    ),
  };
}

export const HOUSEWORK: Record<string, Aim> = {
  'stop-in-the-gate': { tries: 'a holder stops between arm, check and act of its gate', draw: stopInTheGate },
  leftover: { tries: 'an address is added by hand where it was moved away from', draw: leftover },
  'moves-on-old-kernels': { tries: 'moves where no gate holds back announcements', draw: movesOnOldKernels },
  'home-comes-and-goes': {
    tries: 'a package that goes home by itself, and a home that does not last',
    draw: homeComesAndGoes,
  },
  'holder-dead': { tries: 'a holder dies and stays dead', draw: holderDead },
  replayed: { tries: 'frames come again, or damaged', draw: replayed },
  'other-file': { tries: 'a node with another cluster file is all that could make a majority', draw: otherFile },
  'disk-lost': { tries: 'a voter comes back without its disk', draw: diskLost },
  'disk-lost-in-a-split': {
    tries: 'a voter forgets whom it elected, and hears the former one',
    draw: diskLostInASplit,
  },
  'foreign-and-stop': { tries: "a node with others' addresses stops in good order", draw: foreignAndStop },
  'mac-follows': { tries: 'a switch that takes the MAC along', draw: macFollows },
  restarts: { tries: 'a daemon is back within its lease', draw: restarts },
  'killed-in-a-switch': { tries: 'a daemon is killed in the middle of a local switch', draw: killedInASwitch },
};

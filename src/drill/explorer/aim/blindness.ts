/** Cards, trunks and paths of which one cannot easily tell whether they work. */
import type { Random } from '../../../../drivers/simulator/random.js';
import type { Aim } from '../aimed.js';
import { chance, pick } from '../dice.js';
import { moveTo } from './cut-off.js';
import { lossBetween } from '../weather.js';
import { BLOW_MS, drawGround, LONG, QUICK, schedule, strike, type Aimed, type Ground } from './ground.js';

/** Polling quick enough that a window is soon over. */
const POLLED = { ...QUICK, poll: '100ms' };
const NO_PACKAGES = { packages: {} };
/** No hold after many flaps is in the way, and none needed. */
const CARDS: Omit<Ground, 'nodes'> = { standby: true, timing: POLLED, ...NO_PACKAGES };
/** On every node, of both families: two of one key, one by a gateway of another, one without prefix route. */
const ROUTES = [
  'default via 10.77.0.254 dev eth0',
  '10.90.0.0/16 via 10.77.0.254 dev eth0 metric 50',
  '10.90.0.0/16 via 10.77.0.253 dev eth0 metric 60',
  '10.91.0.1/32 dev eth0',
  '10.92.0.0/16 via 10.91.0.1 dev eth0',
  'default via fd77::fe dev eth0 metric 1024',
  'fd90::/64 via fd77::fe dev eth0 metric 100',
  'fd91::1/128 dev eth0 metric 100',
  'fd92::/64 via fd91::1 dev eth0 metric 100',
];

export function withRoutes(nodes: number): Omit<Ground, 'nodes'> {
  const names = ['alpha', 'beta', 'gamma'].slice(0, nodes);
  return { ...CARDS, topology: { routes: Object.fromEntries(names.map((name) => [name, ROUTES])) } };
}

function standbyThenPrimary(random: Random): Aimed {
  const drawn = drawGround('standby-then-primary', { ...CARDS, nodes: pick(random, [1, 2]) });
  return {
    drawn,
    schedule: schedule([
      strike(BLOW_MS, 'cut alpha.eth1', LONG),
      strike(BLOW_MS + random.between(100, 1500), 'cut alpha.eth0', random.between(300, 2000)),
    ]),
  };
}

/** The primary loses its carrier, or no frame comes or goes, and comes back. */
function primaryFails(random: Random, name: string, fault: string): Aimed {
  const nodes = pick(random, [2, 3]);
  const drawn = drawGround(name, { ...withRoutes(nodes), nodes });
  return {
    drawn,
    schedule: schedule(
      [strike(BLOW_MS, `${fault} alpha.eth0`, chance(random, 0.5) ? LONG : random.between(1500, 3000))],
      {
        endsAt: BLOW_MS + 4000,
      },
    ),
  };
}

/** The standby falls silent, and nothing else: nobody may move. With one node there is no third that could tell. */
function silentStandby(random: Random): Aimed {
  const drawn = drawGround('silent-standby', { ...CARDS, nodes: pick(random, [1, 1, 2]) });
  const fault = `drop ${pick(random, ['in', 'out', 'both'])} alpha.eth1`;
  return {
    drawn,
    schedule: schedule([strike(BLOW_MS, fault, LONG)], {
      isMild: true,
      mildFromMs: BLOW_MS - 1,
      endsAt: BLOW_MS + 3000,
    }),
  };
}

function flapping(random: Random): Aimed {
  const net = { upDelay: pick(random, ['500ms', '1s']), flapMax: 3, flapWindow: '8s' };
  const drawn = drawGround('flapping-primary', { ...CARDS, nodes: 2, net });
  const down = Math.round(random.between(50, 300));
  const up = Math.round(random.between(600, 1800));
  const blows = Array.from({ length: 8 }, (_, n) => strike(BLOW_MS + n * (down + up), 'cut alpha.eth0', down));
  return { drawn, schedule: schedule(blows) };
}

/** One that neither leads nor holds sleeps: nobody may move, and it may not take its own sleep for the death of the others. */
function stutters(random: Random): Aimed {
  const drawn = drawGround('stutters', { nodes: 3, standby: true, timing: pick(random, [POLLED, { poll: '100ms' }]) });
  const at = 2600 + random.between(0, 200);
  const forMs = Math.round(pick(random, [random.between(500, 900), random.between(1100, 1500)]));
  return {
    drawn,
    schedule: schedule([moveTo(1800, 'first'), strike(at, `freeze-for third ${forMs}ms`)], {
      isMild: true,
      mildFromMs: 2500,
      endsAt: at + forMs + 600,
    }),
  };
}

/** All that S10 allows, at once. */
function badWeather(random: Random): Aimed {
  const drawn = drawGround('bad-weather', { nodes: 3, standby: true, privates: 1, timing: 'default' });
  const faults = [
    lossBetween(drawn.scenario.topology, 20),
    `duplicate ${pick(random, [10, 50])}%`,
    `reorder ${pick(random, [10, 50])}%`,
  ];
  return {
    drawn,
    schedule: schedule(
      faults.map((fault) => strike(4000, fault, LONG)),
      { isMild: true, mildFromMs: 3900, endsAt: 9000 },
    ),
  };
}

export const BLINDNESS: Record<string, Aim> = {
  'standby-then-primary': { tries: 'the standby is dead, then the primary dies', draw: standbyThenPrimary },
  'cut-primary': {
    tries: 'a primary with many routes loses its carrier',
    draw: (random) => primaryFails(random, 'cut-primary', 'cut'),
  },
  'silent-primary': {
    tries: 'a primary falls silent with its carrier up',
    draw: (random) => primaryFails(random, 'silent-primary', 'drop both'),
  },
  'silent-standby': { tries: 'of two NICs the standby falls silent', draw: silentStandby },
  'flapping-primary': { tries: 'a primary whose cable is out and in again and again', draw: flapping },
  stutters: { tries: 'processes sleep for less than a lease', draw: stutters },
  'bad-weather': { tries: 'loss, duplicates and disorder to the bound of what nobody may mind', draw: badWeather },
};

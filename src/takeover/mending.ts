/**
 * Puts right what something else did to the addresses that baton defends: one that is gone from the carrier, one that
 * appears on another NIC of the net, a moved route that a network manager put back on the old NIC. At once; but against
 * a rival that keeps at it, ever more slowly, and with an alarm.
 */
import type { NodeNet } from '../config/cluster.js';
import type { Ms, NicObservation, Route } from '../input.js';
import { clear, raise } from './account.js';
import { begin, fitting } from './change.js';
import { ownedKeys } from './learning.js';
import { addressKey, aged, DAD_FAILED, type Portfolio, routeKey, routeOnNic, routeText } from './portfolio.js';
import { type NetState, othersOf, type Turn } from './state.js';

export const TIMES_UNTIL_ALARM = 3;
export const BACK_OFF_FIRST: Ms = 1000;
export const BACK_OFF_LONGEST: Ms = 60_000;
/** Nothing to mend for so long after the last hold: the rival is gone. */
export const QUIET: Ms = 60_000;

interface Damage {
  /** Defended addresses that the carrier lacks. */
  missing: string[];
  /** Away from home: routes that baton put on the carrier and that are gone. */
  lost: string[];
  /** Defended addresses and moved routes that lie on other NICs of the net. */
  astray: string[];
}

/** Begins a change if something is to be mended and the back-off allows it. `carrier` carries and is not down. */
export function mend(turn: Turn, own: NodeNet, net: NetState, carrier: NicObservation): boolean {
  const { now } = turn;
  const { mending } = net;
  if (mending.times > 0 && now >= mending.holdUntil + QUIET) {
    mending.times = 0;
    clear(turn, `rival ${net.net}`);
  }
  const wanted = defended(turn, own, net, carrier);
  const { missing, lost, astray } = damage(turn, own, net, carrier, wanted);
  if (missing.length === 0) net.served = true;
  if (missing.length + lost.length + astray.length === 0 || now < mending.holdUntil || now < net.retryAt) return false;
  const cause = causeOf({ missing, lost, astray }, net);
  const wish = { kind: 'mend', to: carrier, cause, portfolio: wanted, evidence: {}, operator: null } as const;
  if (!begin(turn, own, net, wish)) return false;
  if (net.served) count(turn, net, [...missing, ...lost, ...astray]);
  return true;
}

function causeOf({ missing, astray }: Damage, net: NetState): string {
  if (missing.length > 0) return net.served ? 'removed-by-other' : 'raised-at-start';
  return astray.length > 0 ? 'put-back-by-other' : 'removed-by-other';
}

function count(turn: Turn, net: NetState, what: string[]): void {
  const { mending } = net;
  mending.times++;
  mending.lastAt = turn.now;
  const over = mending.times - TIMES_UNTIL_ALARM;
  mending.holdUntil = over < 0 ? turn.now : turn.now + Math.min(BACK_OFF_FIRST * 2 ** over, BACK_OFF_LONGEST);
  if (over >= 0) {
    raise(
      turn,
      `rival ${net.net}`,
      'rival-manager',
      `something else keeps changing ${what.join(', ')} on ${net.carrier}`,
    );
  }
}

/** The portfolio but for what is not defended and not there: that may be the administrator's wish. */
function defended(turn: Turn, own: NodeNet, net: NetState, carrier: NicObservation): Portfolio {
  const owned = ownedKeys(turn, own);
  const there = new Set(carrier.addresses.map(addressKey));
  const portfolio = fitting(aged(net.portfolio, turn.now), carrier);
  const given = portfolio.addresses.filter((x) => !owned.has(addressKey(x)) && !there.has(addressKey(x)));
  if (given.length === 0) return portfolio;
  const gone = new Set(given.map((x) => x.local));
  return {
    ...portfolio,
    addresses: portfolio.addresses.filter((x) => !given.includes(x)),
    routes: portfolio.routes.filter((x) => x.preferredSource === undefined || !gone.has(x.preferredSource)),
  };
}

/**
 * A network manager that replaces a route takes it from the standby, and loses it with the address that is taken off its
 * NIC again: then it is on neither.
 */
function movedRoutesLost({ state }: Turn, own: NodeNet, carrier: NicObservation, wanted: Portfolio): string[] {
  const keyOn = (route: Route): string => routeKey(routeOnNic(route, own.primary, carrier.nic));
  const there = new Set(carrier.routes.map(routeKey));
  const moved = new Set(state.ledger.routes.filter((route) => isOver(route, carrier.nic)).map(routeKey));
  return wanted.routes.filter((x) => moved.has(keyOn(x)) && !there.has(keyOn(x))).map((x) => x.destination);
}

function isOver(route: Route, nic: string): boolean {
  return route.nic === nic || (route.nextHops ?? []).some((leg) => leg.nic === nic);
}

function damage(turn: Turn, own: NodeNet, net: NetState, carrier: NicObservation, wanted: Portfolio): Damage {
  const owned = ownedKeys(turn, own);
  const alive = new Set(carrier.addresses.filter((x) => !(x.family === 6 && x.flags & DAD_FAILED)).map(addressKey));
  const defendedKeys = wanted.addresses.map(addressKey).filter((key) => owned.has(key));
  const missing = defendedKeys.filter((key) => !alive.has(key));
  const lost: string[] = [];
  const others = othersOf(turn.world, own, carrier.nic);
  const elsewhere = new Set(others.flatMap((seen) => seen.addresses.map(addressKey)));
  const astray = defendedKeys.filter((key) => elsewhere.has(key));
  // At home a route on a standby is somebody else's affair; away from home it is ours, put back.
  if (net.carrier !== own.primary) {
    lost.push(...movedRoutesLost(turn, own, carrier, wanted));
    const moved = new Set(wanted.routes.map((route) => routeText(routeOnNic(route, own.primary, carrier.nic))));
    for (const { nic, routes } of others) {
      for (const route of routes) {
        if (moved.has(routeText(routeOnNic(route, nic, carrier.nic)))) astray.push(route.destination);
      }
    }
  }
  return { missing, lost, astray };
}

/**
 * Routes of a portfolio to the target NIC. The kernel's two families differ (DESIGN 17):
 *
 *   IPv4  replace hits the first route of its key whatever its NIC, so it is used only where that is ours alone;
 *         else append (behind those of its key) and delete. Routes of one key keep their order.
 *   IPv6  append makes a multipath over the dead NIC, so replace, then delete what is left.
 *
 * Routes without a gateway go first in either family, by append, and are deleted last: the kernel takes a gateway only
 * while a route says that it is on-link, on the way there and on the way of an undo. They make no multipath.
 */
import type { Route } from '../input.js';
import type { Plan, PlanInput } from './plan.js';
import { routeKey, routeOnNic, routeText } from './portfolio.js';

/** Adds the steps that make; gives back what adds the steps that break, for later. */
export function moveRoutes4(plan: Plan, input: PlanInput): () => void {
  const left: Route[] = [];
  for (const { want, here, olds } of moves(input, 4)) {
    const [old] = olds;
    if (here) left.push(...olds);
    else if (old && olds.length === 1 && joins(want) && isAlone(old, input)) {
      plan.push({ do: 'replace-route', route: want }, { do: 'replace-route', route: old });
    } else {
      plan.push({ do: 'append-route', route: want }, { do: 'delete-route', route: want });
      left.push(...olds);
    }
  }
  // Backwards, so that the undo, which runs in reverse, appends them in their old order.
  return () => {
    for (const route of left.reverse()) plan.push({ do: 'delete-route', route }, { do: 'append-route', route });
  };
}

export function moveRoutes6(plan: Plan, input: PlanInput): () => void {
  const left: Route[] = [];
  for (const { want, here, olds } of moves(input, 6)) {
    left.push(...olds);
    if (here) continue;
    const taken = allRoutes(input).find((route) => routeKey(route) === routeKey(want) && joins(route));
    if (!joins(want)) {
      plan.push({ do: 'append-route', route: want }, { do: 'delete-route', route: want });
    } else {
      plan.push(
        { do: 'replace-route', route: want },
        taken ? { do: 'replace-route', route: taken } : { do: 'delete-route', route: want },
      );
    }
  }
  return () => {
    for (const route of left.reverse()) {
      plan.push({ do: 'delete-route', route }, { do: joins(route) ? 'replace-route' : 'append-route', route });
    }
  };
}

interface Move {
  want: Route;
  /** Is it on the target already? */
  here: boolean;
  /** The same route where it is on other NICs of the net. */
  olds: Route[];
}

function moves({ portfolio, home, target, others }: PlanInput, family: 4 | 6): Move[] {
  const here = new Set(target.routes.map(routeText));
  const olds = new Map<string, Route[]>();
  for (const { nic, routes } of others) {
    for (const route of routes) {
      if (route.family !== family) continue;
      const text = routeText(routeOnNic(route, nic, target.nic));
      olds.set(text, [...(olds.get(text) ?? []), route]);
    }
  }
  return gatewaysLast(portfolio.routes.filter((route) => route.family === family)).map((route) => {
    const want = routeOnNic(route, home, target.nic);
    const text = routeText(want);
    return { want, here: here.has(text), olds: olds.get(text) ?? [] };
  });
}

/** Routes of one key stay together and in order, for the first of them is the one in use. */
function gatewaysLast(routes: readonly Route[]): Route[] {
  const groups = new Map<string, Route[]>();
  for (const route of routes) groups.set(routeKey(route), [...(groups.get(routeKey(route)) ?? []), route]);
  const place = (group: Route[]): number => (group.every(joins) ? 2 : group.some(joins) ? 1 : 0);
  return [...groups.values()].sort((a, b) => place(a) - place(b)).flat();
}

/** Does it have a gateway? IPv6 routes that do join others of their key to a multipath. */
function joins(route: Route): boolean {
  return route.gateway !== undefined || (route.nextHops?.some((hop) => hop.gateway !== undefined) ?? false);
}

function allRoutes({ target, others, beside }: PlanInput): Route[] {
  return [target, ...others, ...beside].flatMap((seen) => seen.routes);
}

/** Does no other route known to us share its key? */
function isAlone(route: Route, input: PlanInput): boolean {
  const key = routeKey(route);
  return (
    new Set(
      allRoutes(input)
        .filter((x) => routeKey(x) === key)
        .map(routeText),
    ).size === 1
  );
}

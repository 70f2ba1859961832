/**
 * Routes of a portfolio to the target NIC. The kernel's two families differ (DESIGN 17):
 *
 *   IPv4  replace hits the first route of its key whatever its NIC, so it is used only where that is ours alone;
 *         else append (behind those of its key) and delete. Routes of one key keep their order.
 *   IPv6  append makes a multipath over the dead NIC, so replace, then delete what is left. Only where a route without
 *         gateway shares its key with a foreign one does it come by append: such routes make no multipath.
 *
 * Either way routes without a gateway go first: the kernel checks that a gateway is on-link.
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
    else if (old && olds.length === 1 && isAlone(old, input)) {
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
    const taken = allRoutes(input).find((route) => routeKey(route) === routeKey(want) && joins(route) === joins(want));
    if (!joins(want) && !isAlone(taken, input)) {
      plan.push({ do: 'append-route', route: want }, { do: 'delete-route', route: want });
    } else {
      plan.push(
        { do: 'replace-route', route: want },
        taken ? { do: 'replace-route', route: taken } : { do: 'delete-route', route: want },
      );
    }
  }
  return () => {
    for (const route of left) plan.push({ do: 'delete-route', route }, { do: 'replace-route', route });
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

function gatewaysLast(routes: readonly Route[]): Route[] {
  return [...routes.filter((route) => !joins(route)), ...routes.filter(joins)];
}

/** Does it have a gateway? IPv6 routes that do join others of their key to a multipath. */
function joins(route: Route): boolean {
  return route.gateway !== undefined || (route.nextHops?.some((hop) => hop.gateway !== undefined) ?? false);
}

function allRoutes({ target, others, beside }: PlanInput): Route[] {
  return [target, ...others, ...beside].flatMap((seen) => seen.routes);
}

/** Does no other route known to us share its key? */
function isAlone(route: Route | undefined, input: PlanInput): boolean {
  if (route === undefined) return true;
  const key = routeKey(route);
  return (
    new Set(
      allRoutes(input)
        .filter((x) => routeKey(x) === key)
        .map(routeText),
    ).size === 1
  );
}

import { isToldRoute, routeText } from '../../../drivers/route-text.js';
import type { Action } from '../../action.js';
import type { Input, Ms, Route } from '../../input.js';
import { changeMs } from './bounds.js';
import type { Facts, Invariant, Told } from './invariant.js';
import { Overdue } from './overdue.js';

/** RTPROT_* up to here are an administrator's or baton's own; those above put their routes back by themselves, and are named, not moved. */
const PROTOCOL_STATIC = 4;
const DEVICE = /\bdev \S+/g;

interface Look {
  at: Ms;
  texts: readonly string[];
}

/** The routes that a switch must keep, as text, device aside; of several with one key, which the kernel tries in their order, each says its place. */
export function keptRoutes(routes: readonly Route[]): string[] {
  const places = new Map<string, number>();
  const texts: string[] = [];
  for (const route of routes) {
    if (!isToldRoute(route) || route.protocol > PROTOCOL_STATIC || route.nextHopId !== undefined) continue;
    const key = `${route.family} ${route.table} ${route.destination} ${route.tos} ${route.metric ?? 0}`;
    const place = (places.get(key) ?? 0) + 1;
    places.set(key, place);
    texts.push(routeText(route).replace(DEVICE, 'dev *') + (place > 1 ? ` (${place}.)` : ''));
  }
  return texts;
}

/**
 * S7: after a switch routes equal those before, device aside, and in their order within one destination and metric, which
 * decides among equals. Before: while the NIC that had them carried. A route that came or went within the last poll before the
 * switch may be there or not, for its daemon need not have seen it; what other programs change during the switch is theirs.
 * Where the daemon died within the switch its next run has them back as soon as it has had the time for a switch (DESIGN 5: it
 * finishes or undoes the plan), unless it tells why not.
 */
export class RoutesKept implements Invariant {
  readonly name = 'S7';
  readonly #facts: Facts;
  /** Node → its looks while all was well, the newest last. */
  readonly #looks = new Map<string, Look[]>();
  readonly #lists = new Map<string, readonly Route[]>();
  /** Node → changes of its kernel that are under way. */
  readonly #changing = new Map<string, Set<number>>();
  /** Nodes whose hands were at work since the last look. */
  readonly #byHands = new Set<string>();
  /** Node → when others changed its routes last. */
  readonly #strangerAt = new Map<string, Ms>();
  readonly #switchAt = new Map<string, Ms>();
  /** Node → nets that are on their way. */
  readonly #switching = new Map<string, Set<string>>();
  /** Nodes whose daemon has come back from a crash within a switch, and has its time to finish or undo it. */
  readonly #cutShort = new Set<string>();
  readonly #powerLosses = new Map<string, number>();
  readonly #overdue: Overdue;

  constructor(facts: Facts) {
    this.#facts = facts;
    this.#overdue = new Overdue(facts, 2 * changeMs());
  }

  made(node: string): void {
    this.#byHands.add(node);
  }

  changed(touched: ReadonlySet<string>): void {
    for (const node of touched) this.#look(node);
  }

  stepped(node: string, input: Input, actions: readonly Action[]): void {
    if (input.kind === 'started') {
      this.#changing.delete(node);
      this.#begunAnew(node);
    }
    if (input.kind === 'host-changed') {
      const under = this.#changing.get(node);
      under?.delete(input.id);
      if (under?.size === 0) this.#changing.delete(node);
    }
    for (const action of actions) {
      if (action.kind !== 'change-host') continue;
      const under = this.#changing.get(node) ?? new Set();
      this.#changing.set(node, under.add(action.id));
    }
  }

  journalled({ event, node, net = '', to, cause }: Told): void {
    const isGivenUp = event === 'switch-refused' || (event === 'adopted' && cause === 'record-of-other-file');
    if (event === 'switch-failed' || event === 'switch-done' || isGivenUp) this.#settled(node);
    if (event === 'switch-started') {
      this.#switchAt.set(node, this.#facts.now());
      this.#switching.set(node, new Set(this.#switching.get(node)).add(net));
    }
    if (event === 'switch-failed' || event === 'switch-done') this.#switching.get(node)?.delete(net);
    if (event !== 'switch-done') return;
    const looks = this.#looksBefore(node);
    if (looks === null) return;
    const now = keptRoutes(this.#facts.host(node).routes());
    const where = `after the switch of ${net} to ${to} ${node}`;
    for (const text of without(inAll(looks), now)) this.#facts.violated('S7', `${where} lacks the route ${text}`);
    const may = looks.flatMap(({ texts }) => texts);
    for (const text of now) if (!may.includes(text)) this.#facts.violated('S7', `${where} has a new route ${text}`);
    const most = Math.max(...looks.map(({ texts }) => texts.length));
    if (now.length > most) this.#facts.violated('S7', `${where} has ${now.length} routes, had ${most}`);
  }

  /** From the newest that the daemon had surely seen when its last switch began; null: others had their hands in it. */
  #looksBefore(node: string): Look[] | null {
    const sureAt = (this.#switchAt.get(node) ?? -Infinity) - this.#graceMs();
    if ((this.#strangerAt.get(node) ?? -Infinity) >= sureAt) return null;
    const known = this.#looks.get(node);
    return (
      known?.slice(
        Math.max(
          0,
          known.findLastIndex(({ at }) => at <= sureAt),
        ),
      ) ?? null
    );
  }

  /** Its daemon, after a crash that may have cut a switch short. */
  #begunAnew(node: string): void {
    const isCutShort = (this.#switching.get(node)?.size ?? 0) > 0;
    this.#switching.delete(node);
    const looks = isCutShort ? this.#looksBefore(node) : null;
    if (looks === null) return;
    this.#cutShort.add(node);
    this.#overdue.note(node, node, true, () => this.#resumed(node, inAll(looks)));
  }

  #settled(node: string): void {
    this.#cutShort.delete(node);
    this.#overdue.note(node, node, false, () => undefined);
  }

  /** It has had its time after a switch that was cut short. */
  #resumed(node: string, must: readonly string[]): void {
    const byOthers = (this.#strangerAt.get(node) ?? -Infinity) >= this.#switchAt.get(node)!;
    const lacks = without(must, keptRoutes(this.#facts.host(node).routes()));
    this.#settled(node);
    if (byOthers || this.#changing.has(node)) return;
    for (const text of lacks)
      this.#facts.violated('S7', `after a switch that was cut short ${node} lacks the route ${text}`);
  }

  #graceMs(): Ms {
    return this.#facts.cluster.timing.pollMs;
  }

  #look(node: string): void {
    const host = this.#facts.host(node);
    const list = host.routes();
    const known = this.#lists.get(node);
    const isSame = known?.length === list.length && known.every((route, i) => route === list[i]);
    const byHands = this.#byHands.delete(node);
    if (!isSame) {
      this.#lists.set(node, [...list]);
      if (!byHands && known !== undefined && isWorking(known, host.nics()))
        this.#strangerAt.set(node, this.#facts.now());
    }
    if (host.powerLosses !== (this.#powerLosses.get(node) ?? 0)) this.#settled(node);
    this.#powerLosses.set(node, host.powerLosses);
    if ((isSame && this.#looks.has(node)) || this.#cutShort.has(node)) return;
    if (this.#changing.has(node) || host.awakeSince === Infinity || !isWorking(list, host.nics())) return;
    this.#keep(node, keptRoutes(list));
  }

  #keep(node: string, texts: string[]): void {
    const at = this.#facts.now();
    const looks = this.#looks.get(node) ?? [];
    // The newest of those that are old enough is what was surely seen.
    const sure = looks.findLastIndex((look) => look.at <= at - this.#graceMs());
    this.#looks.set(node, [...looks.slice(Math.max(0, sure)), { at, texts }]);
  }
}

/** Have all NICs that those routes leave by a carrier? A kernel that lost one takes routes away. */
function isWorking(
  routes: readonly Route[],
  nics: Iterable<{ name: string; admin: boolean; carrier: boolean }>,
): boolean {
  const lit = new Set<string>();
  const all = new Set<string>();
  for (const { name, admin, carrier } of nics) {
    all.add(name);
    if (admin && carrier) lit.add(name);
  }
  return routes.every((route) => !all.has(route.nic) || lit.has(route.nic)) && routes.every(({ nic }) => all.has(nic));
}

/** What all of them have. */
function inAll(looks: readonly Look[]): string[] {
  return looks.at(-1)!.texts.filter((text) => looks.every(({ texts }) => texts.includes(text)));
}

/** What of `from` is not in `there`, counting. */
function without(from: readonly string[], there: readonly string[]): string[] {
  const left = [...there];
  return from.filter((text) => {
    const at = left.indexOf(text);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

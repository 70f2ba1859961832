import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Route } from '../../src/input.js';
import { booked, emptyLedger, type Ledger } from '../../src/takeover/ledger.js';
import { type Plan, planMove } from '../../src/takeover/plan.js';
import {
  addressKey,
  fateOf,
  type Portfolio,
  readPortfolio,
  routeKey,
  routeOnNic,
  routeText,
  sortedJson,
} from '../../src/takeover/portfolio.js';
import type { ModelKernel } from './model-kernel.js';
import { hosts } from './portfolio.arbitrary.js';

const HOME = 'eth0';

function plan(kernel: ModelKernel, portfolio: Portfolio, target: string, ledger: Ledger = emptyLedger()): Plan {
  const seen = kernel.observeAll();
  return planMove({
    portfolio,
    home: HOME,
    target: seen[target]!,
    others: ['eth0', 'eth1'].filter((nic) => nic !== target).flatMap((nic) => seen[nic] ?? []),
    gone: [],
    beside: [seen['mgmt0']!],
    ledger,
  });
}

function read(kernel: ModelKernel): Portfolio {
  return readPortfolio(kernel.observe(HOME), HOME, 0);
}

/** Routes that somebody made, in their order within each key, device aside. */
function told(kernel: ModelKernel): Record<string, string[]> {
  const addresses = [...kernel.nics['eth0']!.addresses, ...kernel.nics['eth1']!.addresses];
  const moved = kernel.routes.filter((route: Route) => fateOf(route, addresses) === 'moves');
  const lines: Record<string, string[]> = {};
  for (const route of moved) {
    // IPv6 asks those with a gateway and those without one separately.
    const kind = route.family === 6 && route.gateway === undefined && !route.nextHops ? ' on-link' : '';
    (lines[`${routeKey(route)}${kind}`] ??= []).push(routeText(routeOnNic(route, 'eth1', 'eth0')));
  }
  return lines;
}

function sorted(lines: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(lines).map(([key, list]) => [key, [...list].sort()]));
}

/** Is there a route of another NIC of that key? Ours then may come to stand behind it. */
function keys(kernel: ModelKernel, nic: string): string[] {
  return kernel.routes.filter((route) => route.nic === nic && !route.nextHops).map(routeKey);
}

function locals(kernel: ModelKernel, nic: string): string[] {
  return kernel.nics[nic]!.addresses.map(addressKey);
}

/** State, the order of addresses too, but not the order of routes of different keys, and not what was learnt of neighbours. */
function essence(kernel: ModelKernel): unknown {
  const nics = Object.values(kernel.nics).map((nic) => ({
    ...nic,
    addresses: nic.addresses.map((x) => sortedJson(x)),
    neighbours: nic.neighbours
      .filter((x) => x.state & 0x80)
      .map((x) => JSON.stringify(x))
      .sort(),
  }));
  return { nics, routes: kernel.routes.map(routeText).sort() };
}

describe('a plan on the model kernel', () => {
  it('leaves the portfolio on the target alone, routes as before, foreign things untouched', () => {
    fc.assert(
      fc.property(hosts, (host) => {
        const kernel = host.kernel.copy();
        const portfolio = read(kernel);
        const before = kernel.copy();
        for (const step of plan(kernel, portfolio, 'eth1').steps) kernel.apply(step);
        const wanted = portfolio.addresses.map(addressKey);
        expect(locals(kernel, 'eth0').filter((key) => wanted.includes(key))).toEqual([]);
        expect(locals(kernel, 'eth1')).toEqual(expect.arrayContaining(wanted));
        expect(sorted(told(kernel))).toEqual(sorted(told(before)));
        expect(kernel.nics['mgmt0']).toEqual(before.nics['mgmt0']);
        expect(kernel.routes.filter((x) => x.nic === 'mgmt0')).toEqual(before.routes.filter((x) => x.nic === 'mgmt0'));
        for (const foreign of before.nics['eth1']!.addresses) {
          expect(locals(kernel, 'eth1')).toContain(addressKey(foreign));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('keeps the order of routes of one key, unless another NIC has one of that key', () => {
    fc.assert(
      fc.property(hosts, (host) => {
        const kernel = host.kernel.copy();
        const portfolio = read(kernel);
        const before = told(kernel);
        const shared = keys(kernel, 'mgmt0');
        for (const step of plan(kernel, portfolio, 'eth1').steps) kernel.apply(step);
        for (const [key, lines] of Object.entries(told(kernel))) {
          if (!shared.includes(key)) expect(lines).toEqual(before[key]);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('leaves nothing to do behind it', () => {
    fc.assert(
      fc.property(hosts, (host) => {
        const kernel = host.kernel.copy();
        const portfolio = read(kernel);
        for (const step of plan(kernel, portfolio, 'eth1').steps) kernel.apply(step);
        expect(plan(kernel, portfolio, 'eth1').steps).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('stopped at any step and made anew ends in the same state', () => {
    fc.assert(
      fc.property(hosts, fc.nat(60), (host, stop) => {
        const kernel = host.kernel.copy();
        const portfolio = read(kernel);
        const whole = kernel.copy();
        const { steps } = plan(kernel, portfolio, 'eth1');
        for (const step of steps) whole.apply(step);
        for (const step of steps.slice(0, stop % (steps.length + 1))) kernel.apply(step);
        for (const step of plan(kernel, portfolio, 'eth1').steps) kernel.apply(step);
        expect(essence(kernel)).toEqual(essence(whole));
        expect(sorted(told(kernel))).toEqual(sorted(told(whole)));
      }),
      { numRuns: 150 },
    );
  });

  it('stopped at any step can be turned back', () => {
    fc.assert(
      fc.property(hosts, fc.nat(60), (host, stop) => {
        const kernel = host.kernel.copy();
        const portfolio = read(kernel);
        const before = kernel.copy();
        const { steps } = plan(kernel, portfolio, 'eth1');
        const done = steps.slice(0, stop % (steps.length + 1));
        for (const step of done) kernel.apply(step);
        const ledger = booked(emptyLedger(), steps, [HOME]);
        for (const step of plan(kernel, portfolio, HOME, ledger).steps) kernel.apply(step);
        expect(sorted(told(kernel))).toEqual(sorted(told(before)));
        expect(locals(kernel, 'eth0').sort()).toEqual(locals(before, 'eth0').sort());
        expect(locals(kernel, 'eth1')).toEqual(locals(before, 'eth1'));
        expect(kernel.nics['eth1']!.neighbours).toEqual(before.nics['eth1']!.neighbours);
      }),
      { numRuns: 150 },
    );
  });

  it('there and back again changes nothing at all', () => {
    fc.assert(
      fc.property(hosts, (host) => {
        const kernel = host.kernel.copy();
        const portfolio = read(kernel);
        const before = kernel.copy();
        const { steps } = plan(kernel, portfolio, 'eth1');
        for (const step of steps) kernel.apply(step);
        const ledger = booked(emptyLedger(), steps, [HOME]);
        for (const step of plan(kernel, portfolio, HOME, ledger).steps) kernel.apply(step);
        expect(essence(kernel)).toEqual(essence(before));
      }),
      { numRuns: 150 },
    );
  });

  it('undone from any step restores what was there, flags of IPv6 detection aside', () => {
    fc.assert(
      fc.property(hosts, fc.nat(60), (host, stop) => {
        const kernel = host.kernel.copy();
        const portfolio = read(kernel);
        const before = kernel.copy();
        const { steps, undo } = plan(kernel, portfolio, 'eth1');
        const count = stop % (steps.length + 1);
        for (const step of steps.slice(0, count)) kernel.apply(step);
        for (const step of undo.slice(0, count).reverse()) kernel.apply(step);
        for (const nic of [kernel, before].flatMap((x) => Object.values(x.nics))) {
          for (const address of nic.addresses) if (address.family === 6) address.flags &= ~0x02;
        }
        expect(essence(kernel)).toEqual(essence(before));
      }),
      { numRuns: 150 },
    );
  });
});

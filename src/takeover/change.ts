/**
 * One change of the kernel for one net, from the wish to the outcome.
 *
 *   begin ──change-host──▶ hands ──host-changed──▶ finish ──▶ look again at the NICs touched, then decide anew
 *
 * While it is under way nothing else is decided for that net; until its NICs were looked at again, nothing either.
 */
import type { Step } from '../action.js';
import type { NodeNet } from '../config/cluster.js';
import type { Ms, NicObservation, SwitchFailure } from '../input.js';
import { clear, journal, raise, record } from './account.js';
import { announce, withdraw } from './announce.js';
import { booked, type Ledger } from './ledger.js';
import { mustTry, withMacs } from './mac-follow.js';
import { type Plan, planMove } from './plan.js';
import { aged, neighbourKey, type Portfolio } from './portfolio.js';
import { persist, runRecord } from './run-record.js';
import { type Change, drop, homesOf, type NetState, nicsOf, othersOf, type Turn } from './state.js';

/** The hands answer within milliseconds, within a quarter of a second while the kernel holds its lock. */
export const CHANGE_LATE: Ms = 5000;
/** A look that was promised and does not come is asked for. */
export const LOOK_LATE: Ms = 1000;
const UNFIT_FIRST: Ms = 30_000;
const UNFIT_LONGEST: Ms = 3_600_000;
const RETRY_FIRST: Ms = 50;
const RETRY_LONGEST: Ms = 10_000;

export interface Wish {
  kind: Change['kind'];
  to: NicObservation;
  cause: string;
  portfolio: Portfolio;
  evidence: Record<string, unknown>;
  operator: number | null;
  /** `mac: follow`: may the MAC move? Absent: not known yet. */
  mac?: 'mac' | 'plain';
}

/** Without IPv6 on the target, IPv6 stays where it is rather than failing the whole. */
export function fitting(portfolio: Portfolio, target: NicObservation): Portfolio {
  if (target.settings['ipv6/conf/{nic}/disable_ipv6'] !== '1') return portfolio;
  return {
    ...portfolio,
    addresses: portfolio.addresses.filter((x) => x.family === 4),
    routes: portfolio.routes.filter((x) => x.family === 4),
    neighbours: portfolio.neighbours.filter((x) => x.family === 4),
    groups: portfolio.groups.filter((group) => !group.includes(':')),
  };
}

export function planOf(turn: Turn, own: NodeNet, to: NicObservation, portfolio: Portfolio): Plan {
  const { world, state, now } = turn;
  const carrier = state.nets[own.net]?.carrier;
  const mine = nicsOf(own);
  return planMove({
    portfolio: fitting(aged(portfolio, now), to),
    home: own.primary,
    target: to,
    others: othersOf(world, own, to.nic),
    gone: carrier === undefined || carrier in world.host || carrier === to.nic ? [] : [carrier],
    beside: Object.values(world.host).filter((seen) => !mine.includes(seen.nic)),
    ledger: ledgerOf(turn, own),
  });
}

/** The ledger without what another net needs on a standby that it shares with this one. */
function ledgerOf({ state }: Turn, own: NodeNet): Ledger {
  const needed = (nic: string): Portfolio[] =>
    Object.values(state.nets).flatMap((net) => (net.net !== own.net && net.carrier === nic ? net.portfolio : []));
  const { ledger } = state;
  return {
    ...ledger,
    groups: ledger.groups.filter(({ nic, group }) => !needed(nic).some((x) => x.groups.includes(group))),
    neighbours: ledger.neighbours.filter(
      ({ nic, neighbour }) =>
        !needed(nic).some((x) => x.neighbours.some((y) => neighbourKey(y) === neighbourKey(neighbour))),
    ),
  };
}

/** False: nothing is to do. A switch is a change of its own even without a step, for the carrier changes. */
export function begin(turn: Turn, own: NodeNet, net: NetState, wish: Wish): boolean {
  const { state, now, out } = turn;
  if (mustTry(turn, own, net, wish)) return true;
  const plan = planOf(turn, own, wish.to, wish.portfolio);
  withMacs(turn, own, net, wish, plan);
  if (wish.kind === 'mend' && plan.steps.length === 0) return false;
  const { kind, cause, operator } = wish;
  const from = net.carrier;
  const to = wish.to.nic;
  const added = addedTo(to, plan.steps);
  const addresses = kind === 'switch' ? wish.portfolio.addresses.map((x) => x.local) : added;
  const { steps, undo } = plan;
  const id = state.nextId++;
  net.change = { id, kind, from, to, cause, at: now, steps, addresses: [...new Set(addresses)], operator, late: false };
  net.missingSince = {};
  if (kind === 'switch') {
    for (const { local } of net.portfolio.addresses) withdraw(state.announcer, net.net, local);
    const evidence = { ...wish.evidence, addresses: net.change.addresses, steps: steps.length };
    journal(turn, { event: 'switch-started', net: net.net, from, to, cause, evidence });
    record(turn, net.net, `switch from ${from} to ${to}`, cause, evidence);
  }
  out.push({ kind: 'change-host', id, steps, undo, record: runRecord(turn) });
  return true;
}

/** `host-changed` of a change of this net. */
export function finish(
  turn: Turn,
  own: NodeNet,
  net: NetState,
  failed: SwitchFailure | undefined,
  undone: boolean,
): void {
  const { world, now } = turn;
  const { change } = net;
  if (change === null) return;
  net.change = null;
  if (failed) net.macSet = null;
  net.unseen = touched(change.steps).filter((nic) => nicsOf(own).includes(nic) && nic in world.host);
  net.unseenSince = now;
  if (failed) fail(turn, net, change, failed, undone);
  else succeed(turn, own, net, change);
  clear(turn, `late ${net.net}`);
  persist(turn);
}

function succeed(turn: Turn, own: NodeNet, net: NetState, change: Change): void {
  const { world, state, now, out } = turn;
  const { from, to, cause } = change;
  state.ledger = booked(state.ledger, change.steps, homesOf(world.self));
  net.carrier = to;
  net.unfinished = null;
  net.dirty = true;
  net.retries = 0;
  delete state.unfit[to];
  clear(turn, `switch-failed ${net.net}`);
  const evidence = { addresses: change.addresses, steps: change.steps.length, tookMs: round(now - change.at) };
  if (change.kind === 'switch') {
    net.switches++;
    net.manual = cause === 'operator' && to !== own.primary;
    net.refused = null;
    journal(turn, { event: 'switch-done', net: net.net, from, to, cause, evidence });
  } else {
    const what = change.steps.map(({ do: verb }) => verb);
    journal(turn, {
      event: 'mended',
      net: net.net,
      nic: to,
      cause,
      evidence: { ...evidence, what: [...new Set(what)] },
    });
  }
  for (const address of change.addresses) announce(state.announcer, now, { net: net.net, nic: to, address, cause });
  if (change.operator !== null) {
    const kept = net.manual ? '; it stays there until you switch it back or the NIC fails' : '';
    const text = `${net.net} is on ${to} now: ${change.addresses.join(', ') || 'no addresses'}${kept}`;
    out.push({ kind: 'answer-operator', id: change.operator, answer: { ok: true, text, data: evidence } });
  }
}

function fail(turn: Turn, net: NetState, change: Change, failed: SwitchFailure, undone: boolean): void {
  const { world, state, now, out } = turn;
  const { from, to, cause, kind, steps, operator } = change;
  const step = steps[failed.step];
  const text = `${step ? `${step.do} on ${nicOf(step)}: ` : ''}${failed.code} ${failed.text}`.trim();
  const evidence = { step: failed.step, what: step ?? null, code: failed.code, text: failed.text, undone, kind };
  journal(turn, { event: 'switch-failed', net: net.net, from, to, cause, evidence });
  raise(turn, `switch-failed ${net.net}`, 'switch-failed', `${net.net} to ${to}: ${text}`);
  record(turn, net.net, `${kind} to ${to} failed`, failed.code, evidence);
  net.unfinished = null;
  net.dirty = true;
  // What was not taken back may lie on the target: the next mending takes it off.
  if (!undone) state.ledger = booked(state.ledger, steps.slice(0, failed.step), homesOf(world.self));
  // While they were there somebody may have learnt that they live there.
  for (const address of addedTo(to, steps.slice(0, failed.step)))
    announce(state.announcer, now, { net: net.net, nic: from, address, cause: 'rolled-back' });
  if (kind === 'switch' && step && nicOf(step) === to) {
    const times = (state.unfit[to]?.times ?? 0) + 1;
    state.unfit[to] = { until: now + Math.min(UNFIT_FIRST * 2 ** (times - 1), UNFIT_LONGEST), times };
  } else {
    net.retryAt = now + Math.min(RETRY_FIRST * 2 ** net.retries, RETRY_LONGEST);
    net.retries++;
  }
  if (operator !== null) {
    const answer = { ok: false, text: `${net.net} stays on ${from}: ${text}` } as const;
    out.push({ kind: 'answer-operator', id: operator, answer });
  }
}

/** Tells a change that the hands are late with, and asks for a look that did not come. */
export function watch(turn: Turn, net: NetState): void {
  const { now, out } = turn;
  const { change } = net;
  if (change && !change.late && now - change.at >= CHANGE_LATE) {
    change.late = true;
    raise(
      turn,
      `late ${net.net}`,
      'switch-failed',
      `${net.net} to ${change.to}: the kernel has not answered for ${CHANGE_LATE / 1000} s`,
    );
  }
  if (!change && net.unseen.length > 0 && now - net.unseenSince >= LOOK_LATE) {
    net.unseenSince = now;
    out.push({ kind: 'observe', nics: net.unseen });
    drop(turn.state, 'look-late');
  }
}

function addedTo(nic: string, steps: readonly Step[]): string[] {
  return steps.flatMap((step) => (step.do === 'add-address' && step.nic === nic ? step.address.local : []));
}

function touched(steps: readonly Step[]): string[] {
  return [...new Set(steps.map(nicOf))];
}

export function nicOf(step: Step): string {
  return 'route' in step ? step.route.nic : step.nic;
}

function round(ms: Ms): Ms {
  return Math.round(ms * 1000) / 1000;
}

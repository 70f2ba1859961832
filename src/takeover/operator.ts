/** What an operator asks of the local switch: a switch by hand, a lock, an unlock. */
import type { Ms } from '../input.js';
import type { OperatorAnswer, OperatorRequest } from '../status.js';
import { nicNames } from '../health/place.js';
import { journal } from './account.js';
import { begin, planOf } from './change.js';
import { bestOther, hindrance, lockText, words } from './choice.js';
import { persist } from './run-record.js';
import { nicsOf, type Turn } from './state.js';

/** Answers at once, but for a switch that begins: its outcome is the answer. */
export function operate(turn: Turn, id: number, request: OperatorRequest): void {
  switch (request.ask) {
    case 'link-switch': {
      const answer = linkSwitch(turn, id, request);
      if (answer) reply(turn, id, answer);
      return;
    }
    case 'link-lock':
      return reply(turn, id, lock(turn, request));
    case 'link-unlock':
      return reply(turn, id, unlock(turn, request));
    // The health stage's, and the package stage's.
    default:
      return;
  }
}

function reply({ out }: Turn, id: number, answer: OperatorAnswer): void {
  out.push({ kind: 'answer-operator', id, answer });
}

function no(text: string): OperatorAnswer {
  return { ok: false, text };
}

function linkSwitch(turn: Turn, id: number, request: OperatorRequest & { ask: 'link-switch' }): OperatorAnswer | null {
  const { world, state } = turn;
  const own = world.self.nets.find((x) => x.net === request.net);
  const net = state.nets[request.net];
  if (!own || !net)
    return no(`this node has no net ${request.net}; it has ${world.self.nets.map((x) => x.net).join(', ')}`);
  if (!state.ready) return no('the NICs were not looked at yet; try again in a moment');
  if (state.stopping) return no('the daemon is stopping');
  if (net.change || net.following || net.unseen.length > 0)
    return no(`${net.net} is being changed right now; try again in a moment`);
  if (net.unsuitable !== null) return no(`${net.net} is not served: ${net.unsuitable}`);
  const held = state.locks[net.carrier];
  if (held) return no(`${net.carrier} ${lockText(held.owner, held.reason)}`);
  const { best, why } = bestOther(turn, own, net.carrier, (verdict) => verdict.health !== 'down');
  const to = request.to ?? best;
  if (to === null) return no(`no other NIC of ${net.net} is fit: ${why.join('; ')}`);
  if (!nicsOf(own).includes(to)) return no(`${to} is not a NIC of ${net.net}; it has ${nicsOf(own).join(', ')}`);
  if (to === net.carrier) return no(`${net.net} is on ${to} already`);
  const reason =
    hindrance(turn, own, to) ?? (turn.verdict(to).health === 'down' ? `is ${words(turn.verdict(to))}` : null);
  const target = world.host[to];
  if (reason !== null || !target) return no(`${to} ${reason ?? 'is missing'}`);
  if (request.dryRun) {
    const { steps } = planOf(turn, own, target, net.portfolio);
    return {
      ok: true,
      text: `${net.net} goes from ${net.carrier} to ${to} in ${steps.length} steps`,
      data: { from: net.carrier, to, steps },
    };
  }
  journal(turn, { event: 'operator', net: net.net, from: net.carrier, to, cause: 'link-switch' });
  const evidence = { [net.carrier]: words(turn.verdict(net.carrier)), [to]: words(turn.verdict(to)) };
  begin(turn, own, net, {
    kind: 'switch',
    to: target,
    cause: 'operator',
    portfolio: net.portfolio,
    evidence,
    operator: id,
  });
  return null;
}

function lock(turn: Turn, request: OperatorRequest & { ask: 'link-lock' }): OperatorAnswer {
  const { world, state, now } = turn;
  const { nic, owner, reason, forMs } = request;
  if (!nicNames(world.self).includes(nic))
    return no(`${nic} is not a NIC of the cluster file on this node; those are ${nicNames(world.self).join(', ')}`);
  const held = state.locks[nic];
  if (held && held.owner !== owner) return no(`${nic} ${lockText(held.owner, held.reason)}`);
  const span = forMs === undefined ? 'until it is unlocked' : `for ${seconds(forMs)}`;
  const text = `no switch to or from ${nic} by itself ${span}`;
  if (request.dryRun) return { ok: true, text };
  state.locks[nic] = forMs === undefined ? { owner, reason } : { owner, reason, until: now + forMs };
  for (const net of Object.values(state.nets)) net.dirty = true;
  journal(turn, {
    event: 'link-locked',
    nic,
    cause: 'operator',
    evidence: { owner, reason, ...(forMs === undefined ? {} : { forMs }) },
  });
  persist(turn);
  return { ok: true, text };
}

function unlock(turn: Turn, { nic, dryRun }: OperatorRequest & { ask: 'link-unlock' }): OperatorAnswer {
  const { state } = turn;
  const held = state.locks[nic];
  if (!held) return no(`${nic} is not locked`);
  if (dryRun) return { ok: true, text: `${nic} ${lockText(held.owner, held.reason)}; it would be unlocked` };
  release(turn, nic, 'operator');
  persist(turn);
  return { ok: true, text: `${nic} is unlocked` };
}

/** Locks whose time is over. */
export function expireLocks(turn: Turn): void {
  for (const [nic, { until }] of Object.entries(turn.state.locks)) {
    if (until !== undefined && until <= turn.now) release(turn, nic, 'expired');
  }
}

function release(turn: Turn, nic: string, cause: string): void {
  const { state } = turn;
  const held = state.locks[nic];
  delete state.locks[nic];
  for (const net of Object.values(state.nets)) net.dirty = true;
  journal(turn, { event: 'link-unlocked', nic, cause, evidence: { ...held } });
}

function seconds(ms: Ms): string {
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms / 1000}s`;
}

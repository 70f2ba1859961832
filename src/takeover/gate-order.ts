/**
 * What the gate is told (MEMBERSHIP 6). Level-triggered: the newest wish is compared with what was last ordered.
 *
 *   jobs, lease ──wish──▶ same as last ordered? ──no──▶ write-gate ──▶ gate-written ──▶ known
 *
 * One write is under way at a time, so that a hand that is held up finds one to do and not twenty; but what takes a right
 * away does not wait for an answer.
 */
import type { Cluster } from '../config/cluster.js';
import type { GateOutcome, Ms } from '../input.js';
import { clear, journal, raise } from './account.js';
import type { GateState, GateWish } from './floating-state.js';
import type { Turn } from './state.js';

const RETRY_FIRST: Ms = 5;
const RETRY_LONGEST: Ms = 1000;
const REFUSALS_UNTIL_ALARM = 3;
/** So long an alarm tells of rules that somebody flushed. */
const LOST_TOLD: Ms = 60_000;

export function hasGate(cluster: Cluster): boolean {
  return cluster.packages.length > 0 && cluster.fence === 'gate';
}

export const CLOSED: GateWish = { held: [], leaseEnd: null };

/** Orders what is wished, if it is not ordered already. */
export function orderGate(turn: Turn, wish: GateWish): void {
  const { state, now, out } = turn;
  const { gate } = state.floating;
  const newest = gate.pending.at(-1) ?? gate.known;
  const isSure = !gate.again && (gate.doubtful.length === 0 || gate.pending.length > 0);
  if (newest !== null && isSure && isSame(newest, wish)) return;
  if (now < gate.retryAt && gate.refused === shape(wish)) return;
  if (gate.pending.length > 0 && !(newest !== null && narrows(newest, wish))) return;
  const id = state.nextId++;
  gate.pending.push({ id, ...wish });
  gate.again = false;
  out.push({ kind: 'write-gate', id, held: wish.held, leaseEnd: wish.leaseEnd });
}

function isSame(a: GateWish, b: GateWish): boolean {
  return a.leaseEnd === b.leaseEnd && shape(a) === shape(b);
}

function shape({ held, leaseEnd }: GateWish): string {
  return leaseEnd === null ? 'closed' : held.join(' ');
}

/** Does `wish` take away what `before` gave? */
function narrows(before: GateWish, wish: GateWish): boolean {
  if (before.leaseEnd === null) return false;
  if (wish.leaseEnd === null) return true;
  const held = new Set(wish.held);
  return before.held.some((address) => !held.has(address));
}

export function gateWritten(turn: Turn, id: number, outcome: GateOutcome, tookMs: Ms): void {
  const { state, now } = turn;
  const { gate } = state.floating;
  const written = gate.pending.find((order) => order.id === id);
  if (written === undefined) return;
  gate.pending = gate.pending.filter((order) => order.id > id);
  const { held, leaseEnd } = written;
  if (outcome.ok) {
    tellChange(turn, gate.known, written);
    gate.known = { held, leaseEnd };
    gate.doubtful = [];
    gate.refusals = 0;
    gate.retryAt = 0;
    clear(turn, 'gate refused');
    return;
  }
  // The kernel's answer may be what failed. One that is late changed nothing.
  if (outcome.why === 'failed') gate.doubtful = [...new Set([...gate.doubtful, ...held])];
  gate.refused = shape(written);
  // At once the first time: a fresh element and a fresh check may well be in time.
  gate.retryAt = gate.refusals === 0 ? now : now + Math.min(RETRY_FIRST * 2 ** gate.refusals, RETRY_LONGEST);
  gate.refusals++;
  const text = outcome.why === 'failed' ? outcome.text : 'later than renewLateMax';
  const evidence = { text, tookMs: Math.round(tookMs * 1000) / 1000, times: gate.refusals, addresses: held.length };
  journal(turn, { event: 'gate', cause: outcome.why, evidence });
  if (gate.refusals >= REFUSALS_UNTIL_ALARM)
    raise(turn, 'gate refused', 'gate-refused', `the gate is not written: ${text}`);
}

function tellChange(turn: Turn, before: GateWish | null, after: GateWish): void {
  const from = before === null ? undefined : stateOf(before);
  const to = stateOf(after);
  if (from === to && before !== null && shape(before) === shape(after)) return;
  journal(turn, {
    event: 'gate',
    ...(from === undefined ? {} : { from }),
    to,
    cause: after.leaseEnd === null ? 'nothing-held' : 'held',
    evidence: { addresses: after.leaseEnd === null ? 0 : after.held.length },
  });
}

function stateOf({ held, leaseEnd }: GateWish): 'open' | 'closed' {
  return leaseEnd === null || held.length === 0 ? 'closed' : 'open';
}

/** Somebody flushed the rules; they are there again, closed. */
export function gateLost(turn: Turn, text: string): void {
  const { gate } = turn.state.floating;
  gate.known = { ...CLOSED };
  gate.doubtful = [];
  gate.again = gate.pending.length > 0;
  gate.lostAt = turn.now;
  journal(turn, { event: 'gate', to: 'closed', cause: 'flushed', evidence: { text } });
  raise(turn, 'gate flushed', 'gate-flushed', `somebody removed the gate, it was put back: ${text}`);
}

/** Might the gate let that address speak, by anything that was ever ordered? A gate not yet known lets nothing new in. */
export function mayPass(gate: GateState, address: string): boolean {
  const lets = ({ held, leaseEnd }: GateWish): boolean => leaseEnd !== null && held.includes(address);
  return (gate.known !== null && lets(gate.known)) || gate.pending.some(lets) || gate.doubtful.includes(address);
}

/** Does it surely let all of them speak now? */
export function isOpenFor(gate: GateState, now: Ms, addresses: readonly string[]): boolean {
  const { known } = gate;
  if (known === null || known.leaseEnd === null || known.leaseEnd <= now) return false;
  const held = new Set(known.held);
  return addresses.every((address) => held.has(address));
}

export function gateStatus(turn: Pick<Turn, 'world' | 'state'>, now: Ms): 'open' | 'closed' | 'off' {
  if (!hasGate(turn.world.cluster)) return 'off';
  const { known } = turn.state.floating.gate;
  if (known === null || known.leaseEnd === null || known.leaseEnd <= now) return 'closed';
  return known.held.length > 0 ? 'open' : 'closed';
}

export function endGateAlarm(turn: Turn): void {
  const { gate } = turn.state.floating;
  if (gate.lostAt === null || turn.now < gate.lostAt + LOST_TOLD) return;
  gate.lostAt = null;
  clear(turn, 'gate flushed');
}

/** When time alone matters to it; Infinity: never. */
export function gateDeadline(gate: GateState, now: Ms): Ms {
  const retry = gate.retryAt > now ? gate.retryAt : Infinity;
  return Math.min(retry, gate.lostAt === null ? Infinity : gate.lostAt + LOST_TOLD);
}

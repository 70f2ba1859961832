import { ETHERTYPE_POLL } from '../../frame/ethernet.js';
import type { Action } from '../../action.js';
import type { Input, Ms } from '../../input.js';
import { Node } from '../../node.js';
import type { Facts, Invariant } from './invariant.js';

/** What came of a bad input is counted, and from many of them comes an alarm: that is no harm. */
const COUNTS: ReadonlySet<string> = new Set([
  ...['dropped', 'alarms', 'badSeals', 'badSealAt', 'otherClusterAt', 'otherFileAt', 'ownAt', 'strangers'],
]);
/** So many of each run are looked at, then one in so many: a look costs as much as a hundred inputs. */
const ALL_OF = 32;
const THEN_ONE_IN = 16;

interface Sender {
  node: string;
  incarnation: string;
}

/** It knew the key of none of these, so it took none. */
const UNREAD = ['heartbeat-key', 'poll-key'];

/** What is being taken for the first time: noted in `places` as of `where`. */
interface First {
  places: Set<string>;
  where: string;
  unread: number;
}

interface Look {
  twin: Node;
  at: Ms;
  /** In the place of the bad input: the same with nothing in it. */
  noise: Input;
  what: string;
}

const NOTHING = new Uint8Array(0);

function emptied(input: Input): Input {
  return 'bytes' in input ? { ...input, bytes: NOTHING } : input;
}

function bytesOf(input: Input): Uint8Array | null {
  if (input.kind === 'datagram-received' || input.kind === 'serial-received') return input.bytes;
  if (input.kind !== 'frame-received') return null;
  return ((input.bytes[12] ?? 0) << 8) + (input.bytes[13] ?? 0) === ETHERTYPE_POLL ? input.bytes : null;
}

function unreadBy({ state }: Node): number {
  return UNREAD.reduce((sum, reason) => sum + (state.health.dropped[reason] ?? 0), 0);
}

type Data = Readonly<Record<string, unknown>>;

function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null;
}

/** Of plain data. structuredClone() takes five times as long. */
function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyOf) as T;
  if (!isData(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const key in value) copy[key] = copyOf(value[key]);
  return copy as T;
}

/** But for counts. What is undefined is as good as absent. */
function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (!isData(one) || !isData(other) || Array.isArray(one) !== Array.isArray(other)) return one === other;
  let more = 0;
  for (const key in other) if (other[key] !== undefined) more++;
  for (const key in one) {
    if (one[key] !== undefined) more--;
    // Most of it is the same: only what is not is looked up among the counts.
    if (!isSame(one[key], other[key]) && !COUNTS.has(key)) return false;
  }
  // As many of them, and none differs.
  if (more === 0) return true;
  for (const key in other) if (one[key] === undefined && other[key] !== undefined && !COUNTS.has(key)) return false;
  return true;
}

function gist(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => (COUNTS.has(key) ? undefined : inner));
}

/**
 * S5: malformed, forged, replayed, foreign input is inert: it does no more than an empty frame or
 * datagram in its place, its count aside.
 * Bad is what no daemon of this cluster sent as it came, and what the same run took before, byte for byte and on the same NIC,
 * from a daemon whose session it had accepted, and under a key that it knew (what came before that may be told once more).
 * Who sent it is known in the simulator only; in a recording it is bad if no key opened it.
 */
export class InertInput implements Invariant {
  readonly name = 'S5';
  readonly #facts: Facts;
  readonly #sent = new WeakMap<Uint8Array, Sender>();
  /** Node → what its present run took, and where. */
  readonly #taken = new Map<string, WeakMap<Uint8Array, Set<string>>>();
  /** Node → of the input that it is taking. */
  readonly #first = new Map<string, First>();
  readonly #seen = new Map<string, number>();
  readonly #looks = new Map<string, Look>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  stepping(node: string, input: Input, machine: Node, at: Ms): void {
    if (input.kind === 'started') this.#taken.set(node, new WeakMap());
    const bytes = bytesOf(input);
    if (bytes === null) return;
    const why = this.#badness(node, input, bytes, machine);
    // With something due the input is only the occasion for it.
    if (why === null || machine.deadline() <= at || !this.#isTurn(node)) return;
    const state = copyOf(machine.state);
    const twin = new Node(machine.options, at, state);
    this.#looks.set(node, { twin, at, noise: emptied(input), what: `${why} ${input.kind}` });
  }

  stepped(node: string, _input: Input, actions: readonly Action[], machine: Node): void {
    for (const action of actions)
      if (action.kind === 'send-frame' || action.kind === 'send-datagram' || action.kind === 'send-serial')
        this.#sent.set(action.bytes, { node, incarnation: machine.options.incarnation });
    const first = this.#first.get(node);
    this.#first.delete(node);
    if (first && unreadBy(machine) > first.unread) first.places.delete(first.where);
    const look = this.#looks.get(node);
    if (look === undefined) return;
    this.#looks.delete(node);
    const { twin, at, noise, what } = look;
    const spontaneous = twin.step(at, noise).filter(isEffect);
    const done = actions.filter(isEffect);
    if (!isSame(done, spontaneous))
      this.#facts.violated(
        'S5',
        `${node} answers a ${what} by ${done.map(({ kind }) => kind).join(', ') || 'silence'}`,
      );
    if (isSame(twin.state, machine.state)) return;
    const change = difference(gist(twin.state), gist(machine.state));
    this.#facts.violated('S5', `a ${what} changed the state of ${node}: ${change}`);
  }

  #badness(node: string, input: Input, bytes: Uint8Array, machine: Node): string | null {
    if (this.#facts.isUnopened) return 'forged';
    if (this.#facts.lab === null) return null;
    const sender = this.#sent.get(bytes);
    if (sender === undefined) return input.kind === 'serial-received' ? null : 'forged';
    const where = 'nic' in input ? `${input.nic} ${'to' in input ? input.to : ''}` : 'line';
    const taken = this.#taken.get(node);
    const session = machine.state.health.sessions[sender.node];
    if (sender.node !== node && session?.accepted !== sender.incarnation) return null;
    const places = taken?.get(bytes) ?? new Set<string>();
    taken?.set(bytes, places);
    if (places.has(where)) return 'replayed';
    places.add(where);
    this.#first.set(node, { places, where, unread: unreadBy(machine) });
    return null;
  }

  #isTurn(node: string): boolean {
    const seen = (this.#seen.get(node) ?? 0) + 1;
    this.#seen.set(node, seen);
    return seen <= ALL_OF || seen % THEN_ONE_IN === 0;
  }
}

/** Journals and alarms tell of it. */
function isEffect({ kind }: Action): boolean {
  return kind !== 'journal';
}

function difference(was: string, is: string): string {
  let at = 0;
  while (at < was.length && was[at] === is[at]) at++;
  const from = Math.max(0, at - 80);
  return `…${was.slice(from, at + 60)}… became …${is.slice(from, at + 60)}…`;
}

/**
 * The judge of S1 on the kernel. Probers on the switches ask every 20 ms who has each floating address (prober/watcher.c);
 * this keeps what they tell. What counts as two holders, and nothing else does:
 *
 *   - two nodes answer the same question, or
 *   - one node answers before and after an answer of another, its two answers at most 60 ms apart: then it had the address
 *     all the while. This joins what is seen on two switches that do not hear each other.
 *
 * Answers of clients are a stranger's, and no node's.
 */
import type { Hold, Overlap } from '../lab.js';
import type { Watched } from './prober.js';

/** Three questions. */
const AROUND_MAX_MS = 60;
/** Answers of one node that are further apart are two times of holding: five questions. */
const HELD_MAX_MS = 100;
/** So many of its newest questions may have gone unanswered by a holder: one is under way. */
const UNANSWERED = 2;
const KEPT = 16;

interface Answer {
  node: string;
  watcher: string;
  round: number;
  at: number;
}

export class Watch {
  readonly #nodeOf: (mac: string, at: number) => string | null;
  /** Watcher → its newest rounds and when they were asked. */
  readonly #rounds = new Map<string, { newest: number; asked: Map<number, number> }>();
  /** Address → newest answers, by arrival. */
  readonly #answers = new Map<string, Answer[]>();
  readonly #overlaps: Overlap[] = [];
  readonly #holds: Hold[] = [];
  /** Address → every node that ever answered for it. */
  readonly #holders = new Map<string, Set<string>>();

  constructor(nodeOf: (mac: string, at: number) => string | null) {
    this.#nodeOf = nodeOf;
  }

  take(watcher: string, told: Watched): void {
    const rounds = this.#rounds.get(watcher) ?? { newest: 0, asked: new Map<number, number>() };
    this.#rounds.set(watcher, rounds);
    if ('asked' in told) {
      rounds.newest = told.round;
      rounds.asked.set(told.round, told.asked);
      rounds.asked.delete(told.round - KEPT);
      return;
    }
    const node = this.#nodeOf(told.mac, told.at);
    if (node === null) return;
    this.#holders.set(told.who, (this.#holders.get(told.who) ?? new Set()).add(node));
    this.#hold(told.who, node, told.at);
    const answer = { node, watcher, round: told.round, at: told.at };
    const before = this.#answers.get(told.who) ?? [];
    const others = before.filter((one) => one.node !== node);
    for (const other of others) {
      if (other.watcher === watcher && other.round === told.round) {
        const asked = rounds.asked.get(told.round) ?? Math.min(other.at, told.at);
        this.#tell(told.who, [other.node, node], asked, Math.max(other.at, told.at));
      }
    }
    const answers = [...before, answer].sort((a, b) => a.at - b.at).slice(-KEPT);
    this.#answers.set(told.who, answers);
    if (others.length > 0) this.#lookAround(told.who, answers);
  }

  #lookAround(address: string, answers: readonly Answer[]): void {
    answers.forEach((first, i) => {
      const again = answers.findIndex((one, k) => k > i && one.node === first.node);
      const between = answers.slice(i + 1, Math.max(i + 1, again)).find((one) => one.node !== first.node);
      if (!between || answers[again]!.at - first.at > AROUND_MAX_MS) return;
      this.#tell(address, [first.node, between.node], first.at, answers[again]!.at);
    });
  }

  /** One that touches the last of the same address makes it longer. */
  #tell(address: string, nodes: readonly string[], fromMs: number, toMs: number): void {
    const last = this.#overlaps.findLast((one) => one.address === address);
    if (last && fromMs <= last.toMs + AROUND_MAX_MS) {
      last.fromMs = Math.min(last.fromMs, fromMs);
      last.toMs = Math.max(last.toMs, toMs);
      last.nodes = [...new Set([...last.nodes, ...nodes])].sort();
    } else this.#overlaps.push({ address, nodes: [...new Set(nodes)].sort(), fromMs, toMs });
  }

  #hold(address: string, node: string, at: number): void {
    const last = this.#holds.findLast((one) => one.address === address && one.node === node);
    if (last && at <= last.toMs + HELD_MAX_MS) last.toMs = Math.max(last.toMs, at);
    else this.#holds.push({ address, node, fromMs: at, toMs: at });
  }

  /** Node that answered last, if it answered one of the newest questions. */
  holder(address: string): string | null {
    const late = (answer: Answer): boolean =>
      answer.round < (this.#rounds.get(answer.watcher)?.newest ?? 0) - UNANSWERED;
    return this.#answers.get(address)?.findLast((answer) => !late(answer))?.node ?? null;
  }

  /** The first one first. */
  holders(address: string): string[] {
    return [...(this.#holders.get(address) ?? [])];
  }

  /** Times are counted from `zero`. */
  holds(zero: number): Hold[] {
    return this.#holds.map((one) => ({ ...one, fromMs: one.fromMs - zero, toMs: one.toMs - zero }));
  }

  /** Times are counted from `zero`. */
  overlaps(zero: number): Overlap[] {
    return this.#overlaps.map((one) => ({ ...one, fromMs: one.fromMs - zero, toMs: one.toMs - zero }));
  }
}

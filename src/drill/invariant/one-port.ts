import type { Stay } from '../../../drivers/lab.js';
import type { Ms } from '../../input.js';
import type { JournalEntry } from '../../status.js';
import type { Invariant, Scene } from './invariant.js';

/** A switch that sees a MAC at two ports within this time takes it for a loop, or for an attack. */
const WITHIN_MS: Ms = 1000;

/** Journal and wire tell one moment by two clocks. */
const ROUNDING_MS: Ms = 0.5;

type Entry = JournalEntry & { node: string };

/** The record of a node that takes a MAC over excuses its next move, if it was made while another NIC had it. */
function isRecorded(from: Stay, to: Stay, journal: readonly Entry[]): boolean {
  return journal.some(
    ({ event, node, nic, at, evidence }) =>
      event === 'mac-taken' &&
      node === to.node &&
      nic === to.nic &&
      evidence?.['mac'] === to.mac &&
      at >= from.fromMs &&
      at <= to.fromMs + ROUNDING_MS,
  );
}

/** A bond speaks under one MAC by whichever of its ports works; what it told of them comes right after. */
function isWithinLag(from: Stay, to: Stay, journal: readonly Entry[]): boolean {
  if (from.node !== to.node) return false;
  return journal.some(
    ({ event, node, cause, at }) =>
      event === 'port' &&
      node === to.node &&
      (cause === from.nic || cause === to.nic) &&
      Math.abs(at - to.fromMs) < WITHIN_MS,
  );
}

function wordsOf(from: Stay, to: Stay): string {
  const afterMs = Math.max(0, to.fromMs - from.toMs).toFixed(1);
  const way = `from ${to.node}.${to.nic} at ${to.fromMs.toFixed(0)} ms, ${afterMs} ms after ${from.node}.${from.nic}`;
  return `${to.mac} is sent ${way}, and that is no recorded move`;
}

function isWrong(from: Stay, to: Stay, journal: readonly Entry[]): boolean {
  if (to.fromMs - from.toMs >= WITHIN_MS) return false;
  return !isRecorded(from, to, journal) && !isWithinLag(from, to, journal);
}

/** S8 over a whole drill, in words. `stays`: those of a MAC by time; all times are the drill's. */
export function strayMacs(stays: readonly Stay[], journal: readonly Entry[]): string[] {
  const last = new Map<string, Stay>();
  const wrong: string[] = [];
  for (const stay of stays) {
    const from = last.get(stay.mac);
    if (from && isWrong(from, stay, journal)) wrong.push(`S8: ${wordsOf(from, stay)}`);
    last.set(stay.mac, stay);
  }
  return wrong;
}

/** S8: no MAC is sent from two switch ports within a second, the recorded move aside. */
export class OnePort implements Invariant {
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  macMoved(from: Stay, to: Stay): void {
    const { lab } = this.#scene;
    const inDrill = (stay: Stay): Stay => ({
      ...stay,
      fromMs: lab.drillTime(stay.fromMs),
      toMs: lab.drillTime(stay.toMs),
    });
    if (isWrong(inDrill(from), inDrill(to), lab.journal())) this.#scene.violated('S8', wordsOf(from, to));
  }
}

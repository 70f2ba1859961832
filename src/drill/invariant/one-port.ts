import type { Stay } from '../../../drivers/lab.js';
import type { Ms } from '../../input.js';
import { floatingAddresses } from '../../takeover/floating-address.js';
import { hasGate } from '../../takeover/gate-order.js';
import type { Facts, Invariant, Told } from './invariant.js';

/** A switch that sees a MAC at two ports within this time takes it for a loop, or for an attack. */
const WITHIN_MS: Ms = 1000;

/** Journal and wire tell one moment by two clocks. */
const ROUNDING_MS: Ms = 0.5;

/** Moves of MACs are rare: far more than may lie within a second. */
const KEPT = 256;

/** The record of a node that takes a MAC over excuses its next move, if it was made while another NIC had it. */
function isRecorded(from: Stay, to: Stay, journal: readonly Told[]): boolean {
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
function isWithinLag(from: Stay, to: Stay, journal: readonly Told[]): boolean {
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

function isWrong(from: Stay, to: Stay, journal: readonly Told[]): boolean {
  if (to.fromMs - from.toMs >= WITHIN_MS) return false;
  return !isRecorded(from, to, journal) && !isWithinLag(from, to, journal);
}

/** S8 over a whole drill, in words. `stays`: those of a MAC by time; all times are the drill's. */
export function strayMacs(stays: readonly Stay[], journal: readonly Told[]): string[] {
  const last = new Map<string, Stay>();
  const wrong: string[] = [];
  for (const stay of stays) {
    const from = last.get(stay.mac);
    if (from && isWrong(from, stay, journal)) wrong.push(`S8: ${wordsOf(from, stay)}`);
    last.set(stay.mac, stay);
  }
  return wrong;
}

/**
 * S8: no MAC is sent from two switch ports within a second, the recorded move aside. Exceptions are those of S1, between nodes:
 * one whose rules somebody flushed, for nothing keeps its kernel from answering; two that both hold the address, or are about
 * to, where each is its own quorum, or where there is no gate, and all that for the second in which a switch remembers. What
 * either has sent its rightful holder takes back.
 */
export class OnePort implements Invariant {
  readonly name = 'S8';
  readonly #facts: Facts;
  /** Of `mac-taken` and `port`, the newest last. */
  #recorded: Told[] = [];
  /** MAC → when it began to be sent from where an exception let it. */
  readonly #excused = new Map<string, Ms>();
  /** Node → when its rules were last seen gone, `MAC node` → when that node last answered for an address of it. */
  readonly #lastSeen = new Map<string, Ms>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  changed(): void {
    const { cluster, nodes } = this.#facts;
    for (const node of nodes) if (this.#isGateless(node)) this.#lastSeen.set(node, this.#facts.now());
    if (cluster.quorum !== 'none') return;
    for (const { mac, prefix } of floatingAddresses(cluster))
      if (mac !== undefined)
        for (const node of this.#facts.answering(prefix.address))
          this.#lastSeen.set(`${mac} ${node}`, this.#facts.now());
  }

  #wasSeen(what: string): boolean {
    return this.#facts.now() - (this.#lastSeen.get(what) ?? -Infinity) < WITHIN_MS;
  }

  journalled(entry: Told): void {
    if (entry.event !== 'mac-taken' && entry.event !== 'port') return;
    this.#recorded.push(entry);
    if (this.#recorded.length > KEPT) this.#recorded.splice(0, KEPT / 2);
  }

  macMoved(from: Stay, to: Stay): void {
    const { nodes } = this.#facts;
    // Stays grow longer as frames follow.
    const [was, is] = [{ ...from }, { ...to }];
    if (!nodes.includes(from.node) || !nodes.includes(to.node) || !isWrong(was, is, this.#recorded)) return;
    if (from.node !== to.node) {
      if (!this.#isExcused(was, is)) this.#facts.violated('S8', wordsOf(was, is));
      return;
    }
    // A bond tells of its ports right afterwards.
    this.#facts.after(WITHIN_MS, () => {
      if (isWrong(was, is, this.#recorded)) this.#facts.violated('S8', wordsOf(was, is));
    });
  }

  #isExcused(from: Stay, to: Stay): boolean {
    const wasExcused = this.#excused.get(from.mac) === from.fromMs;
    this.#excused.delete(from.mac);
    const { cluster } = this.#facts;
    // Nothing stops the kernel of a frozen or dead holder.
    const isDual =
      !hasGate(cluster) ||
      (cluster.quorum === 'none' &&
        (this.#holds(from) || this.#hasTaken(from) || this.#wasSeen(`${from.mac} ${from.node}`)));
    const isHeir = this.#holds(to) || this.#hasTaken(to);
    const isRightful = (wasExcused || isDual || this.#isFlushed(from.node)) && isHeir;
    const isExcused = this.#isFlushed(to.node) || isRightful;
    if (isExcused && (isDual || this.#isFlushed(to.node))) this.#excused.set(to.mac, to.fromMs);
    return isExcused;
  }

  #isFlushed(node: string): boolean {
    return this.#isGateless(node) || this.#wasSeen(node);
  }

  #isGateless(node: string): boolean {
    return hasGate(this.#facts.cluster) && !this.#facts.host(node).gateStands;
  }

  /** Was it that node that took the MAC over last? It tries it before it has the address. */
  #hasTaken({ mac, node }: Stay): boolean {
    const taken = this.#recorded.findLast(({ event, evidence }) => event === 'mac-taken' && evidence?.['mac'] === mac);
    return taken?.node === node;
  }

  /** Does that node answer for an address that has that MAC? */
  #holds({ mac, node }: Stay): boolean {
    const addresses = floatingAddresses(this.#facts.cluster).filter((floating) => floating.mac === mac);
    return addresses.some(({ prefix }) => this.#facts.answering(prefix.address).includes(node));
  }
}

/** A cable between two ends. Its faults are devices in the wire: cut, frames dropped one way or both, random loss. */
import type { Random } from './random.js';
import { HOPS_MAX, type Frame, type World } from './wire.js';

/** What a cable can be plugged into: a NIC, or a port of a bridge. */
export interface CableEnd {
  /** Does this end send light? */
  powered(): boolean;
  carrierChanged(carrier: boolean): void;
  /** `hops`: cables crossed so far. */
  receive(frame: Frame, hops: number): void;
}

export class Cable {
  readonly ends: readonly [CableEnd, CableEnd];
  /** Faults: frames towards end 0, towards end 1, are lost. */
  readonly drops: [boolean, boolean] = [false, false];
  readonly #world: World;
  readonly #random: Random;
  #lossPercent = 0;
  #cut = false;
  #carrier = false;

  constructor(world: World, name: string, one: CableEnd, other: CableEnd) {
    this.#world = world;
    this.#random = world.random.stream(`cable ${name}`);
    this.ends = [one, other];
  }

  get carrier(): boolean {
    return this.#carrier;
  }

  set cut(cut: boolean) {
    this.#cut = cut;
    this.look();
  }

  drop(towards: 0 | 1, dropped: boolean): void {
    this.drops[towards] = dropped;
    this.#world.changed();
  }

  lose(percent: number): void {
    this.#lossPercent = percent;
    this.#world.changed();
  }

  /** To be called when an end gained or lost its power. */
  look(): void {
    const carrier = !this.#cut && this.ends[0].powered() && this.ends[1].powered();
    if (carrier === this.#carrier) return;
    this.#carrier = carrier;
    this.ends[0].carrierChanged(carrier);
    this.ends[1].carrierChanged(carrier);
    this.#world.changed();
  }

  send(from: CableEnd, frame: Frame, hops: number): void {
    const towards = from === this.ends[0] ? 1 : 0;
    if (!this.#carrier || this.drops[towards] || hops >= HOPS_MAX) return;
    if (this.#lossPercent > 0 && this.#loses(frame)) return;
    this.ends[towards].receive(frame, hops + 1);
  }

  #loses(frame: Frame): boolean {
    const passes = 1 - this.#lossPercent / 100;
    const trace = frame.packet?.trace;
    if (trace === undefined || trace.chance === null) return this.#random.unit() >= passes;
    trace.chance *= passes;
    return false;
  }
}

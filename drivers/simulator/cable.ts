/** A cable between two ends. Its faults are devices in the wire: cut, frames dropped one way or both, lost, doubled, held up at random. */
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_POLL } from '../../src/frame/ethernet.js';
import type { Ms } from '../../src/input.js';
import type { Random } from './random.js';
import { HOPS_MAX, type Frame, type World } from './wire.js';

/** How long a frame is held up that others overtake, or that comes twice. */
const HELD_UP_MS: { from: Ms; to: Ms } = { from: 0.05, to: 20 };

/** As much as a switch keeps for a port; what comes on top is lost. */
const CLOGGED_MAX = 5000;

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
  /** Fault: towards end 1 only frames with this source pass; null: all. */
  bound: string | null = null;
  /** Fault: what each frame takes beside its own time. */
  delayMs: Ms = 0;
  readonly #world: World;
  readonly #random: Random;
  /** Fault: what waits in it; null: nothing does. */
  #clogged: { frame: Frame; end: CableEnd; hops: number }[] | null = null;
  #lossPercent = 0;
  #corruptPercent = 0;
  #duplicatePercent = 0;
  #reorderPercent = 0;
  #cut = false;
  #closed = false;
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

  /** The port that it is plugged into was set down by a fence device, whatever else befalls it. */
  get closed(): boolean {
    return this.#closed;
  }

  set closed(closed: boolean) {
    this.#closed = closed;
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

  corrupt(percent: number): void {
    this.#corruptPercent = percent;
  }

  /** What is sent waits; what this gives back lets it all go, in its order. */
  clog(): () => void {
    this.#clogged ??= [];
    return () => {
      const waiting = this.#clogged ?? [];
      this.#clogged = null;
      for (const { frame, end, hops } of waiting) if (this.#carrier) end.receive(frame, hops);
    };
  }

  duplicate(percent: number): void {
    this.#duplicatePercent = percent;
  }

  reorder(percent: number): void {
    this.#reorderPercent = percent;
  }

  /** Can a frame come through towards that end, bad luck aside? */
  passes(towards: 0 | 1): boolean {
    return this.#carrier && !this.drops[towards];
  }

  /** To be called when an end gained or lost its power. */
  look(): void {
    const carrier = !this.#cut && !this.#closed && this.ends[0].powered() && this.ends[1].powered();
    if (carrier === this.#carrier) return;
    this.#carrier = carrier;
    this.ends[0].carrierChanged(carrier);
    this.ends[1].carrierChanged(carrier);
    this.#world.changed();
  }

  send(from: CableEnd, frame: Frame, hops: number): void {
    const towards = from === this.ends[0] ? 1 : 0;
    if (!this.#carrier || this.drops[towards] || hops >= HOPS_MAX) return;
    if (towards === 1 && this.bound !== null && frame.source !== this.bound) return;
    if (this.#lossPercent > 0 && this.#loses(frame)) return;
    const end = this.ends[towards];
    if (frame.packet === undefined && this.#isDisturbed()) this.#sendDisturbed(end, frame, hops + 1);
    else end.receive(frame, hops + 1);
  }

  #isDisturbed(): boolean {
    return (
      this.#duplicatePercent + this.#reorderPercent + this.#corruptPercent + this.delayMs > 0 || this.#clogged !== null
    );
  }

  #sendDisturbed(end: CableEnd, sent: Frame, hops: number): void {
    const frame = this.#strikes(this.#corruptPercent) ? damaged(sent, this.#random) : sent;
    if (frame === null) return;
    if (this.#strikes(this.#duplicatePercent)) this.#receiveLate(end, frame, hops);
    if (this.#strikes(this.#reorderPercent)) this.#receiveLate(end, frame, hops);
    else if (this.#clogged !== null) {
      if (this.#clogged.length < CLOGGED_MAX) this.#clogged.push({ frame, end, hops });
    } else if (this.delayMs > 0) this.#receiveAfter(this.delayMs, end, frame, hops);
    else end.receive(frame, hops);
  }

  #strikes(percent: number): boolean {
    return percent > 0 && this.#random.unit() < percent / 100;
  }

  #receiveLate(end: CableEnd, frame: Frame, hops: number): void {
    this.#receiveAfter(this.delayMs + this.#random.between(HELD_UP_MS.from, HELD_UP_MS.to), end, frame, hops);
  }

  #receiveAfter(ms: Ms, end: CableEnd, frame: Frame, hops: number): void {
    this.#world.clock.after(ms, () => {
      if (this.#carrier) end.receive(frame, hops);
    });
  }

  #loses(frame: Frame): boolean {
    const passes = 1 - this.#lossPercent / 100;
    const trace = frame.packet?.trace;
    if (trace === undefined || trace.chance === null) return this.#random.unit() >= passes;
    trace.chance *= passes;
    return false;
  }
}

/**
 * One bit is wrong that no checksum of the wire saw. Null: nobody receives it, for the kernel drops what it can tell to be
 * damaged, and what is not baton's it can.
 */
function damaged(frame: Frame, random: Random): Frame | null {
  const content = frame.datagram?.content;
  if (content instanceof Uint8Array)
    return { ...frame, datagram: { ...frame.datagram!, content: flipped(content, 0, random) } };
  if (frame.etherType !== ETHERTYPE_POLL) return null;
  return { ...frame, bytes: flipped(frame.bytes, ETHERNET_HEADER_LENGTH, random) };
}

/** A second flip, on another cable, might make them whole again. */
const damagedBytes = new WeakSet<Uint8Array>();

function flipped(bytes: Uint8Array, from: number, random: Random): Uint8Array {
  if (damagedBytes.has(bytes)) return bytes;
  const copy = bytes.slice();
  damagedBytes.add(copy);
  const at = from + Math.floor(random.unit() * (bytes.length - from));
  if (at < copy.length) copy[at]! ^= 1 << Math.floor(random.unit() * 8);
  return copy;
}

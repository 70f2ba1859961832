/**
 * The two transactions of a renewal (MEMBERSHIP G2, G4), made once and sent again and again: what changes are the token's key
 * and the time-out, so the cost does not depend on the number of addresses.
 */
import { randomBytes } from 'node:crypto';
import type { Ms } from '../../../src/input.js';
import { encodeBatch, type Batch } from '../netlink/batch.js';
import { addElements, deleteElements, flushSet, type Draft } from '../netlink/nftables.js';
import { addAddresses, ARP, INET, PROTOCOL, TOKEN_BYTES } from './rules.js';

/** Looked for in what was encoded, to find where the kernel wants the real ones. */
const KEY_MARK = Buffer.from('b1e55edc0ffe', 'hex');
const TIMEOUT_MARK_MS = 0x0001_6b5a_1c3d_2e4f;

/** Enough for V8's optimizing compiler to look at it. */
const REHEARSALS = 300;

const flushLeases = (): Draft[] => [flushSet(ARP, 'lease'), flushSet(INET, 'lease')];

function addLeases(timeoutMs: Ms): Draft[] {
  return [
    ...addElements(ARP, 'lease', [{ key: PROTOCOL.arp, timeoutMs }]),
    ...addElements(INET, 'lease', [
      { key: PROTOCOL.ip, timeoutMs },
      { key: PROTOCOL.ip6, timeoutMs },
    ]),
  ];
}

export const flushHeld = (): Draft[] => [flushSet(ARP, 'held4'), flushSet(INET, 'held4'), flushSet(INET, 'held6')];

/** Closed at once, and nothing held. */
export const closing = (): Batch => encodeBatch([...flushLeases(), ...flushHeld()]);
/** Closed at once. */
export const expiry = (): Batch => encodeBatch(flushLeases());

/** A batch with places to be filled in. */
class Form {
  readonly #batch: Batch;
  readonly #keys: number[];
  readonly #timeouts: number[];

  constructor(drafts: readonly Draft[]) {
    this.#batch = encodeBatch(drafts);
    const timeoutMark = Buffer.alloc(8);
    timeoutMark.writeBigUInt64BE(BigInt(TIMEOUT_MARK_MS));
    this.#keys = placesOf(KEY_MARK, this.#batch.bytes);
    this.#timeouts = placesOf(timeoutMark, this.#batch.bytes);
  }

  filled(key: Uint8Array, timeoutMs: Ms): Batch {
    for (const at of this.#keys) this.#batch.bytes.set(key, at);
    for (const at of this.#timeouts) this.#batch.bytes.writeBigUInt64BE(BigInt(timeoutMs), at);
    return this.#batch;
  }
}

function placesOf(mark: Buffer, bytes: Buffer): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) places.push(at);
  return places;
}

export class Renewal {
  readonly #arming: Form;
  readonly #acting: Form;
  readonly #key = randomBytes(TOKEN_BYTES);
  readonly #tokenMs: Ms;
  #count = randomBytes(4).readUInt32BE();

  /** `tokenMs`: τ, how long after its arming a write may still happen. */
  constructor(tokenMs: Ms) {
    this.#tokenMs = tokenMs;
    this.#arming = new Form(addElements(INET, 'token', [{ key: KEY_MARK, timeoutMs: TIMEOUT_MARK_MS }]));
    this.#acting = new Form(Renewal.#act(KEY_MARK, [], TIMEOUT_MARK_MS));
  }

  static #act(key: Uint8Array, held: readonly Draft[], timeoutMs: Ms): Draft[] {
    return [deleteElements(INET, 'token', [key]), ...flushLeases(), ...held, ...addLeases(timeoutMs)];
  }

  /** Encodes, and sends nothing: V8 has compiled it by the time that a takeover waits for it. */
  rehearse(addresses: readonly string[]): void {
    for (let round = 0; round < REHEARSALS; round++) {
      this.arm();
      this.act(REHEARSALS, addresses);
      this.act(REHEARSALS, null);
      closing();
    }
  }

  /** A token that no one had before. */
  arm(): Batch {
    this.#count = (this.#count + 1) >>> 0;
    // The rest of the key, and where the count began, are of this process: two of them do not take each other's.
    this.#key.writeUInt32BE(this.#count, TOKEN_BYTES - 4);
    return this.#arming.filled(this.#key, this.#tokenMs);
  }

  /** Opens for so long if the token lives; its first message, and no other, is refused with ENOENT if it does not. `held`: those that are from now on, null: as before. */
  act(remainderMs: Ms, held: readonly string[] | null): Batch {
    if (held === null) return this.#acting.filled(this.#key, remainderMs);
    return encodeBatch(Renewal.#act(this.#key, [...flushHeld(), ...addAddresses('held', held)], remainderMs));
  }
}

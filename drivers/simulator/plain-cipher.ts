/**
 * A seal and a cipher for drills: keyed and quick, and no secret to anybody. Whoever has another key, or changes a byte,
 * a counter or a channel, is found out by the tag; nothing is hidden.
 */
import type { KeyedCipher } from '../cipher.js';

const TAG_LENGTH = 16;

/** FNV-1a over 32 bits, twice with different starts. */
class Hash {
  #a: number;
  #b: number;

  constructor(key: number) {
    this.#a = 0x811c9dc5 ^ key;
    this.#b = 0x9e3779b9 ^ Math.imul(key, 0x01000193);
  }

  text(text: string): this {
    for (let i = 0; i < text.length; i++) this.#add(text.charCodeAt(i));
    return this;
  }

  bytes(bytes: Uint8Array): this {
    let a = this.#a;
    let b = this.#b;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ byte, 0x85ebca6b) ^ (b >>> 13);
    }
    this.#a = a;
    this.#b = b;
    return this.number(bytes.length);
  }

  /** A whole number below 2^53. */
  number(value: number): this {
    this.#add(value | 0);
    this.#add(Math.floor(value / 4294967296) | 0);
    return this;
  }

  tag(): Uint8Array {
    const tag = new Uint8Array(TAG_LENGTH);
    for (let at = 0; at < TAG_LENGTH; at += 8) {
      for (let i = 0; i < 4; i++) {
        tag[at + i] = this.#a >>> (24 - 8 * i);
        tag[at + 4 + i] = this.#b >>> (24 - 8 * i);
      }
      this.#add(at + 1);
    }
    return tag;
  }

  #add(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x01000193);
    this.#b = Math.imul(this.#b ^ word, 0x85ebca6b) ^ (this.#b >>> 13);
  }
}

export function plainSeal(key: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => new Hash(key).bytes(bytes).tag();
}

export function plainCipher(key: number): KeyedCipher {
  const tagOf = (channel: string, counter: number, plain: Uint8Array, associated: Uint8Array): Uint8Array =>
    new Hash(key).text(channel).number(counter).bytes(associated).bytes(plain).tag();
  return {
    seal(channel, counter, plain, associated) {
      const sealed = new Uint8Array(plain.length + TAG_LENGTH);
      sealed.set(plain);
      sealed.set(tagOf(channel, counter, plain, associated), plain.length);
      return sealed;
    },
    open(channel, counter, sealed, associated) {
      const end = sealed.length - TAG_LENGTH;
      if (end < 0) return null;
      const plain = sealed.slice(0, end);
      const tag = tagOf(channel, counter, plain, associated);
      for (let i = 0; i < TAG_LENGTH; i++) if (tag[i] !== sealed[end + i]) return null;
      return plain;
    },
  };
}

/** Seeded damage to frames: what a bad cable, a strange switch or an enemy makes of them. */
export class Mutator {
  constructor(private seed: number) {}

  /** Uniform integer in [0, bound). Mulberry32. */
  below(bound: number): number {
    this.seed = (this.seed + 0x6d2b79f5) | 0;
    let word = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return Math.floor((((word ^ (word >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** A damaged copy; `other` lends bytes to it. */
  mutate(bytes: Uint8Array, other: Uint8Array): Uint8Array {
    let mutant: Uint8Array = bytes.slice();
    for (let left = 1 + this.below(3); left > 0; left--) mutant = this.damage(mutant, other);
    return mutant;
  }

  private damage(bytes: Uint8Array, other: Uint8Array): Uint8Array {
    const at = this.below(bytes.length);
    switch (this.below(9)) {
      case 0:
        return bytes.slice(0, this.below(bytes.length + 1));
      case 1:
        return Uint8Array.of(...bytes, ...Array.from({ length: 1 + this.below(40) }, () => this.below(256)));
      case 2:
        bytes.fill(this.pick([0, 0xff]), at, at + 1 + this.below(8));
        return bytes;
      case 3: {
        const from = this.below(other.length);
        const piece = other.subarray(from, from + 1 + this.below(16)).subarray(0, bytes.length - at);
        bytes.set(piece, at);
        return bytes;
      }
      case 4:
        return Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(this.below(bytes.length)));
      case 5:
      case 6:
        if (bytes.length > 0) bytes[at] = this.pick([0, 1, 2, 4, 0x7f, 0x80, 0xfe, 0xff]);
        return bytes;
      default:
        if (bytes.length > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << this.below(8));
        return bytes;
    }
  }
}

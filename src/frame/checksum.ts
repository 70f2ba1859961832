/** The Internet checksum (RFC 1071). */

/** One's complement sum of the 16-bit words, not yet complemented; an odd last byte is padded with zero. */
export function checksumAdd(sum: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i += 2) {
    sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

export function checksum(bytes: Uint8Array): number {
  return 0xffff & ~checksumAdd(0, bytes);
}

/** Over the IPv6 pseudo-header and an upper-layer packet (RFC 8200 section 8.1); 0 when a checksum that is in the packet is right. */
export function checksumV6(
  source: Uint8Array,
  destination: Uint8Array,
  nextHeader: number,
  packet: Uint8Array,
): number {
  let sum = checksumAdd(checksumAdd(0, source), destination);
  const length = packet.length;
  sum = checksumAdd(sum, Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length, 0, 0, 0, nextHeader));
  return 0xffff & ~checksumAdd(sum, packet);
}

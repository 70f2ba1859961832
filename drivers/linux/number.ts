/** A number as sysfs writes it, `1234\n` or `0x1003\n`, in place: most are read hundreds of times a second. */
export function numberIn(slab: Uint8Array, start: number, length: number): number {
  const isHex = slab[start + 1] === 0x78;
  const radix = isHex ? 16 : 10;
  let number = 0;
  for (let at = isHex ? start + 2 : start; at < start + length; at++) {
    const byte = slab[at]!;
    if (byte < 0x30) break;
    number = number * radix + (byte < 0x3a ? byte - 0x30 : (byte | 0x20) - 0x57);
  }
  return number;
}

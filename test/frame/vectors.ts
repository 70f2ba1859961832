/**
 * Frames as another implementation sends them: captured with tcpdump from Linux 6.18 between two veths, 02:...:01 with
 * 10.77.0.1 and fd77::1, 02:...:02 with 10.77.0.2 and fd77::2.
 */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

export const ONE = '02:00:00:00:00:01';
export const TWO = '02:00:00:00:00:02';

/** arp_notify=1, address added: the kernel's own announcement. */
export const ARP_ANNOUNCEMENT = hex(`
  ff ff ff ff ff ff 02 00 00 00 00 01 08 06 00 01 08 00 06 04 00 01 02 00 00 00 00 01 0a 4d 00 01
  00 00 00 00 00 00 0a 4d 00 01`);

/** First packet of `ping 10.77.0.2`. */
export const ARP_REQUEST = hex(`
  ff ff ff ff ff ff 02 00 00 00 00 01 08 06 00 01 08 00 06 04 00 01 02 00 00 00 00 01 0a 4d 00 01
  00 00 00 00 00 00 0a 4d 00 02`);

export const ARP_REPLY = hex(`
  02 00 00 00 00 01 02 00 00 00 00 02 08 06 00 01 08 00 06 04 00 02 02 00 00 00 00 02 0a 4d 00 02
  02 00 00 00 00 01 0a 4d 00 01`);

/** Sent by iputils' `arping -D`, which fills the target MAC with ones. */
export const ARP_PROBE_OF_ARPING = hex(`
  ff ff ff ff ff ff 02 00 00 00 00 02 08 06 00 01 08 00 06 04 00 01 02 00 00 00 00 02 00 00 00 00
  ff ff ff ff ff ff 0a 4d 00 01`);

/** The kernel's answer to it. */
export const ARP_REPLY_TO_PROBE = hex(`
  02 00 00 00 00 02 02 00 00 00 00 01 08 06 00 01 08 00 06 04 00 02 02 00 00 00 00 01 0a 4d 00 01
  02 00 00 00 00 02 00 00 00 00`);

/** Duplicate address detection, with a nonce (RFC 7527). */
export const NS_PROBE = hex(`
  33 33 ff 00 00 01 02 00 00 00 00 01 86 dd 60 00 00 00 00 20 3a ff 00 00 00 00 00 00 00 00 00 00
  00 00 00 00 00 00 ff 02 00 00 00 00 00 00 00 00 00 01 ff 00 00 01 87 00 53 3f 00 00 00 00 fd 77
  00 00 00 00 00 00 00 00 00 00 00 00 00 01 0e 01 c4 39 e2 fc 74 af`);

/** First packet of `ping fd77::2`. */
export const NS = hex(`
  33 33 ff 00 00 02 02 00 00 00 00 01 86 dd 60 00 00 00 00 20 3a ff fd 77 00 00 00 00 00 00 00 00
  00 00 00 00 00 01 ff 02 00 00 00 00 00 00 00 00 00 01 ff 00 00 02 87 00 7c a9 00 00 00 00 fd 77
  00 00 00 00 00 00 00 00 00 00 00 00 00 02 01 01 02 00 00 00 00 01`);

export const NA_SOLICITED = hex(`
  02 00 00 00 00 01 02 00 00 00 00 02 86 dd 60 00 00 00 00 20 3a ff fd 77 00 00 00 00 00 00 00 00
  00 00 00 00 00 02 fd 77 00 00 00 00 00 00 00 00 00 00 00 00 00 01 88 00 1b 35 60 00 00 00 fd 77
  00 00 00 00 00 00 00 00 00 00 00 00 00 02 02 01 02 00 00 00 00 02`);

/** ndisc_notify=1, address added: the kernel's own announcement. */
export const NA_UNSOLICITED = hex(`
  33 33 00 00 00 01 02 00 00 00 00 01 86 dd 60 00 00 00 00 20 3a ff fd 77 00 00 00 00 00 00 00 00
  00 00 00 00 00 01 ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 01 88 00 59 ad 20 00 00 00 fd 77
  00 00 00 00 00 00 00 00 00 00 00 00 00 01 02 01 02 00 00 00 00 01`);

/** `bytes` with the octet at `offset` replaced. */
export function patched(bytes: Uint8Array, offset: number, ...octets: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(octets, offset);
  return copy;
}

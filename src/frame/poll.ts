/**
 * The poll frame: what the NICs of a bridged net say to each other (DESIGN 4). All numbers are big-endian.
 *
 *    0  destination, source, EtherType 0x88B5                        14 bytes
 *   14  version 1 · kind 1 · flags 1 · key: first byte of its id       4
 *   18  length of everything from 14 to the end of the seal           2
 *   20  cluster tag (FNV-1a of the cluster's name)                    4
 *   24  incarnation of the sender's daemon                            8
 *   32  sequence of the sending NIC, higher in every frame            6
 *   38  round of the sending NIC, one up with every group frame       4
 *   42  sender: node, NIC, net                                        3 texts
 *    .  keys, if there are more than that one: count 1, each id 4
 *    .  sessions: count 1, each node text · incarnation 8 · highest sequence heard of it 6
 *    .  rows: count 1, each NIC text · target 1 · loss 2 · count 1, each node index 1 · NIC text · agoMs 2
 *    .  seal over everything before it                               16
 *
 * A text is its length in one byte and that many bytes of Latin-1. Node index 0 is the sender's own node, i its i-th
 * session. The Ethernet padding of short frames follows the seal and is not looked at.
 */
import type { KeyId, Seal } from '../world.js';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_POLL } from './ethernet.js';
import { hintOf, KEY_ID_LENGTH, type KeyWord } from './key-word.js';
import { sessionsInTurn } from './poll-turn.js';

/** Locally administered group address (IEEE 802 section 8.4): "baton" in its bytes; bridges forward it. */
export const POLL_GROUP = '03:62:61:74:6f:6e';
export const POLL_VERSION = 1;
export const POLL_LENGTH_MAX = 1400;
export const SEAL_LENGTH = 16;

/** `agoMs` of a NIC that was not heard for longer than the field can say, or never. */
export const NOT_HEARD = 0xffff;

const KINDS = ['poll', 'answer', 'full'] as const;
const TARGETS = ['not-asked', 'answers', 'silent'] as const;
const FIXED_LENGTH = 42;
/** Three empty texts, three counts and the seal. */
const LENGTH_MIN = FIXED_LENGTH + 3 + 3 + SEAL_LENGTH;
const FLAG_ASKS = 1;
const FLAG_POLLER = 2;
const FLAG_SETTLED = 4;

export type PollKind = (typeof KINDS)[number];
/** Does a configured target answer through that NIC? */
export type TargetTestimony = (typeof TARGETS)[number];

export interface Session {
  node: string;
  /** 16 hex digits. */
  incarnation: string;
  /** The highest sequence in any frame of that incarnation that the sender's node heard; 0: none. */
  heard: number;
}

export interface HearingEntry {
  node: string;
  nic: string;
  /** Whole milliseconds since a frame of that NIC was heard; NOT_HEARD: not for longer, or never. */
  agoMs: number;
}

/** What one NIC of the sender's node on this net says: whom it heard and whom it did not. Whom no entry names, it says nothing about. */
export interface HearingRow {
  nic: string;
  target: TargetTestimony;
  /** Worst random loss that it sees from any one sender. */
  lossPermille: number;
  heard: HearingEntry[];
}

export interface Poll {
  /** `poll`: light polling. `answer`: to the local poller, unicast. `full`: full polling. */
  kind: PollKind;
  /** The sender's node is in doubt and wants full polling of everybody. */
  asks: boolean;
  /** The sending NIC is its node's poller, so its next frame can be counted on. */
  poller: boolean;
  node: string;
  nic: string;
  net: string;
  incarnation: string;
  sequence: number;
  round: number;
  keys: KeyWord;
  sessions: Session[];
  /** The sending NIC's own row first. */
  rows: HearingRow[];
}

export type PollDrop =
  | 'poll-short'
  | 'poll-type'
  | 'poll-version'
  | 'poll-length'
  | 'poll-cluster'
  | 'poll-key'
  | 'poll-seal'
  | 'poll-malformed';

/** FNV-1a, 32 bits: frames of other clusters are told apart before the seal is computed. */
export function clusterTag(cluster: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < cluster.length; i++) hash = Math.imul(hash ^ (cluster.charCodeAt(i) & 0xff), 0x01000193);
  return hash >>> 0;
}

/** One frame is written at a time, and copied out; a buffer for each is work for the garbage collector. */
const draft = new Uint8Array(POLL_LENGTH_MAX);

/** Appends to a buffer of POLL_LENGTH_MAX bytes; `room` counts down to the place that the seal needs. */
class Writer {
  readonly bytes = draft;
  at = 0;

  get room(): number {
    return POLL_LENGTH_MAX - SEAL_LENGTH - this.at;
  }

  number(value: number, length: number): void {
    for (let i = length - 1; i >= 0; i--) {
      this.bytes[this.at + i] = value % 256;
      value = Math.floor(value / 256);
    }
    this.at += length;
  }

  text(value: string): void {
    const length = Math.min(value.length, 255);
    this.bytes[this.at++] = length;
    for (let i = 0; i < length; i++) this.bytes[this.at++] = value.charCodeAt(i);
  }

  /** Digits in pairs, each pair `step` characters after the one before. */
  hex(digits: string, length: number, step: number): void {
    for (let i = 0; i < length; i++) {
      const at = i * step;
      this.bytes[this.at++] = (hexDigit(digits.charCodeAt(at)) << 4) | hexDigit(digits.charCodeAt(at + 1));
    }
  }

  incarnation(digits: string): void {
    this.hex(digits, 8, 2);
  }
}

function hexDigit(code: number): number {
  return code < 0x3a ? code - 0x30 : (code | 0x20) - 0x57;
}

/**
 * Whole frame. What does not fit is left out: last entries of the last row first, so that the sending NIC's own row
 * loses last. Where sessions and own row are too much by themselves, nodes take turns with their sessions and entries.
 */
export function encodePoll(
  poll: Poll,
  cluster: string,
  destination: string,
  source: string,
  seal: Seal,
  key: KeyId,
): Uint8Array {
  const writer = new Writer();
  writer.hex(destination, 6, 3);
  writer.hex(source, 6, 3);
  writer.number(ETHERTYPE_POLL, 2);
  writer.number(POLL_VERSION, 1);
  writer.number(KINDS.indexOf(poll.kind), 1);
  const { keys } = poll;
  const flags = (poll.asks ? FLAG_ASKS : 0) | (poll.poller ? FLAG_POLLER : 0) | (keys.settled ? FLAG_SETTLED : 0);
  writer.number(flags, 1);
  writer.number(hintOf(key), 1);
  writer.number(0, 2);
  writer.number(clusterTag(cluster), 4);
  writer.incarnation(poll.incarnation);
  writer.number(poll.sequence, 6);
  writer.number(poll.round, 4);
  writer.text(poll.node);
  writer.text(poll.nic);
  writer.text(poll.net);
  const known = keys.known.length > 1 ? keys.known : [];
  writer.number(known.length, 1);
  for (const key of known) writer.hex(key, KEY_ID_LENGTH, 2);
  const sessions = sessionsInTurn(poll, writer.room);
  writer.number(sessions.length, 1);
  for (const session of sessions) {
    writer.text(session.node);
    writer.incarnation(session.incarnation);
    writer.number(session.heard, 6);
  }
  writeRows(writer, poll, sessions);
  const length = writer.at + SEAL_LENGTH - ETHERNET_HEADER_LENGTH;
  writer.bytes[18] = length >> 8;
  writer.bytes[19] = length & 0xff;
  writer.bytes.set(seal(writer.bytes.subarray(0, writer.at), key), writer.at);
  return writer.bytes.slice(0, writer.at + SEAL_LENGTH);
}

function writeRows(writer: Writer, poll: Poll, sessions: Session[]): void {
  const index: Record<string, number> = { [poll.node]: 0 };
  sessions.forEach((session, i) => (index[session.node] ??= i + 1));
  const countAt = writer.at++;
  let rows = 0;
  for (const row of poll.rows) {
    if (writer.room < row.nic.length + 5 || rows === 255) break;
    rows++;
    writer.text(row.nic);
    writer.number(TARGETS.indexOf(row.target), 1);
    writer.number(row.lossPermille, 2);
    const entriesAt = writer.at++;
    let entries = 0;
    for (const entry of row.heard) {
      const node = index[entry.node];
      if (node === undefined) continue;
      if (writer.room < entry.nic.length + 4 || entries === 255) break;
      entries++;
      writer.number(node, 1);
      writer.text(entry.nic);
      writer.number(Math.max(0, Math.min(NOT_HEARD, Math.round(entry.agoMs))), 2);
    }
    writer.bytes[entriesAt] = entries;
  }
  writer.bytes[countAt] = rows;
}

/** Reads up to `end`; once anything does not fit, `broken` stays true and everything reads as empty. */
class Reader {
  broken = false;

  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
    private readonly end: number,
  ) {}

  private take(length: number): boolean {
    if (this.broken || this.at + length > this.end) {
      this.broken = true;
      return false;
    }
    return true;
  }

  number(length: number): number {
    if (!this.take(length)) return 0;
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + this.bytes[this.at + i]!;
    this.at += length;
    return value;
  }

  text(): string {
    const length = this.number(1);
    if (!this.take(length)) return '';
    let value = '';
    for (let i = 0; i < length; i++) value += String.fromCharCode(this.bytes[this.at + i]!);
    this.at += length;
    return value;
  }

  incarnation(): string {
    const high = this.number(4);
    const low = this.number(4);
    return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
  }

  keyId(): KeyId {
    return this.number(KEY_ID_LENGTH)
      .toString(16)
      .padStart(2 * KEY_ID_LENGTH, '0');
  }

  word<T>(words: readonly T[]): T {
    const word = words[this.number(1)];
    if (word === undefined) this.broken = true;
    return word ?? words[0]!;
  }
}

/** A frame that one of these keys of the cluster sealed, or why it is none; the cheap checks come before the seal. */
export function decodePoll(bytes: Uint8Array, tag: number, seal: Seal, keys: readonly KeyId[]): Poll | PollDrop {
  if (bytes.length < LENGTH_MIN || bytes.length > POLL_LENGTH_MAX) return 'poll-short';
  const word = (at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
  if (word(12) !== ETHERTYPE_POLL) return 'poll-type';
  if (bytes[14] !== POLL_VERSION) return 'poll-version';
  const end = ETHERNET_HEADER_LENGTH + word(18) - SEAL_LENGTH;
  if (end + SEAL_LENGTH > bytes.length || end + SEAL_LENGTH < LENGTH_MIN) return 'poll-length';
  if (((word(20) << 16) | word(22)) >>> 0 !== tag) return 'poll-cluster';
  const named = keys.filter((key) => hintOf(key) === bytes[17]);
  if (named.length === 0) return 'poll-key';
  const sealed = bytes.subarray(0, end);
  const key = named.find((key) => sameBytes(seal(sealed, key), bytes.subarray(end, end + SEAL_LENGTH)));
  return key === undefined ? 'poll-seal' : readPoll(new Reader(bytes, 15, end), end, key);
}

/**
 * As `decodePoll`, of bytes that never change and are heard by many: each frame is read once for all who take the key that
 * sealed it.
 */
export class PollMemory {
  readonly #known = new WeakMap<Uint8Array, { tag: number; poll: Poll }>();

  decode(bytes: Uint8Array, tag: number, seal: Seal, keys: readonly KeyId[]): Poll | PollDrop {
    const known = this.#known.get(bytes);
    if (known?.tag === tag && keys.includes(known.poll.keys.sealedWith)) return known.poll;
    const poll = decodePoll(bytes, tag, seal, keys);
    if (typeof poll !== 'string') this.#known.set(bytes, { tag, poll });
    return poll;
  }
}

/** The NIC that the frame claims to be from if it claims to be from that node; nothing is checked. */
export function senderIn(bytes: Uint8Array, node: string): string | null {
  if (bytes[FIXED_LENGTH] !== node.length) return null;
  for (let i = 0; i < node.length; i++) if (bytes[FIXED_LENGTH + 1 + i] !== node.charCodeAt(i)) return null;
  return new Reader(bytes, FIXED_LENGTH + 1 + node.length, bytes.length).text();
}

function readPoll(reader: Reader, end: number, key: KeyId): Poll | PollDrop {
  const kind = reader.word(KINDS);
  const flags = reader.number(1);
  reader.at = 24;
  const poll: Poll = {
    kind,
    asks: (flags & FLAG_ASKS) !== 0,
    poller: (flags & FLAG_POLLER) !== 0,
    incarnation: reader.incarnation(),
    sequence: reader.number(6),
    round: reader.number(4),
    node: reader.text(),
    nic: reader.text(),
    net: reader.text(),
    keys: { sealedWith: key, known: [], settled: (flags & FLAG_SETTLED) !== 0 },
    sessions: [],
    rows: [],
  };
  for (let left = reader.number(1); left > 0 && !reader.broken; left--) poll.keys.known.push(reader.keyId());
  if (poll.keys.known.length === 0) poll.keys.known.push(key);
  for (let left = reader.number(1); left > 0 && !reader.broken; left--)
    poll.sessions.push({ node: reader.text(), incarnation: reader.incarnation(), heard: reader.number(6) });
  for (let left = reader.number(1); left > 0 && !reader.broken; left--) poll.rows.push(readRow(reader, poll));
  return reader.broken || reader.at !== end ? 'poll-malformed' : poll;
}

function readRow(reader: Reader, poll: Poll): HearingRow {
  const row: HearingRow = {
    nic: reader.text(),
    target: reader.word(TARGETS),
    lossPermille: reader.number(2),
    heard: [],
  };
  for (let left = reader.number(1); left > 0 && !reader.broken; left--) {
    const index = reader.number(1);
    const node = index === 0 ? poll.node : poll.sessions[index - 1]?.node;
    if (node === undefined) reader.broken = true;
    row.heard.push({ node: node ?? '', nic: reader.text(), agoMs: reader.number(2) });
  }
  return row;
}

/** Takes the same time wherever they differ. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) difference |= (a[i] ?? 0) ^ b[i]!;
  return difference === 0;
}

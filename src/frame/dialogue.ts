/**
 * What the membership stages of two nodes say to each other (MEMBERSHIP 3), each as one part of a heartbeat. All numbers
 * are big-endian.
 *
 *   version    term + 1 (6) · revision (6)
 *   storageId  16
 *   time       microseconds (6)
 *
 *   append     term 6 · sequence 6 · committed 12 · enclosure
 *   answer     term 6 · echo: incarnation 8, sequence 6 · sequence 6 · storageId · version 12 · held: count 2, one bit a package
 *   grant      term 6 · echo: incarnation 8, sequence 6 · duration 6 · need 12 · committed 12 · enclosure
 *   ask        1 for a pre-vote · term 6 · version 12 · storageId · round 6
 *   reply      1 for a pre-vote · 1 for yes · term 6 · storageId · round 6 · age 6
 *   piece      1 if it founds · term 6 · version 12 · index 2 · count 2 · bytes
 *   enclosure  0: none · 1: the document follows · 2: it goes in pieces
 *
 * A document is JSON, all characters above 0x7e escaped, so that a byte is a character.
 */
import { hexAt, numberAt, putHex, putNumber } from './octet.js';
import { PART, PART_MAX, type Part } from './part.js';

/** Ordered by term, then revision. */
export interface WireVersion {
  /** −1: of the blank document. */
  term: number;
  revision: number;
}

/** A message that is answered: whose, which. */
export interface Echo {
  /** 16 hex digits. */
  incarnation: string;
  sequence: number;
}

/** Text of the document enclosed; `pieces`: it goes in parts of its own. */
export type Enclosure = { how: 'none' } | { how: 'whole'; text: string } | { how: 'pieces' };

export interface AppendMessage {
  kind: 'append';
  term: number;
  sequence: number;
  committed: WireVersion;
  document: Enclosure;
}

export interface AnswerMessage {
  kind: 'answer';
  term: number;
  /** Of the append. */
  echo: Echo;
  /** The lease request. */
  sequence: number;
  storageId: string;
  /** Of the document on the disk. */
  version: WireVersion;
  /** Packages of which a floating address is, or may be, in the kernel. */
  held: string[];
}

export interface GrantMessage {
  kind: 'grant';
  term: number;
  /** Of the answer. */
  echo: Echo;
  durationMs: number;
  /** It is of use only under this document or a newer one. */
  need: WireVersion;
  committed: WireVersion;
  document: Enclosure;
}

export interface AskMessage {
  kind: 'ask';
  pre: boolean;
  term: number;
  /** Of the candidate's document. */
  version: WireVersion;
  storageId: string;
  /** The reply names it. */
  round: number;
}

export interface ReplyMessage {
  kind: 'reply';
  pre: boolean;
  yes: boolean;
  /** The voter's. */
  term: number;
  storageId: string;
  /** 0: of no ask. */
  round: number;
  /** How long ago it last answered a coordinator. */
  ageMs: number;
}

export interface PieceMessage {
  kind: 'piece';
  /** It comes from no coordinator: the cluster is formed, or run by force. */
  founds: boolean;
  term: number;
  version: WireVersion;
  index: number;
  count: number;
  text: string;
}

export type Message = AppendMessage | AnswerMessage | GrantMessage | AskMessage | ReplyMessage | PieceMessage;

/** What a document may take of an append or grant; one that is longer goes in pieces. */
export const ENCLOSED_MAX = PART_MAX - 80;
const PIECE_HEAD = 23;
const PIECE_MAX = PART_MAX - PIECE_HEAD;
/** A document of more than this is not put together: 900 pieces. */
const PIECES_MAX = 900;
const TIME_MAX = 2 ** 48 - 1;

/** One part is written at a time, and copied out; a buffer for each is work for the garbage collector. */
const draft = new Uint8Array(PART_MAX);

class Writer {
  readonly bytes = draft;
  at = 0;

  number(value: number, length: number): this {
    this.at = putNumber(this.bytes, this.at, value, length);
    return this;
  }

  version({ term, revision }: WireVersion): this {
    return this.number(term + 1, 6).number(revision, 6);
  }

  hex(digits: string, length: number): this {
    this.at = putHex(this.bytes, this.at, digits, length);
    return this;
  }

  echo({ incarnation, sequence }: Echo): this {
    return this.hex(incarnation, 8).number(sequence, 6);
  }

  /** Rounded down: a shorter lease and a smaller age are the safe ones. */
  time(ms: number): this {
    return this.number(Math.min(TIME_MAX, Math.max(0, Math.floor(ms * 1000))), 6);
  }

  text(text: string): this {
    for (let i = 0; i < text.length; i++) this.bytes[this.at++] = text.charCodeAt(i);
    return this;
  }

  enclosure(document: Enclosure): this {
    if (document.how !== 'whole') return this.number(document.how === 'none' ? 0 : 2, 1);
    return this.number(1, 1).text(document.text);
  }

  part(kind: number): Part {
    return { kind, bytes: this.bytes.slice(0, this.at) };
  }
}

/** Reads to the end; what is beyond it makes it `broken`. */
class Reader {
  at = 0;
  broken = false;

  constructor(private readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  private step(length: number): number {
    const at = this.at;
    this.at += length;
    if (this.at > this.bytes.length) this.broken = true;
    return at;
  }

  number(length: number): number {
    return numberAt(this.bytes, this.step(length), length);
  }

  version(): WireVersion {
    return { term: this.number(6) - 1, revision: this.number(6) };
  }

  hex(length: number): string {
    return hexAt(this.bytes, this.step(length), length);
  }

  echo(): Echo {
    return { incarnation: this.hex(8), sequence: this.number(6) };
  }

  time(): number {
    return this.number(6) / 1000;
  }

  flag(): boolean {
    const value = this.number(1);
    if (value > 1) this.broken = true;
    return value === 1;
  }

  text(): string {
    let text = '';
    while (this.at < this.bytes.length) {
      const byte = this.bytes[this.at++]!;
      if (byte > 0x7e) this.broken = true;
      text += String.fromCharCode(byte);
    }
    return text;
  }

  enclosure(): Enclosure {
    const how = this.number(1);
    if (how === 1) return { how: 'whole', text: this.text() };
    if (how !== 0 && how !== 2) this.broken = true;
    return { how: how === 2 ? 'pieces' : 'none' };
  }
}

/** `packages`: all of the cluster file, in its order; a node that has another one is not heard. */
export function encodeMessage(message: Message, packages: readonly string[]): Part {
  const writer = new Writer();
  switch (message.kind) {
    case 'append':
      writer.number(message.term, 6).number(message.sequence, 6).version(message.committed);
      return writer.enclosure(message.document).part(PART.append);
    case 'answer':
      writer.number(message.term, 6).echo(message.echo).number(message.sequence, 6).hex(message.storageId, 16);
      writer.version(message.version).number(packages.length, 2);
      for (const bits of bitmap(packages.map((name) => message.held.includes(name)))) writer.number(bits, 1);
      return writer.part(PART.answer);
    case 'grant':
      writer.number(message.term, 6).echo(message.echo).time(message.durationMs);
      writer.version(message.need).version(message.committed);
      return writer.enclosure(message.document).part(PART.grant);
    case 'ask':
      writer
        .number(message.pre ? 1 : 0, 1)
        .number(message.term, 6)
        .version(message.version);
      return writer.hex(message.storageId, 16).number(message.round, 6).part(PART.ask);
    case 'reply':
      writer
        .number(message.pre ? 1 : 0, 1)
        .number(message.yes ? 1 : 0, 1)
        .number(message.term, 6);
      return writer.hex(message.storageId, 16).number(message.round, 6).time(message.ageMs).part(PART.reply);
    case 'piece':
      writer
        .number(message.founds ? 1 : 0, 1)
        .number(message.term, 6)
        .version(message.version);
      return writer.number(message.index, 2).number(message.count, 2).text(message.text).part(PART.piece);
  }
}

/** Null: damaged, or no part of the membership stage. */
export function decodeMessage(part: Part, packages: readonly string[]): Message | null {
  const reader = new Reader(part.bytes);
  const message = readMessage(part.kind, reader, packages);
  return message === null || reader.broken || reader.left !== 0 ? null : message;
}

function readMessage(kind: number, reader: Reader, packages: readonly string[]): Message | null {
  switch (kind) {
    case PART.append: {
      const [term, sequence, committed] = [reader.number(6), reader.number(6), reader.version()];
      return { kind: 'append', term, sequence, committed, document: reader.enclosure() };
    }
    case PART.answer: {
      const [term, echo, sequence] = [reader.number(6), reader.echo(), reader.number(6)];
      const [storageId, version] = [reader.hex(16), reader.version()];
      if (reader.number(2) !== packages.length) return null;
      const bits = Array.from({ length: Math.ceil(packages.length / 8) }, () => reader.number(1));
      const held = packages.filter((_, i) => (bits[i >> 3]! & (0x80 >> (i & 7))) !== 0);
      return { kind: 'answer', term, echo, sequence, storageId, version, held };
    }
    case PART.grant: {
      const [term, echo, durationMs] = [reader.number(6), reader.echo(), reader.time()];
      const [need, committed] = [reader.version(), reader.version()];
      return { kind: 'grant', term, echo, durationMs, need, committed, document: reader.enclosure() };
    }
    case PART.ask: {
      const [pre, term, version] = [reader.flag(), reader.number(6), reader.version()];
      return { kind: 'ask', pre, term, version, storageId: reader.hex(16), round: reader.number(6) };
    }
    case PART.reply: {
      const [pre, yes, term] = [reader.flag(), reader.flag(), reader.number(6)];
      const [storageId, round] = [reader.hex(16), reader.number(6)];
      return { kind: 'reply', pre, yes, term, storageId, round, ageMs: reader.time() };
    }
    case PART.piece: {
      const [founds, term, version] = [reader.flag(), reader.number(6), reader.version()];
      const [index, count] = [reader.number(2), reader.number(2)];
      if (count === 0 || count > PIECES_MAX || index >= count) return null;
      return { kind: 'piece', founds, term, version, index, count, text: reader.text() };
    }
    default:
      return null;
  }
}

/** Bytes, the first flag in the highest bit of the first. */
function bitmap(flags: boolean[]): number[] {
  const bytes = Array.from({ length: Math.ceil(flags.length / 8) }, () => 0);
  flags.forEach((flag, i) => {
    if (flag) bytes[i >> 3]! |= 0x80 >> (i & 7);
  });
  return bytes;
}

/** JSON of printable ASCII. */
export function documentText(document: unknown): string {
  const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(document).replace(/[\u007f-\uffff]/g, escape);
}

/** The document's text, cut so that each piece fits in a part. */
export function piecesOf(text: string, head: Pick<PieceMessage, 'founds' | 'term' | 'version'>): PieceMessage[] {
  const count = Math.max(1, Math.ceil(text.length / PIECE_MAX));
  return Array.from({ length: count }, (_, index) => ({
    kind: 'piece',
    ...head,
    index,
    count,
    text: text.slice(index * PIECE_MAX, (index + 1) * PIECE_MAX),
  }));
}

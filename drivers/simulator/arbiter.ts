/**
 * An etcd with one key, on a client of the topology (MEMBERSHIP 7): one register with revisions, asked over the network.
 * Its data outlive its process.
 */
import type { Ms } from '../../src/input.js';
import type { RegisterAnswer, ArbiterRecord, RegisterRequest } from '../../src/membership/arbiter-record.js';
import type { Host } from './host.js';
import type { Random } from './random.js';
import type { Datagram } from './wire.js';

export const ETCD_PORT = 2379;
/** A read goes round its members, a write is synced. */
const SERVE_MS = { from: 0.2, to: 4 };

/** One request on a connection; it may come twice, and is done once. */
export interface ArbiterCall {
  call: string;
  request: RegisterRequest;
}

export interface ArbiterReply {
  call: string;
  answer: RegisterAnswer;
}

interface Key {
  created: number;
  modified: number;
  text: string;
}

export class Arbiter {
  readonly host: Host;
  /** What each answer takes beside its own time. */
  slowMs: Ms = 0;
  readonly #random: Random;
  #key: Key | null = null;
  #revision = 1;
  #backup: { key: Key | null; revision: number } = { key: null, revision: 1 };
  #runs = true;
  #frozen = false;
  /** Counts its starts: what an earlier process was about to do is not done. */
  #starts = 0;
  readonly #held: (() => void)[] = [];
  readonly #replies = new Map<string, ArbiterReply>();

  constructor(host: Host) {
    this.host = host;
    this.#random = host.random.stream('arbiter');
    host.onUdp = (_, datagram) => this.#hear(datagram);
  }

  get record(): ArbiterRecord | null {
    return this.#key === null ? null : (JSON.parse(this.#key.text) as ArbiterRecord);
  }

  get runs(): boolean {
    return this.#runs && !this.#frozen;
  }

  stop(): void {
    this.#runs = false;
    this.#starts++;
    this.#replies.clear();
    this.#held.length = 0;
  }

  start(): void {
    this.#runs = true;
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    for (const held of this.#held.splice(0)) held();
  }

  /** Its data are lost: revisions begin anew. */
  forget(): void {
    this.#key = null;
    this.#revision = 1;
  }

  backUp(): void {
    this.#backup = { key: this.#key, revision: this.#revision };
  }

  /** Its data are as they were then, revisions too. */
  restore(): void {
    this.#key = this.#backup.key;
    this.#revision = this.#backup.revision;
    this.#starts++;
    this.#replies.clear();
  }

  #hear({ port, source, content }: Datagram): void {
    if (port !== ETCD_PORT || !this.#runs) return;
    const { call, request } = content as ArbiterCall;
    const known = this.#replies.get(call);
    if (known) {
      this.host.routeDatagram(source, ETCD_PORT, known);
      return;
    }
    const starts = this.#starts;
    this.host.world.clock.after(this.slowMs + this.#random.between(SERVE_MS.from, SERVE_MS.to), () => {
      const serve = (): void => {
        if (starts !== this.#starts || this.#replies.has(call)) return;
        const reply: ArbiterReply = { call, answer: this.#answer(request) };
        this.#replies.set(call, reply);
        if (this.#replies.size > CALLS_KEPT) this.#replies.delete(this.#replies.keys().next().value!);
        this.host.routeDatagram(source, ETCD_PORT, reply);
      };
      if (this.#frozen) this.#held.push(serve);
      else serve();
    });
  }

  #answer(request: RegisterRequest): RegisterAnswer {
    const key = this.#key;
    switch (request.ask) {
      case 'read':
        return key === null ? { outcome: 'missing' } : { outcome: 'done', ...shown(key) };
      case 'create':
        if (key !== null) return { outcome: 'refused', ...shown(key) };
        return { outcome: 'done', ...shown(this.#put(request.record)) };
      case 'write': {
        if (key === null) return { outcome: 'missing' };
        const { created, modified } = request.expect;
        if (created !== String(key.created) || modified !== String(key.modified))
          return { outcome: 'refused', ...shown(key) };
        return { outcome: 'done', ...shown(this.#put(request.record)) };
      }
    }
  }

  #put(record: ArbiterRecord): Key {
    this.#revision++;
    const created = this.#key?.created ?? this.#revision;
    this.#key = { created, modified: this.#revision, text: JSON.stringify(record) };
    this.host.world.changed();
    return this.#key;
  }
}

const CALLS_KEPT = 200;

function shown({ created, modified, text }: Key): {
  stamp: { created: string; modified: string };
  record: ArbiterRecord;
} {
  const stamp = { created: String(created), modified: String(modified) };
  return { stamp, record: JSON.parse(text) as ArbiterRecord };
}

/**
 * An etcd as arbiter (MEMBERSHIP 7): one key, `/baton/CLUSTER/voter`, by the JSON gateway of its v3 API. Reads are
 * linearizable; a write is one transaction that compares the state of the key and, where it differs, tells it.
 */
import type { Ms } from '../../src/input.js';
import type {
  ArbiterRequest,
  RegisterAnswer,
  ArbiterRecord,
  RegisterRequest,
  ArbiterStamp,
} from '../../src/membership/arbiter-record.js';
import type { EtcdData } from './arbiter-port.js';
import { Gateway } from './gateway.js';
import { parseRecord, recordText } from './record.js';

interface Found {
  stamp: ArbiterStamp;
  text: string;
}

type Fields = Record<string, unknown>;

export class Etcd {
  readonly #gateway: Gateway;
  readonly #key: string;
  /**
   * What the key was last seen to hold. A write compares that too: revisions of an etcd that was restored from a backup, or
   * of another one behind the next endpoint, may be the same for something else.
   */
  #last: Found | null = null;

  constructor({ cluster, arbiter }: EtcdData) {
    this.#gateway = new Gateway(arbiter);
    this.#key = base64(`/baton/${cluster}/voter`);
  }

  /** Never throws, and answers within that time but for the delays of this thread. */
  async ask(request: ArbiterRequest, withinMs: Ms): Promise<RegisterAnswer> {
    if (request.ask === 'look' || request.ask === 'put') return unknown('an etcd has no blocks');
    const isRead = request.ask === 'read';
    const [path, body] = isRead ? ['/v3/kv/range', { key: this.#key }] : ['/v3/kv/txn', this.#transaction(request)];
    const exchange = await this.#gateway.post(path, body, withinMs, isRead);
    if (!exchange.ok) return { outcome: 'unknown', text: exchange.text };
    return isRead ? this.#answerOf(keyIn(exchange.body), 'done') : this.#written(exchange.body, request);
  }

  close(): void {
    this.#gateway.close();
  }

  #transaction(request: Exclude<RegisterRequest, { ask: 'read' }>): Fields {
    const get = { request_range: { key: this.#key } };
    const put = { request_put: { key: this.#key, value: base64(recordText(request.record)) } };
    return { compare: this.#comparison(request), success: [put, get], failure: [get] };
  }

  #comparison(request: Exclude<RegisterRequest, { ask: 'read' }>): Fields[] {
    const same = { key: this.#key, result: 'EQUAL' };
    if (request.ask === 'create') return [{ ...same, target: 'VERSION', version: '0' }];
    const { created, modified } = request.expect;
    const last = this.#last;
    const isLast = last?.stamp.created === created && last.stamp.modified === modified;
    return [
      { ...same, target: 'CREATE', create_revision: created },
      { ...same, target: 'MOD', mod_revision: modified },
      ...(isLast ? [{ ...same, target: 'VALUE', value: base64(last.text) }] : []),
    ];
  }

  #written(body: unknown, request: Exclude<RegisterRequest, { ask: 'read' }>): RegisterAnswer {
    const { succeeded, responses } = fieldsOf(body) ?? {};
    const range = Array.isArray(responses) ? fieldsOf(responses.at(-1))?.['response_range'] : undefined;
    if (range === undefined) return unknown('a transaction without its answer');
    const found = keyIn(range);
    if (succeeded !== true) {
      if (found === 'missing' && request.ask === 'create') return unknown('the key is there and is not');
      return this.#answerOf(found, 'refused');
    }
    if (found === 'missing' || found === null) return unknown('written, and then not there');
    return this.#answerOf(found, 'done');
  }

  #answerOf(found: Found | 'missing' | null, outcome: 'done' | 'refused'): RegisterAnswer {
    this.#last = null;
    if (found === 'missing') return { outcome: 'missing' };
    if (found === null) return unknown('an answer that is none of etcd');
    const record: ArbiterRecord | null = parseRecord(found.text);
    if (record === null)
      return unknown(`the key ${fromBase64(this.#key)} holds no record of baton: ${found.text.slice(0, 80)}`);
    this.#last = found;
    return { outcome, stamp: found.stamp, record };
  }
}

function unknown(text: string): RegisterAnswer {
  return { outcome: 'unknown', text };
}

/** Of a RangeResponse (etcd's rpc.proto); its JSON leaves out what is empty. Null: it is none. */
function keyIn(range: unknown): Found | 'missing' | null {
  const fields = fieldsOf(range);
  // Every answer of etcd has a header: an empty object is a stranger's.
  if (fields === null || fieldsOf(fields['header']) === null) return null;
  const kvs = fields['kvs'];
  if (kvs === undefined) return 'missing';
  const kv = Array.isArray(kvs) && kvs.length === 1 ? fieldsOf(kvs[0]) : null;
  if (kv === null) return null;
  const { create_revision: created, mod_revision: modified, value = '' } = kv;
  if (!isRevision(created) || !isRevision(modified) || typeof value !== 'string') return null;
  return { stamp: { created, modified }, text: fromBase64(value) };
}

/** 64 bits travel as decimal text. */
function isRevision(value: unknown): value is string {
  return typeof value === 'string' && /^[1-9][0-9]{0,18}$/.test(value);
}

function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const fromBase64 = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

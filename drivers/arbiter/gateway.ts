/**
 * Questions to etcd's JSON gateway: one POST after the other over a kept connection, to the endpoint that answered last.
 * Its own deadline ends each; what becomes of a question that was sent and not answered is not known.
 */
import { readFileSync } from 'node:fs';
import { Agent as PlainAgent, request as plainRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { Ms } from '../../src/input.js';
import type { EtcdData } from './arbiter-port.js';
import { Names } from './names.js';

/** `sent`: it may have been done. */
export type Exchange = { ok: true; body: unknown } | { ok: false; sent: boolean; text: string };

/** Far above any answer of ours; a stranger's stream is not read on. */
const ANSWER_BYTES_MAX = 4 << 20;
const TEXT_MAX = 200;
/** Nobody is asked for less: a timer may end a little before its time, and what is left then is no time to answer in. */
const ASKED_MS_MIN = 5;

type Settings = EtcdData['arbiter'];

export class Gateway {
  readonly #settings: Settings;
  readonly #endpoints: readonly URL[];
  readonly #names = new Names();
  #agent: PlainAgent | TlsAgent | null = null;
  #agentOf = -1;
  /** Index of the endpoint that is asked first: the one that answered last. */
  #present = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#endpoints = settings.endpoints.map((text) => new URL(text));
  }

  /**
   * Never throws. The next endpoint is tried in the time that is left: with `repeatable` after every failure, else only
   * when the question was surely not sent.
   */
  async post(path: string, body: unknown, withinMs: Ms, repeatable: boolean): Promise<Exchange> {
    const end = performance.now() + withinMs;
    let outcome: Exchange = { ok: false, sent: false, text: 'the cluster file names no endpoint' };
    let sent = false;
    for (let tries = 0; tries < this.#endpoints.length; tries++) {
      const leftMs = end - performance.now();
      if (tries > 0 && leftMs < ASKED_MS_MIN) break;
      outcome = await this.#postTo(this.#present, path, JSON.stringify(body), leftMs);
      if (outcome.ok) return outcome;
      sent ||= outcome.sent;
      this.#present = (this.#present + 1) % this.#endpoints.length;
      this.close();
      if (outcome.sent && !repeatable) break;
    }
    return outcome.ok ? outcome : { ...outcome, sent };
  }

  close(): void {
    this.#agent?.destroy();
    this.#agent = null;
  }

  async #postTo(index: number, path: string, body: string, withinMs: Ms): Promise<Exchange> {
    const url = new URL(path, this.#endpoints[index]);
    try {
      const agent = this.#agentFor(index, url);
      const options = {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      };
      const asked = url.protocol === 'https:' ? tlsRequest(url, options) : plainRequest(url, options);
      const outcome = await exchange(asked, body, withinMs);
      return outcome.ok ? outcome : { ...outcome, text: `${url.host}: ${outcome.text}` };
    } catch (error) {
      // A certificate or key that cannot be read.
      return { ok: false, sent: false, text: `${url.host}: ${(error as Error).message}` };
    }
  }

  /** Made anew after each failure, and with it certificates and key read: they are renewed now and then. */
  #agentFor(index: number, url: URL): PlainAgent | TlsAgent {
    if (this.#agent !== null && this.#agentOf === index) return this.#agent;
    this.close();
    const kept = { keepAlive: true, maxFreeSockets: 1, noDelay: true, lookup: this.#names.lookup };
    const { ca, cert, key } = this.#settings;
    this.#agentOf = index;
    this.#agent =
      url.protocol === 'https:'
        ? new TlsAgent({
            ...kept,
            ...(ca !== undefined && { ca: readFileSync(ca) }),
            ...(cert !== undefined && { cert: readFileSync(cert) }),
            ...(key !== undefined && { key: readFileSync(key) }),
          })
        : new PlainAgent(kept);
    return this.#agent;
  }
}

function exchange(asked: ClientRequest, body: string, withinMs: Ms): Promise<Exchange> {
  return new Promise((resolve) => {
    let sent = false;
    const fail = (text: string): void => {
      clearTimeout(timer);
      resolve({ ok: false, sent, text: text.slice(0, TEXT_MAX) });
      asked.destroy();
    };
    const timer = setTimeout(() => fail(`no answer within ${Math.round(withinMs)} ms`), withinMs);
    asked.on('socket', (socket) => {
      const connected = (): void => void (sent = true);
      // Node writes as soon as there is a connection, and over TLS as soon as that is secure.
      if (!socket.connecting && asked.reusedSocket) connected();
      else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connected);
    });
    asked.on('error', (error: NodeJS.ErrnoException) =>
      fail(error.code ? `${error.code}, ${error.message}` : error.message),
    );
    asked.on('response', (answer) => {
      read(
        answer,
        (text) => {
          const outcome = judge(answer.statusCode ?? 0, text);
          if (typeof outcome === 'string') return fail(outcome);
          clearTimeout(timer);
          resolve({ ok: true, body: outcome.body });
        },
        fail,
      );
    });
    asked.end(body);
  });
}

function read(answer: IncomingMessage, done: (text: string) => void, fail: (text: string) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  answer.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) fail('an answer of more than 4 MB');
    else chunks.push(chunk);
  });
  answer.on('error', (error) => fail(error.message));
  answer.on('aborted', () => fail('the answer was cut short'));
  answer.on('end', () => done(Buffer.concat(chunks).toString('utf8')));
}

/** A text says what is wrong with it. */
function judge(status: number, text: string): { body: unknown } | string {
  if (status !== 200) return `HTTP ${status}: ${text.trim()}`;
  try {
    return { body: JSON.parse(text) as unknown };
  } catch {
    return `not an answer of etcd: ${text.trim()}`;
  }
}

/**
 * Questions to etcd's JSON gateway: one POST after the other over kept connections, to the endpoint that answered last. Its
 * own deadline ends each; what becomes of a question that was sent and not answered is not known. A question that changes
 * nothing goes to the next endpoint, too, when no answer has come for a while: a member that is frozen takes connections.
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

const NOBODY: Exchange = { ok: false, sent: false, text: 'the cluster file names no endpoint' };

type Settings = EtcdData['arbiter'];

export class Gateway {
  readonly #settings: Settings;
  readonly #endpoints: readonly URL[];
  readonly #names = new Names();
  readonly #agents = new Map<number, PlainAgent | TlsAgent>();
  /** Index of the endpoint that is asked first: the one that answered last. */
  #present = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#endpoints = settings.endpoints.map((text) => new URL(text));
  }

  /**
   * Never throws. The next endpoint is tried in the time that is left: with `repeatable` after every failure and beside one
   * that keeps silent, else only when the question was surely not sent.
   */
  post(path: string, body: unknown, withinMs: Ms, repeatable: boolean): Promise<Exchange> {
    const text = JSON.stringify(body);
    return repeatable ? this.#postToAny(path, text, withinMs) : this.#postOnce(path, text, withinMs);
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  async #postOnce(path: string, body: string, withinMs: Ms): Promise<Exchange> {
    const end = performance.now() + withinMs;
    let outcome = NOBODY;
    for (let tries = 0; tries < this.#endpoints.length; tries++) {
      const leftMs = end - performance.now();
      if (tries > 0 && leftMs < ASKED_MS_MIN) break;
      const asked = this.#present;
      outcome = await this.#postTo(asked, path, body, leftMs);
      if (outcome.ok) return outcome;
      if (this.#present === asked) this.#present = (asked + 1) % this.#endpoints.length;
      if (outcome.sent) break;
    }
    return outcome;
  }

  /** The first answer counts. */
  #postToAny(path: string, body: string, withinMs: Ms): Promise<Exchange> {
    const count = this.#endpoints.length;
    const end = performance.now() + withinMs;
    const first = this.#present;
    return new Promise((resolve) => {
      let tries = 0;
      let open = 0;
      let sent = false;
      let last = NOBODY;
      let timer: NodeJS.Timeout | undefined;
      const finish = (outcome: Exchange): void => {
        clearTimeout(timer);
        resolve(outcome);
      };
      const ask = (): void => {
        clearTimeout(timer);
        const leftMs = end - performance.now();
        if (tries >= count || (tries > 0 && leftMs < ASKED_MS_MIN)) {
          if (open === 0) finish(last.ok ? last : { ...last, sent });
          return;
        }
        const asked = (first + tries++) % count;
        open++;
        void this.#postTo(asked, path, body, leftMs).then((outcome) => {
          open--;
          if (outcome.ok) {
            this.#present = asked;
            return finish(outcome);
          }
          last = outcome;
          sent ||= outcome.sent;
          ask();
        });
        if (tries < count) timer = setTimeout(ask, withinMs / (count + 1));
      };
      ask();
    });
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
      if (!outcome.ok) this.#forget(index, agent);
      return outcome.ok ? outcome : { ...outcome, text: `${url.host}: ${outcome.text}` };
    } catch (error) {
      // A certificate or key that cannot be read.
      return { ok: false, sent: false, text: `${url.host}: ${(error as Error).message}` };
    }
  }

  /** Another question may be under way by it: only what waits is closed. */
  #forget(index: number, agent: PlainAgent | TlsAgent): void {
    for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
    if (this.#agents.get(index) === agent) this.#agents.delete(index);
  }

  /** Made anew after each failure, and with it certificates and key read: they are renewed now and then. */
  #agentFor(index: number, url: URL): PlainAgent | TlsAgent {
    const known = this.#agents.get(index);
    if (known !== undefined) return known;
    const kept = { keepAlive: true, maxFreeSockets: 1, noDelay: true, lookup: this.#names.lookup };
    const { ca, cert, key } = this.#settings;
    const agent =
      url.protocol === 'https:'
        ? new TlsAgent({
            ...kept,
            ...(ca !== undefined && { ca: readFileSync(ca) }),
            ...(cert !== undefined && { cert: readFileSync(cert) }),
            ...(key !== undefined && { key: readFileSync(key) }),
          })
        : new PlainAgent(kept);
    this.#agents.set(index, agent);
    return agent;
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

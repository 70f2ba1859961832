/**
 * The gate's hand: a thread of its own, for the kernel may hold a transaction 220 ms while a firewall reloads.
 *
 *   engine ──write-gate──▶ hand ──transactions──▶ nf_tables
 *          ◀──gate-written, gate-lost──  ◀──transactions of others──
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Ms } from '../../../src/input.js';
import type { FromGate, GateAction, GateData, ToGate } from '../gate-port.js';
import { setThreadName } from '../socket.js';
import { monotonicMs } from '../wake.js';
import { Gatekeeper, type GatekeeperOptions, type Order } from './gatekeeper.js';
import { TransactionWatch } from './watch.js';

/** Others' transactions are followed by one look this much later, and not more often than that. */
const LOOK_AFTER_MS: Ms = 5;
const RETRY_MS: Ms = 20;
const RETRY_MAX_MS: Ms = 1000;

/** Next message that waits, or undefined. */
export type Waiting = () => ToGate | undefined;

export class GateThread {
  readonly #post: (message: FromGate) => void;
  readonly #waiting: Waiting;
  readonly #keeper: Gatekeeper;
  #watch: TransactionWatch | undefined;
  /** As `commits` of the keeper, by what the watch heard: more than those, and others changed something, too. */
  #counted = 0;
  #look: NodeJS.Timeout | undefined;
  #retryMs: Ms = RETRY_MS;
  #complaint = '';
  /** What came while the gate was written. */
  readonly #queue: ToGate[] = [];

  /** Makes or adopts the tables at once. `waiting` takes the next message off the line. Throws where the kernel gives no netlink socket. */
  constructor(data: GateData, post: (message: FromGate) => void, waiting: Waiting, options: GatekeeperOptions = {}) {
    this.#post = post;
    this.#waiting = waiting;
    this.#keeper = new Gatekeeper(data.addresses, data.renewLateMaxMs, options);
    this.#establish();
    // The closed gate comes first: what keeps silent must not wait for what is to be fast later.
    this.#keeper.rehearse();
  }

  /** Never throws. */
  take(message: ToGate): void {
    this.#queue.push(message);
    this.#drain();
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      if (next.kind === 'settle') this.#post({ kind: 'settled', id: next.id });
      else this.#write(this.#newestFrom(next));
    }
  }

  #drain(): void {
    for (let next = this.#waiting(); next !== undefined; next = this.#waiting()) this.#queue.push(next);
  }

  /** Of the write-gates that wait, up to a settle, only the newest is written. */
  #newestFrom(action: GateAction): GateAction {
    let newest = action;
    for (let next = this.#queue[0]; next?.kind === 'write-gate'; next = this.#queue[0]) {
      newest = next;
      this.#queue.shift();
    }
    return newest;
  }

  #write(first: GateAction): void {
    const begin = monotonicMs();
    let action = first;
    const newer = (): Order => {
      this.#drain();
      return (action = this.#newestFrom(action));
    };
    if (!this.#keeper.stands) this.#establish();
    const outcome = this.#keeper.write(action, newer);
    const tookMs = monotonicMs() - begin;
    this.#post({ kind: 'gate-written', id: action.id, outcome, tookMs });
    if (!this.#keeper.stands) this.#putBack('the tables are gone');
  }

  /** The tables are there afterwards, or it is tried again later. */
  #establish(start: 'adopt' | 'closed' = 'adopt'): void {
    try {
      const standing = this.#keeper.establish(start);
      this.#retryMs = RETRY_MS;
      this.#complaint = '';
      this.#watchIfNeeded();
      if (standing.is === 'adopted' && standing.leftMs > 0) {
        const held = standing.held.length === 0 ? 'nothing' : standing.held.join(', ');
        this.note(`the gate of an earlier run is taken over, open for ${Math.round(standing.leftMs)} ms for ${held}`);
      }
      if (standing.is === 'replaced') this.note('the gate that was there had other rules; it is replaced, closed');
    } catch (error) {
      this.#complain(`the gate cannot be made: ${textOf(error)}`);
      this.#lookAfter(this.#retryMs);
      this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MAX_MS);
    }
  }

  #putBack(what: string): void {
    this.#establish('closed');
    this.#post({ kind: 'gate-lost', text: what });
  }

  #watchIfNeeded(): void {
    if (this.#keeper.isOwner) {
      this.#watch?.close();
      this.#watch = undefined;
      return;
    }
    if (this.#watch !== undefined) return;
    this.#counted = this.#keeper.commits;
    this.#watch = new TransactionWatch((transactions) => this.#heard(transactions));
    // Between the last look and the subscription nobody watched.
    this.#lookAfter(0);
  }

  #heard(transactions: number): void {
    this.#counted += transactions;
    if (this.#counted <= this.#keeper.commits) return;
    this.#counted = this.#keeper.commits;
    this.#lookAfter(LOOK_AFTER_MS);
  }

  #lookAfter(ms: Ms): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined;
      this.#lookNow();
    }, ms);
  }

  #lookNow(): void {
    if (!this.#keeper.stands) return this.#establish();
    try {
      const wrong = this.#keeper.check();
      if (wrong !== null) this.#putBack(wrong);
    } catch (error) {
      this.#complain(`the gate's tables cannot be read: ${textOf(error)}`);
      this.#lookAfter(RETRY_MAX_MS);
    }
  }

  /** Once, however often it is tried. */
  #complain(text: string): void {
    if (text !== this.#complaint) this.note(text);
    this.#complaint = text;
  }

  note(text: string): void {
    this.#post({ kind: 'noted', text });
  }

  /** The gate stays as it is, and closes by itself. */
  close(): void {
    clearTimeout(this.#look);
    this.#watch?.close();
    this.#keeper.close();
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

if (parentPort) {
  const port = parentPort;
  setThreadName('baton-gate');
  const waiting: Waiting = () => (receiveMessageOnPort(port) as { message: ToGate } | undefined)?.message;
  const hand = new GateThread(workerData as GateData, (message) => port.postMessage(message), waiting);
  process.on('uncaughtException', (error) => hand.note(`the gate's hand slipped: ${error.stack ?? error.message}`));
  port.on('message', (message: ToGate) => hand.take(message));
}

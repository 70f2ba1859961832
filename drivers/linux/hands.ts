/**
 * The hands: a thread of their own for everything that the kernel may hold up, which with rtnl is 150 ms and more.
 *
 *   engine ──change-host, persist, observe──▶ hands ──requests──▶ rtnetlink, /proc/sys, run directory
 *          ◀──host-changed, host-observed────       ◀──news─────
 */
import { uptime } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { Step } from '../../src/action.js';
import type { Ms, SwitchFailure } from '../../src/input.js';
import type { FromHands, HandsAction, HandsData, ToHands } from './hands-port.js';
import { Mirror } from './mirror.js';
import { Memberships } from './multicast.js';
import { NetlinkError } from './netlink/message.js';
import { Monitor } from './netlink/monitor.js';
import { Session } from './netlink/session.js';
import { rehearse } from './rehearsal.js';
import { readRecords, writeRecord } from './run-directory.js';
import { setThreadName } from './socket.js';
import { readState } from './state-store.js';
import { performStep, type StepTools } from './step.js';

/** A burst of news is looked at once, this long after its first. */
const COALESCE_MS: Ms = 1;
/** A look that took longer than this is followed by as long a rest, so that a storm of news leaves half of the core. */
const SLOW_LOOK_MS: Ms = 5;
const RETRY_MS: Ms = 20;
const RETRY_MAX_MS: Ms = 1000;
/** What no news tell is read again: one NIC in ten each second, and no more than this, for each costs 0.2 ms. */
const UNTOLD_EVERY_MS: Ms = 1000;
const UNTOLD_SHARE = 10;
const UNTOLD_MAX = 20;

type ChangeHost = Extract<HandsAction, { kind: 'change-host' }>;

export class HandsThread {
  readonly #post: (message: FromHands) => void;
  readonly #runDir: string;
  readonly #session = new Session();
  readonly #monitor: Monitor;
  readonly #mirror: Mirror;
  readonly #tools: StepTools;
  /** NICs to be told of although nothing about them changed. */
  readonly #again = new Set<string>();
  #look: NodeJS.Timeout | undefined;
  #lookTookMs: Ms = 0;
  #retryMs: Ms = RETRY_MS;
  #untoldAt = 0;

  /** Looks at everything at once, and goes on looking. Throws where the kernel gives no netlink socket. */
  constructor(data: HandsData, post: (message: FromHands) => void, monitorBytes?: number) {
    this.#post = post;
    this.#runDir = data.runDir;
    this.#mirror = new Mirror(this.#session, data);
    this.#tools = {
      session: this.#session,
      names: this.#mirror.links,
      memberships: new Memberships(),
      linkOf: (nic) => this.#mirror.links.get(this.#mirror.links.indexOf(nic)),
      isMonitored: (nic) => this.#mirror.isMonitored(nic),
    };
    const listener = {
      heard: this.#mirror.heard.bind(this.#mirror),
      lost: () => this.#mirror.distrust(),
      settled: () => this.#lookSoon(),
    };
    // News are subscribed to before the first look, so that nothing falls between.
    this.#monitor = new Monitor(listener, monitorBytes);
    this.#post({
      kind: 'started',
      run: readRecords(data.runDir),
      ...this.#readDurable(data),
      hostUpMs: uptime() * 1000,
    });
    this.#lookNow();
    this.#rehearse();
    setInterval(() => this.#readUntold(), UNTOLD_EVERY_MS).unref();
  }

  /** Never throws. */
  take(message: ToHands): void {
    switch (message.kind) {
      case 'change-host':
        return this.#changeHost(message);
      case 'persist':
        return this.#persist(message.record);
      case 'observe':
        this.#mirror.suspect(message.nics);
        return this.#lookNow(message.nics);
      case 'settle':
        return this.#post({ kind: 'settled', id: message.id });
    }
  }

  #readDurable({ stateDir }: HandsData): { durable: unknown; damaged: boolean } {
    if (stateDir === undefined) return { durable: null, damaged: false };
    const { durable, damaged, trouble } = readState(stateDir);
    if (trouble !== undefined) this.note(trouble);
    return { durable, damaged };
  }

  #changeHost(action: ChangeHost): void {
    if (action.record) this.#persist(action.record);
    // Names may have changed since the last turn of the event loop.
    this.#monitor.drain();
    const failed = this.#performAll(action.steps);
    const undone = failed !== undefined && action.undo !== undefined && this.#undo(action.undo, failed.step);
    this.#post({ kind: 'host-changed', id: action.id, ...(failed && { failed }), undone });
    this.#monitor.drain();
    this.#lookNow([...action.steps, ...(action.undo ?? [])].map(nicOf));
  }

  #performAll(steps: readonly Step[]): SwitchFailure | undefined {
    for (const [step, each] of steps.entries()) {
      const failure = this.#attempt(each);
      if (failure) return { step, ...failure };
    }
    return undefined;
  }

  /** Takes back the steps before the failed one, last first; one that cannot be taken back does not hold up the others. */
  #undo(undo: readonly Step[], failedStep: number): boolean {
    const failures = undo
      .slice(0, failedStep)
      .reverse()
      .map((step) => this.#attempt(step));
    return failures.every((failure) => failure === undefined);
  }

  #attempt(step: Step): Omit<SwitchFailure, 'step'> | undefined {
    try {
      performStep(step, this.#tools);
      return undefined;
    } catch (error) {
      return failureOf(error);
    }
  }

  /** A switch without its record is better than none: a record that cannot be written is told, and holds up nothing. */
  #persist(record: NonNullable<ChangeHost['record']>): void {
    try {
      writeRecord(this.#runDir, record);
    } catch (error) {
      this.note(`the run directory takes no record: ${failureOf(error).text}`);
    }
  }

  #lookSoon(): void {
    if (!this.#mirror.isTouched || this.#look !== undefined) return;
    this.#lookAfter(this.#lookTookMs > SLOW_LOOK_MS ? this.#lookTookMs : COALESCE_MS);
  }

  #lookAfter(ms: Ms): void {
    clearTimeout(this.#look);
    this.#look = setTimeout(() => this.#lookNow(), ms);
  }

  #lookNow(again: readonly string[] = []): void {
    clearTimeout(this.#look);
    this.#look = undefined;
    for (const nic of again) if (this.#mirror.isMonitored(nic)) this.#again.add(nic);
    const begin = performance.now();
    try {
      const news = this.#mirror.flush([...this.#again]);
      this.#again.clear();
      if (news) this.#post({ kind: 'host-observed', ...news });
      this.#retryMs = RETRY_MS;
    } catch (error) {
      if (this.#retryMs === RETRY_MAX_MS) this.note(`the kernel's tables cannot be read: ${failureOf(error).text}`);
      this.#lookAfter(this.#retryMs);
      this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MAX_MS);
    }
    this.#lookTookMs = performance.now() - begin;
  }

  #rehearse(): void {
    try {
      rehearse(this.#session);
    } catch (error) {
      this.note(`the first switch may be slow, its rehearsal failed: ${failureOf(error).text}`);
    }
  }

  #readUntold(): void {
    const { nics } = this.#mirror;
    const count = Math.min(Math.ceil(nics.length / UNTOLD_SHARE), UNTOLD_MAX);
    const from = this.#untoldAt;
    this.#untoldAt = from + count >= nics.length ? 0 : from + count;
    this.#mirror.suspectUntold(nics.slice(from, from + count), !this.#monitor.tellsGroups);
    this.#lookSoon();
  }

  note(text: string): void {
    this.#post({ kind: 'noted', text });
  }
}

function nicOf(step: Step): string {
  return 'route' in step ? step.route.nic : step.nic;
}

function failureOf(error: unknown): Omit<SwitchFailure, 'step'> {
  if (error instanceof NetlinkError) return { code: error.code, text: error.text };
  if (!(error instanceof Error)) return { code: 'EUNKNOWN', text: String(error) };
  return { code: (error as NodeJS.ErrnoException).code ?? 'EUNKNOWN', text: error.message };
}

if (parentPort) {
  const port = parentPort;
  setThreadName('baton-hands');
  const hands = new HandsThread(workerData as HandsData, (message) => port.postMessage(message));
  process.on('uncaughtException', (error) => hands.note(`the hands slipped: ${error.stack ?? error.message}`));
  port.on('message', (message: ToHands) => hands.take(message));
}

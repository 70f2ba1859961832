/**
 * The real kernel, as the engine's thread sees it. Nothing here waits for rtnl:
 *
 *   packet and echo sockets ─┐                                   ┌─▶ outbox, echo   send-frame, send-echo
 *   heartbeat sockets ───────┤                                   ├─▶ datagrams      send-datagram
 *   timerfd ─────────────────┼─▶ inputs, one at a time ─▶ engine ┼─▶ hands          change-host, persist, observe
 *   sysfs by kept files ─────┤                                   ├─▶ gate, arbiter  write-gate, ask-arbiter
 *   hands, gate, arbiter, ───┤                                   ├─▶ serial line    send-serial
 *   serial line ─────────────┤                                   ├─▶ state store    store
 *   state store ─────────────┘                                   └─▶ local          journal, answer-operator, exit
 *
 * A turn that begins late first says `stalled`; a turn of the timer drains every socket before it says `woke`, so that
 * silence is never judged while the answer waits in a buffer.
 */
import { randomBytes } from 'node:crypto';
import type { Action } from '../../src/action.js';
import type { ClusterNode, Timing } from '../../src/config/cluster.js';
import type { Input, Ms } from '../../src/input.js';
import type { AgentInput, AgentLine } from '../agent/agent-port.js';
import type { ArbiterHand, ArbiterInput } from '../arbiter/arbiter-port.js';
import type { Driver } from '../driver.js';
import { Carrier } from './carrier.js';
import { CounterReader } from './counters.js';
import { Datagrams, type HeartbeatAddress } from './datagrams.js';
import { Echo } from './echo.js';
import type { GateAction, GateHand, GateInput } from './gate-port.js';
import type { Hands, HandsInput } from './hands-port.js';
import { Nics } from './nics.js';
import { Outbox } from './outbox.js';
import { Packets } from './packets.js';
import { askForRealTime } from './priority.js';
import { SerialEnd, type SerialHand, type SerialInput } from './serial-port.js';
import { type Persisted, StateStore } from './state-store.js';
import { monotonicMs, Wake } from './wake.js';

export type LocalAction = Extract<Action, { kind: 'journal' | 'answer-operator' | 'exit' }>;

export interface LinuxDriverOptions {
  self: ClusterNode;
  timing: Pick<Timing, 'pollMs' | 'carrierPollMs'>;
  hands: Hands;
  /** Absent: no heartbeat. */
  heartbeat?: { port: number; addresses: readonly HeartbeatAddress[] };
  /** Absent: this cluster has no durable record. */
  stateDir?: string;
  /** Absent: this cluster has no gate, and every `write-gate` is as good as done. */
  gate?: GateHand;
  arbiter?: ArbiterHand;
  /** Absent: this node has no serial line. */
  serial?: SerialHand;
  /** Who runs programs. Absent: none is run. */
  agents?: AgentLine;
  /** What the engine does itself. `exit` comes when hands and gate have done all that was asked of them before it. */
  local: (action: LocalAction) => void;
  /** Something for the operator to know, once. */
  note?: (text: string) => void;
  /** Ask for SCHED_FIFO for the calling thread. Default: true. */
  realTime?: boolean;
}

/** Counters wait for a wake-up that is due anyway, for this part of a poll. */
const COUNTERS_WAIT = 1 / 8;
/** The sent count of a NIC is evidence of nothing, and for the operator's eyes only: read with one in so many readings. */
const SENT_EACH = 10;

/** What is written to the line is on its way. */
const LINE_SETTLES_MS: Ms = 50;

export class LinuxDriver implements Driver {
  readonly #options: LinuxDriverOptions;
  readonly #nics: Nics;
  readonly #carrier: Carrier;
  readonly #counters: CounterReader;
  readonly #packets: Packets;
  readonly #outbox: Outbox;
  readonly #echo: Echo;
  readonly #datagrams: Datagrams;
  readonly #serial: SerialEnd | null;
  readonly #store: StateStore | null;
  readonly #wake: Wake;
  readonly #waiting: Input[] = [];
  readonly #dropped: Record<string, number> = {};
  #take: ((input: Input) => void) | null = null;
  #delivering = false;
  #turning = false;
  #readings = 0;
  #begun = false;
  #exiting = false;
  #deadline: Ms = Infinity;
  #nextCounters: Ms = Infinity;

  /** Opens every socket. Throws `NodeJS.ErrnoException` without CAP_NET_RAW and CAP_NET_ADMIN. */
  constructor(options: LinuxDriverOptions) {
    this.#options = options;
    const drop = (reason: string): void => this.#drop(reason);
    const enter = (): void => this.#wake.check();
    this.#wake = new Wake(options.timing.pollMs / 2, (forMs) => this.#hand({ kind: 'stalled', forMs }));
    this.#nics = new Nics([...new Set(options.self.nets.flatMap((net) => [net.primary, ...net.standby]))]);
    this.#packets = new Packets(this.#nics, (nic, bytes) => this.#hand({ kind: 'frame-received', nic, bytes }), drop);
    this.#outbox = new Outbox(this.#nics, drop, () => this.now());
    const answered = (nic: string, target: string): void => this.#hand({ kind: 'echo-answered', nic, target });
    this.#echo = new Echo(this.#nics, randomBytes(8), answered, drop, enter);
    const { port, addresses } = options.heartbeat ?? { port: 0, addresses: [] };
    this.#datagrams = new Datagrams(this.#nics, port, addresses, (input) => this.#hand(input), drop);
    this.#serial = options.serial ? new SerialEnd(options.serial, (reason, count) => this.#drop(reason, count)) : null;
    this.#store = options.stateDir === undefined ? null : new StateStore(options.stateDir, (done) => this.#hear(done));
    this.#counters = new CounterReader(this.#nics);
    this.#carrier = new Carrier(this.#nics, (nic, state) => this.#hand({ kind: 'carrier-changed', nic, state }));
  }

  now(): Ms {
    return monotonicMs();
  }

  /** Resolves when the hands have said `started`, which is the first input; everything else begins after it. */
  open(take: (input: Input) => void): Promise<void> {
    this.#take = take;
    if (this.#options.realTime ?? true) this.#askForPriority();
    const early: (GateInput | ArbiterInput | AgentInput | SerialInput)[] = [];
    const hear = (input: GateInput | ArbiterInput | AgentInput | SerialInput): void => {
      if (this.#begun) this.#hear(input);
      else early.push(input);
    };
    this.#options.gate?.onInput(hear);
    this.#options.arbiter?.onInput(hear);
    this.#options.agents?.onInput(hear);
    this.#serial?.onInput(hear);
    return new Promise((resolve) => {
      this.#options.hands.onInput((input) => {
        this.#hear(input);
        if (!this.#begun) this.#begin();
        for (const waiting of early.splice(0)) this.#hear(waiting);
        resolve();
      });
    });
  }

  perform(actions: readonly Action[]): void {
    for (const action of actions) {
      if (this.#exiting) return;
      if (action.kind !== 'send-frame' && action.kind !== 'send-datagram') this.#flush();
      this.#do(action);
    }
    if (!this.#turning) this.#flush();
  }

  wakeAt(deadline: Ms): void {
    this.#deadline = deadline;
    if (this.#begun && !this.#turning) this.#rearm();
  }

  /** p99 of the last minute's wake-ups, the maximum since the start. */
  lateness(): { p99Ms: Ms; maxMs: Ms } {
    return this.#wake.lateness.summary();
  }

  /** What was ignored or could not be sent since the start: reason → count. */
  dropped(): Readonly<Record<string, number>> {
    return this.#dropped;
  }

  async close(): Promise<void> {
    this.#take = null;
    this.#wake.close();
    const parts = [this.#packets, this.#outbox, this.#echo, this.#datagrams, this.#counters, this.#carrier];
    for (const part of parts) part.close();
    // A disk that hangs must not keep the daemon.
    void this.#store?.close().catch(() => undefined);
  }

  #begin(): void {
    this.#begun = true;
    // The hands have read the record.
    void this.#store?.prepare();
    const enter = (): void => {
      this.#wake.check();
      this.#turning = true;
    };
    const leave = (): void => this.#settle();
    this.#packets.start(enter, leave);
    this.#datagrams.start(enter, leave);
    this.#carrier.hint(this.#nics.names);
    this.#carrier.start(this.#options.timing.carrierPollMs, this.#wake.beat, enter, leave);
    // What was due before the hands were there could not be done then: that is no stall.
    const now = monotonicMs();
    this.#nextCounters = now;
    this.#deadline = Math.max(this.#deadline, now);
    this.#wake.start(() => this.#turn());
    this.#rearm();
  }

  /** The timer fired. */
  #turn(): void {
    this.#turning = true;
    const now = monotonicMs();
    const drained = this.#deadline <= now;
    if (drained) {
      this.#packets.drain();
      this.#echo.drain();
      this.#datagrams.drain();
    }
    if (this.#nextCounters <= now) {
      this.#nextCounters = next(this.#nextCounters, this.#options.timing.pollMs, now);
      this.#readCounters();
    }
    // After a sleep within this turn the next one says `stalled`, drains what came meanwhile, and wakes then.
    if (drained && this.#deadline <= now && monotonicMs() - now <= this.#wake.stallMs) {
      this.#deadline = Infinity;
      this.#hand({ kind: 'woke' });
    }
    this.#settle();
  }

  /** Ends what was begun by `#turning`: frames and datagrams go out, and the timer is set, once for all inputs of a turn or a batch. */
  #settle(): void {
    this.#turning = false;
    this.#flush();
    this.#rearm();
  }

  #flush(): void {
    this.#outbox.flush();
    this.#datagrams.flush();
  }

  #readCounters(): void {
    this.#packets.drainLinkLocal();
    const linkLocal = (nic: string): number => this.#packets.linkLocal(nic);
    const counters = this.#counters.read(linkLocal, this.#readings++ % SENT_EACH === 0);
    this.#hand({ kind: 'counters-read', counters });
  }

  #rearm(): void {
    const latestCounters = this.#nextCounters + this.#options.timing.pollMs * COUNTERS_WAIT;
    if (this.#take !== null) this.#wake.at(Math.min(this.#deadline, latestCounters));
  }

  #hear(input: HandsInput | GateInput | ArbiterInput | AgentInput | SerialInput | Persisted): void {
    this.#wake.check();
    // Before the machine hears of it, so that its first word from a new NIC finds a socket.
    if (input.kind === 'host-observed') this.#datagrams.follow(input.nics, input.missing);
    this.#hand(input);
    // The hands hear of changes that the carrier poll finds by turns only: admin state, deletion, renaming.
    if (input.kind === 'host-observed' && this.#begun) {
      this.#carrier.hint([...input.nics.map(({ nic }) => nic), ...input.missing]);
    }
  }

  /** Gives it to the engine now, or after the one that it is busy with. */
  #hand(input: Input): void {
    this.#waiting.push(input);
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let first = this.#waiting.shift(); first !== undefined; first = this.#waiting.shift()) this.#take?.(first);
    } finally {
      this.#delivering = false;
    }
  }

  #do(action: Action): void {
    switch (action.kind) {
      case 'send-frame':
        return this.#outbox.add(action.nic, action.bytes, action.until);
      case 'send-echo':
        return this.#echo.send(action.nic, action.target);
      case 'change-host':
      case 'persist':
      case 'observe':
        return this.#options.hands.post(action);
      case 'send-datagram':
        return this.#datagrams.send(action.nic, action.from, action.to, action.bytes);
      case 'send-serial':
        return this.#serial ? this.#serial.send(action.bytes) : this.#drop('serial-nowhere');
      case 'store':
        return this.#store ? this.#store.store(action.id, action.record) : this.#drop('store-nowhere');
      case 'ask-arbiter':
        return this.#options.arbiter ? this.#options.arbiter.post(action) : this.#drop('ask-nobody');
      case 'write-gate':
        return this.#writeGate(action);
      case 'run-agent':
      case 'end-agent':
        return this.#options.agents ? this.#options.agents.post(action) : this.#drop('agent-nowhere');
      case 'journal':
      case 'answer-operator':
        return this.#options.local(action);
      case 'exit':
        this.#exiting = true;
        return this.#settleHands(() => this.#options.local(action));
    }
  }

  #writeGate(action: GateAction): void {
    if (this.#options.gate) return this.#options.gate.post(action);
    queueMicrotask(() => this.#hear({ kind: 'gate-written', id: action.id, outcome: { ok: true }, tookMs: 0 }));
  }

  #settleHands(done: () => void): void {
    const { hands, gate } = this.#options;
    hands.settle(() => (gate ? gate.settle(() => this.#settleLine(done)) : this.#settleLine(done)));
  }

  /** The last words go out over the line, too; one whose device hangs is not waited for. */
  #settleLine(done: () => void): void {
    if (this.#serial === null) return done();
    let isOpen = true;
    const once = (): void => {
      if (isOpen) done();
      isOpen = false;
    };
    this.#serial.settle(once);
    setTimeout(once, LINE_SETTLES_MS);
  }

  #drop(reason: string, count = 1): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + count;
  }

  #askForPriority(): void {
    try {
      askForRealTime();
    } catch (error) {
      this.#options.note?.(`no real-time priority for the engine (${(error as NodeJS.ErrnoException).code})`);
    }
  }
}

/** The next moment of a beat; beats that were slept through are left out. */
function next(due: Ms, everyMs: Ms, now: Ms): Ms {
  return due + everyMs > now ? due + everyMs : now + everyMs;
}

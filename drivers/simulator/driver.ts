/**
 * The driver of a simulated host: the same inputs, in the same order and with the same small delays, as the Linux
 * driver brings from a real one.
 *
 *     host ──touched──▶ host-observed (within milliseconds)      hands ──▶ host-changed, host-observed
 *          ──carrier──▶ carrier-changed (on the carrierPoll grid)
 *          ──frames───▶ frame-received                            clock ──▶ counters-read (each poll), woke
 *          ──udp──────▶ datagram-received                         disk ───▶ persisted
 *          ──line─────▶ serial-received, serial-changed
 *                                                                 gate hand ──▶ gate-written, gate-lost
 */
import type { Action, Step } from '../../src/action.js';
import type { Timing } from '../../src/config/cluster.js';
import { ETHERTYPE_ARP, ETHERTYPE_IPV6, ETHERTYPE_POLL } from '../../src/frame/ethernet.js';
import { ipFamily } from '../../src/frame/ip.js';
import type { ArbiterAnswer } from '../../src/membership/arbiter-record.js';
import type { Counters, Input, Ms } from '../../src/input.js';
import type { AgentAction, AgentLine } from '../agent/agent-port.js';
import type { Driver } from '../driver.js';
import type { ArbiterLine } from './arbiter-calls.js';
import type { Timer } from './clock.js';
import type { Disk } from './disk.js';
import { GateHand } from './gate-hand.js';
import { Hands, type RunDirectory } from './hands.js';
import type { Host } from './host.js';
import { observe } from './observation.js';
import type { Random } from './random.js';
import type { Errno } from './routes.js';
import type { SerialPort } from './serial-wire.js';
import type { Datagram, Trace } from './wire.js';

/** From a change in the kernel to its netlink message in the engine. */
const OBSERVE_MS = { from: 0.2, to: 1.5 };
/** How late the timer is. */
const LATE_MS = { from: 0.02, to: 0.15 };
const ECHO_MS: Ms = 0.1;
/** Frames that wait in the sockets of a process that does not read; more are lost. */
const SOCKET_FRAMES_MAX = 1000;

/** What a cluster file asks of a driver beside its NICs. */
export interface Wiring {
  /** Stationary addresses to which heartbeats come. */
  listens: ReadonlySet<string>;
  port: number;
  /** Floating addresses that the gate is to mind; absent: no gate. */
  floating?: readonly string[];
}

export interface DriverOptions {
  host: Host;
  /** Names of the NICs of the cluster file. */
  nics: string[];
  /** And of the macvlans of its floating addresses. */
  macvlans: string[];
  timing: Timing;
  random: Random;
  runDirectory: RunDirectory;
  disk: Disk;
  wiring: Wiring;
  arbiter?: ArbiterLine;
  /** Its end of the serial line. Absent: there is none. */
  line?: SerialPort;
  /** Programs on this host. Absent: there are none. */
  agents?: AgentLine;
  /** How long the process stands still before its next effect, or between two effects of the gate's hand: mostly not at all. */
  pauseMs?: (where: 'effect' | 'gate') => Ms;
  /** Zero of this node's own clock. */
  offsetMs: Ms;
  /** Programs count their traffic before counters are read. */
  settle: () => void;
  mayChange: () => boolean;
  made: (step: Step, code: Errno | null) => void;
}

export class SimulatorDriver implements Driver {
  readonly #options: DriverOptions;
  readonly #hands: Hands;
  /** All of which the machine is told. */
  readonly #watched: readonly string[];
  readonly #carriers = new Map<string, { state: 'up' | 'down' | 'admin' | 'missing'; changes: number }>();
  readonly #touched = new Set<string>();
  /** Inputs that a frozen process has not read. */
  readonly #unread: Input[] = [];
  #take: (input: Input) => void = () => {};
  readonly #gate: GateHand | null;
  #closed = false;
  /** So many stops are in force. */
  #stops = 0;
  #frozenAt: Ms | null = null;
  /** Slept, and not told yet. */
  #sleptMs: Ms = 0;
  /** What was to be done when the process stopped. */
  #undone: Action[] = [];
  #whenDone: (() => void)[] = [];
  #observing = false;
  #looking = false;
  #openedAt: Ms = 0;
  #wake: { deadline: Ms; timer: Timer } | null = null;
  /** The deadline came while the process was frozen. */
  #overdue = false;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#watched = [...options.nics, ...options.macvlans];
    const { host, random, runDirectory, mayChange, made } = options;
    this.#hands = new Hands({
      host,
      random: random.stream('hands'),
      runDirectory,
      mayChange,
      made,
      observe: (nics) => this.#observe(nics),
      changed: (id, failed, undone, nics) => {
        this.#give({ kind: 'host-changed', id, ...(failed === undefined ? {} : { failed }), undone });
        this.#observe(nics.filter((nic) => this.#watched.includes(nic)));
      },
    });
    const { floating } = options.wiring;
    this.#gate = floating === undefined ? null : this.#gateHand(floating);
  }

  #gateHand(floating: readonly string[]): GateHand {
    const { host, random, timing, pauseMs } = this.#options;
    return new GateHand({
      host,
      random: random.stream('gate'),
      floating,
      tokenMs: timing.renewLateMaxMs,
      now: () => this.now(),
      written: (id, outcome, tookMs) => this.#give({ kind: 'gate-written', id, outcome, tookMs }),
      lost: (text) => this.#give({ kind: 'gate-lost', text }),
      mayPause: () => {
        const ms = pauseMs?.('gate') ?? 0;
        if (ms > 0) this.freezeFor(ms);
      },
    });
  }

  now(): Ms {
    return this.#options.host.clock.now + this.#options.offsetMs;
  }

  get frozen(): boolean {
    return this.#frozenAt !== null;
  }

  async open(take: (input: Input) => void): Promise<void> {
    this.start(take);
  }

  /** As `open`, within the same event. */
  start(take: (input: Input) => void): void {
    const { host, runDirectory, timing, disk } = this.#options;
    this.#take = take;
    this.#openedAt = host.world.clock.now;
    host.onTouched = (nic) => this.#hostTouched(nic);
    host.onCarrier = () => this.#lookSoon();
    host.onFrame = (nic, bytes) => this.#frame(nic, bytes);
    host.onUdp = (nic, datagram) => this.#datagram(nic, datagram);
    const { switch: plan, ledger } = runDirectory;
    const run = {
      switch: plan === undefined ? null : (JSON.parse(plan) as unknown),
      ledger: ledger === undefined ? null : (JSON.parse(ledger) as unknown),
    };
    this.#options.agents?.onInput((input) => this.#give(input));
    this.#options.line?.onInput((input) => this.#give(input));
    this.#give({
      kind: 'started',
      run: run.switch === null && run.ledger === null ? null : run,
      ...disk.read(),
      hostUpMs: host.clock.now - host.bootedAt,
    });
    this.#observe(this.#watched);
    this.#look();
    host.world.clock.after(timing.pollMs, () => this.#count());
  }

  perform(actions: readonly Action[]): void {
    for (const [at, action] of actions.entries()) {
      if (this.#closed) return;
      const pauseMs = this.#options.pauseMs?.('effect') ?? 0;
      if (pauseMs > 0) this.freezeFor(pauseMs);
      if (this.frozen) {
        this.#undone.push(...actions.slice(at));
        return;
      }
      switch (action.kind) {
        case 'send-frame':
          if (action.until !== undefined && this.now() >= action.until) break;
          this.#options.host.nics.get(action.nic)?.transmitBytes(action.bytes);
          break;
        case 'send-echo':
          this.#echo(action.nic, action.target);
          break;
        case 'change-host':
        case 'persist':
        case 'observe':
          this.#hands.post(action);
          break;
        case 'send-datagram':
          this.#send(action.nic, action.from, action.to, action.bytes);
          break;
        case 'send-serial':
          this.#options.line?.send(action.bytes);
          break;
        case 'store':
          this.#options.disk.write(action.id, action.record, (id, failed) =>
            this.#give({ kind: 'persisted', id, ...(failed === undefined ? {} : { failed }) }),
          );
          break;
        case 'write-gate':
          this.#writeGate(action);
          break;
        case 'ask-arbiter':
          this.#ask(action);
          break;
        case 'run-agent':
        case 'end-agent':
          this.#runAgent(action);
          break;
        case 'journal':
        case 'answer-operator':
        case 'exit':
          break;
      }
    }
  }

  wakeAt(deadline: Ms): void {
    if (this.#wake?.deadline === deadline) return;
    if (this.#wake) this.#wake.timer.cancelled = true;
    this.#wake = null;
    if (deadline === Infinity || this.#closed) return;
    const { host, offsetMs, random } = this.#options;
    const late = random.between(LATE_MS.from, LATE_MS.to);
    const at = Math.max(host.clock.worldAt(deadline - offsetMs), host.world.clock.now) + late;
    this.#wake = { deadline, timer: host.world.clock.at(at, () => this.#woke()) };
  }

  /** All that the hands were told so far is done. */
  settle(done: () => void): void {
    if (this.frozen) this.#whenDone.push(() => this.settle(done));
    else this.#hands.settle(done);
  }

  async close(): Promise<void> {
    this.end();
  }

  /** The process is gone: its sockets close, and the groups that it joined are left. */
  end(): void {
    const { host } = this.#options;
    this.#closed = true;
    this.#hands.end();
    this.#gate?.end();
    this.#options.arbiter?.end();
    this.#options.line?.end();
    if (this.#wake) this.#wake.timer.cancelled = true;
    host.onTouched = host.onCarrier = host.onFrame = host.onUdp = () => {};
    for (const nic of host.nics.values()) nic.groups.daemon.clear();
    host.world.changed();
  }

  /** Stops may overlap: it goes on when each has ended. */
  freeze(): void {
    this.#stops++;
    this.#frozenAt ??= this.#options.host.world.clock.now;
    if (this.#stops > 1) return;
    this.#hands.freeze(true);
    this.#gate?.freeze();
    this.#options.host.world.changed();
  }

  freezeFor(ms: Ms): void {
    this.freeze();
    this.#options.host.world.clock.after(ms, () => this.thaw());
  }

  /**
   * What was about to be done is done first. Timers fire before sockets are read, as Node does it; but before them the
   * process is told that it slept.
   */
  thaw(): void {
    if (this.#frozenAt === null || this.#closed || --this.#stops > 0) return;
    this.#sleptMs += this.#options.host.world.clock.now - this.#frozenAt;
    this.#frozenAt = null;
    this.#options.host.world.changed();
    this.#gate?.thaw();
    this.perform(this.#undone.splice(0));
    if (this.frozen) return;
    const forMs = this.#sleptMs;
    this.#sleptMs = 0;
    if (forMs > this.#options.timing.pollMs / 2) this.#give({ kind: 'stalled', forMs });
    this.#look();
    this.#readCounters();
    while (!this.frozen && this.#unread.length > 0) this.#give(this.#unread.shift()!);
    if (this.frozen) return;
    this.#observeTouched();
    this.#hands.freeze(false);
    for (const done of this.#whenDone.splice(0)) done();
    if (this.#overdue) this.#woke();
  }

  #give(input: Input): void {
    if (this.#closed) return;
    if (this.#frozenAt === null) this.#take(input);
    else if (!fromSocket(input) || this.#unread.length < SOCKET_FRAMES_MAX) this.#unread.push(input);
  }

  #woke(): void {
    this.#wake = null;
    this.#overdue = this.#frozenAt !== null;
    if (!this.#overdue) this.#give({ kind: 'woke' });
  }

  #hostTouched(nic: string): void {
    this.#lookSoon();
    if (!this.#watched.includes(nic)) return;
    this.#touched.add(nic);
    if (this.#observing) return;
    this.#observing = true;
    const { host, random } = this.#options;
    host.world.clock.after(random.between(OBSERVE_MS.from, OBSERVE_MS.to), () => {
      this.#observing = false;
      if (this.#frozenAt === null) this.#observeTouched();
    });
  }

  #observeTouched(): void {
    const nics = [...this.#touched];
    this.#touched.clear();
    if (nics.length > 0) this.#observe(nics);
  }

  #observe(names: readonly string[]): void {
    const { host } = this.#options;
    const nics = names.flatMap((name) => host.nics.get(name) ?? []).map((nic) => observe(host, nic));
    const missing = names.filter((name) => !host.nics.has(name));
    if (names.length > 0) this.#give({ kind: 'host-observed', nics, missing });
  }

  /** At the next moment of the carrierPoll grid. */
  #lookSoon(): void {
    if (this.#looking || this.#closed) return;
    this.#looking = true;
    const { host, timing } = this.#options;
    const periods = Math.floor((host.world.clock.now - this.#openedAt) / timing.carrierPollMs) + 1;
    host.world.clock.at(this.#openedAt + periods * timing.carrierPollMs, () => {
      this.#looking = false;
      this.#look();
    });
  }

  /** A process that is stopped on the way looks again when it goes on: what it had seen would come after what it sees then. */
  #look(): void {
    for (const name of this.#options.nics) {
      if (this.#frozenAt !== null) return;
      const nic = this.#options.host.nics.get(name);
      const state = !nic ? 'missing' : !nic.admin ? 'admin' : nic.carrier ? 'up' : 'down';
      const changes = nic?.carrierChanges ?? 0;
      const before = this.#carriers.get(name);
      if (before?.state === state && (state !== 'up' || before.changes === changes)) continue;
      this.#carriers.set(name, { state, changes });
      this.#give({ kind: 'carrier-changed', nic: name, state: before?.state === state ? 'blinked' : state });
    }
  }

  #count(): void {
    if (this.#closed) return;
    const { host, timing } = this.#options;
    host.world.clock.after(timing.pollMs, () => this.#count());
    if (this.#frozenAt === null) this.#readCounters();
  }

  #readCounters(): void {
    this.#options.settle();
    const counters: Counters[] = [];
    for (const name of this.#options.nics) {
      const nic = this.#options.host.nics.get(name);
      if (nic) counters.push({ nic: name, rxPackets: nic.rx, txPackets: nic.tx, rxLinkLocal: 0 });
    }
    this.#give({ kind: 'counters-read', counters });
  }

  #frame(nic: string, bytes: Uint8Array): void {
    const etherType = ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
    const wanted = etherType === ETHERTYPE_POLL || etherType === ETHERTYPE_ARP || etherType === ETHERTYPE_IPV6;
    if (wanted && this.#options.nics.includes(nic)) this.#give({ kind: 'frame-received', nic, bytes });
  }

  /** A socket is bound to each of its addresses, and to the NIC that has it. */
  #datagram(nic: string, { source, destination, port, content }: Datagram): void {
    const { wiring, host } = this.#options;
    if (port !== wiring.port) {
      this.#options.arbiter?.hear?.(content);
      return;
    }
    const bound = wiring.listens.has(destination) && host.nics.get(nic)?.has(destination) === true;
    if (!bound || !(content instanceof Uint8Array)) return;
    this.#give({ kind: 'datagram-received', nic, to: destination, from: source, bytes: content });
  }

  #send(nic: string, from: string, to: string, bytes: Uint8Array): void {
    const { host, wiring } = this.#options;
    host.sendDatagram(nic, { family: ipFamily(to), source: from, destination: to, port: wiring.port, content: bytes });
  }

  #writeGate(action: Extract<Action, { kind: 'write-gate' }>): void {
    if (this.#gate) {
      this.#gate.post(action);
      return;
    }
    const written: Input = { kind: 'gate-written', id: action.id, outcome: { ok: true }, tookMs: 0 };
    this.#options.host.world.clock.after(0, () => this.#give(written));
  }

  #ask({ id, request, withinMs }: Extract<Action, { kind: 'ask-arbiter' }>): void {
    const { arbiter } = this.#options;
    const hear = (answer: ArbiterAnswer): void => this.#give({ kind: 'arbiter-answered', id, answer });
    if (arbiter) arbiter.ask(request, withinMs, hear);
    else this.#options.host.world.clock.after(0, () => hear({ outcome: 'unknown', text: 'there is no arbiter' }));
  }

  #runAgent(action: AgentAction): void {
    const { agents, host } = this.#options;
    if (agents) return agents.post(action);
    if (action.kind === 'end-agent') return;
    const outcome = { how: 'refused', text: 'there is no such program' } as const;
    const exited: Input = { kind: 'agent-exited', id: action.id, outcome, output: '', tookMs: 0 };
    host.world.clock.after(0, () => this.#give(exited));
  }

  #echo(name: string, target: string): void {
    const { host } = this.#options;
    const nic = host.nics.get(name);
    const source = nic ? host.sourceFor(nic, target) : null;
    if (!nic || source === null) return;
    const answered = (): void => {
      host.world.clock.after(ECHO_MS, () => this.#give({ kind: 'echo-answered', nic: name, target }));
    };
    const trace: Trace = { answered, chance: null, counted: [] };
    host.send({ family: ipFamily(target), source, destination: target, what: 'echo', trace }, nic);
  }
}

function fromSocket(input: Input): boolean {
  return ['frame-received', 'datagram-received', 'serial-received'].includes(input.kind);
}

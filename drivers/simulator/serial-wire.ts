/**
 * A serial line between two hosts: bytes at its baud rate, one after the other each way, through the very frames of the real
 * one. It can be cut, noisy, and its adapter taken out of a host.
 */
import { encodeSerialFrame, SerialReader } from '../../src/frame/serial.js';
import type { Input, Ms } from '../../src/input.js';
import type { Host } from './host.js';
import type { Random } from './random.js';
import type { World } from './wire.js';

export type SerialInput = Extract<Input, { kind: 'serial-received' | 'serial-changed' }>;

/** What a driver has of the line, for one run of the daemon. */
export interface SerialPort {
  send(payload: Uint8Array): void;
  onInput(take: (input: SerialInput) => void): void;
  end(): void;
}

const BITS_A_BYTE = 10;
/** Bytes that the kernel and the hand keep for the line; what comes on top is lost. */
const BACKLOG_MAX = 8192;
/** From a change of the device to the daemon, and between two tries to open it. */
const NOTICE_MS = { from: 0.3, to: 2 };
const RETRY_MS: Ms = 200;

const GONE = 'ENOENT: no such file or directory';

interface Run {
  take: (input: SerialInput) => void;
  isOpen: boolean;
  reader: SerialReader;
}

interface End {
  host: Host;
  isPlugged: boolean;
  /** When the last byte that it sent leaves the line. */
  busyUntil: Ms;
  /** Of the daemon that has it now. */
  run: Run | null;
}

export class SerialWire {
  readonly #world: World;
  readonly #baud: number;
  readonly #random: Random;
  readonly #ends: readonly End[];
  #isCut = false;
  /** So likely is each byte damaged, lost, or followed by one that nobody sent. */
  noise = 0;

  constructor(world: World, baud: number, hosts: readonly [Host, Host]) {
    this.#world = world;
    this.#baud = baud;
    this.#random = world.random.stream('serial line');
    this.#ends = hosts.map((host) => ({ host, isPlugged: true, busyUntil: 0, run: null }));
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  set isCut(isCut: boolean) {
    this.#isCut = isCut;
    this.#world.changed();
  }

  /** It can carry something, noise or not. */
  get isWhole(): boolean {
    return !this.isCut && this.#ends.every(({ isPlugged }) => isPlugged);
  }

  /** For one run of the daemon on that host. */
  open(host: Host): SerialPort {
    const end = this.#endOf(host.name);
    let run: Run | null = null;
    return {
      send: (payload) => {
        if (run?.isOpen) this.#send(end, encodeSerialFrame(payload));
      },
      onInput: (take) => {
        run = { take, isOpen: false, reader: new SerialReader() };
        end.run = run;
        this.#tryOpen(end, run, '');
      },
      end: () => {
        if (end.run === run) end.run = null;
        run = null;
      },
    };
  }

  /** The adapter is taken out of that node; what it gives back puts it in again. */
  unplug(node: string): () => void {
    const end = this.#endOf(node);
    end.isPlugged = false;
    this.#world.changed();
    const { run } = end;
    if (run?.isOpen) {
      run.isOpen = false;
      this.#soon(() => {
        run.take({ kind: 'serial-changed', state: 'down', text: 'EIO: i/o error' });
        this.#tryOpen(end, run, 'EIO: i/o error');
      });
    }
    return () => {
      end.isPlugged = true;
      this.#world.changed();
    };
  }

  #endOf(node: string): End {
    const end = this.#ends.find(({ host }) => host.name === node);
    if (!end) throw new Error(`no serial line ends at "${node}"`);
    return end;
  }

  #tryOpen(end: End, run: Run, told: string): void {
    if (end.run !== run) return;
    if (!end.isPlugged) {
      if (told !== GONE) this.#soon(() => run.take({ kind: 'serial-changed', state: 'down', text: GONE }));
      this.#world.clock.after(RETRY_MS, () => this.#tryOpen(end, run, GONE));
      return;
    }
    this.#soon(() => {
      if (end.run !== run || !end.isPlugged) return this.#tryOpen(end, run, told);
      run.isOpen = true;
      run.reader = new SerialReader();
      run.take({ kind: 'serial-changed', state: 'up', text: '' });
    });
  }

  #send(end: End, frame: Uint8Array): void {
    const { clock } = this.#world;
    const byteMs = (BITS_A_BYTE * 1000) / this.#baud;
    const from = Math.max(clock.now, end.busyUntil);
    if ((from - clock.now) / byteMs > BACKLOG_MAX) return;
    end.busyUntil = from + frame.length * byteMs;
    const { boot } = end.host;
    clock.at(end.busyUntil, () => {
      if (end.host.boot === boot && end.isPlugged && !this.isCut) this.#arrive(end, frame);
    });
  }

  #arrive(from: End, frame: Uint8Array): void {
    const { host, run, isPlugged } = this.#ends.find((end) => end !== from)!;
    if (run === null || !run.isOpen || !isPlugged || !host.powered) return;
    for (const bytes of run.reader.read(this.#noisy(frame))) run.take({ kind: 'serial-received', bytes });
  }

  #noisy(frame: Uint8Array): Uint8Array {
    if (this.noise === 0) return frame;
    const heard: number[] = [];
    for (const byte of frame) {
      if (this.#random.unit() >= this.noise) heard.push(byte);
      else {
        const what = this.#random.unit();
        if (what < 0.6) heard.push(byte ^ (1 << Math.floor(this.#random.unit() * 8)));
        else if (what < 0.8) heard.push(byte, Math.floor(this.#random.unit() * 256));
      }
    }
    return Uint8Array.from(heard);
  }

  #soon(then: () => void): void {
    this.#world.clock.after(this.#random.between(NOTICE_MS.from, NOTICE_MS.to), then);
  }
}

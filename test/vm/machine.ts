/**
 * One virtual machine on an emulated processor: booted from the image, led over a serial port, frozen and unplugged by
 * QEMU's monitor.
 *
 *     run(command) ──▶ virtio-serial ──▶ guest/init ──▶ bash -c        do(command) ──▶ QMP ──▶ QEMU
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Packages } from './kernel.js';
import { Monitor } from './qmp.js';

/** It is a guest on a machine that others use. */
const NICE = process.env['BATON_VM_NICE'] ?? '5';
const BOOT_WITHIN_MS = 300_000;
/** Clocks that the emulation counts in time. It has no way to tell its rate of the others, and on a busy host a guest that measures it is far off. */
const CLOCKS = 'clocksource=hpet tsc=unstable noapictimer no_timer_check';
const END = /\x01(\d+)\n$/; // eslint-disable-line no-control-regex -- the guest marks the end of an answer so

export interface MachineOptions {
  packages: Packages;
  image: string;
  /** For its sockets and its console's text. */
  folder: string;
  name: string;
  memoryMb?: number;
  /** Words for QEMU that make its network cards. */
  cards?: readonly string[];
  /** The network namespace in which QEMU runs, for tap devices there. */
  namespace?: string;
}

export interface Answer {
  code: number;
  text: string;
}

export class Machine {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #monitor: Monitor;
  readonly #port: Socket;
  /** Seconds that the guest's kernel had been up when it was ready. */
  readonly readyAfterS: number;
  #heard = '';
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(name: string, child: ChildProcess, monitor: Monitor, port: Socket, ready: string) {
    this.name = name;
    this.#child = child;
    this.#monitor = monitor;
    this.#port = port;
    this.readyAfterS = Number(/^ready (\S+)/.exec(ready)?.[1]);
    port.setEncoding('utf8').on('data', (text: string) => (this.#heard += text));
  }

  /** Resolves when the guest takes commands. Rejects with the end of its console's text. */
  static async boot(options: MachineOptions): Promise<Machine> {
    const { folder, name } = options;
    const [port, monitor] = [join(folder, `${name}.port`), join(folder, `${name}.qmp`)];
    const child = spawn('nice', ['-n', NICE, ...wordsFor(options, port, monitor)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const console = createWriteStream(join(folder, `${name}.console`));
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4000);
        console.write(text);
      });
    child.on('error', (error) => (said += error.message));
    try {
      const socket = await connect(port, child);
      const ready = await firstLine(socket);
      return new Machine(name, child, await Monitor.open(monitor), socket, ready);
    } catch (error) {
      child.kill('SIGKILL');
      throw new Error(`${name} does not boot: ${(error as Error).message}\n${said}`);
    }
  }

  /** One line for the guest's shell. A command that takes too long rejects; the machine is of no more use then. */
  run(command: string, withinMs = 60_000): Promise<Answer> {
    const answer = this.#busy.then(() => this.#ask(command, withinMs));
    this.#busy = answer.catch(() => {});
    return answer;
  }

  /** As `run`, and rejects with what it said if it fails. */
  async must(command: string, withinMs?: number): Promise<string> {
    const { code, text } = await this.run(command, withinMs);
    if (code !== 0) throw new Error(`${this.name}: ${command}: exit code ${code}\n${text}`);
    return text;
  }

  async #ask(command: string, withinMs: number): Promise<Answer> {
    if (command.includes('\n')) throw new Error('a command for the guest is one line');
    this.#heard = '';
    this.#port.write(`${command}\n`);
    const until = performance.now() + withinMs;
    for (;;) {
      const end = END.exec(this.#heard);
      if (end) return { code: Number(end[1]), text: this.#heard.slice(0, end.index).replaceAll('\r\n', '\n') };
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error(`${this.name} is gone`);
      if (performance.now() > until)
        throw new Error(`${this.name}: no end of "${command}" within ${withinMs / 1000} s; so far:\n${this.#heard}`);
      await sleep(5);
    }
  }

  /** A command of QEMU's monitor: `stop`, `cont`, `set_link`. */
  do(command: string, given?: Record<string, unknown>): Promise<unknown> {
    return this.#monitor.do(command, given);
  }

  async end(): Promise<void> {
    this.#monitor.close();
    this.#port.destroy();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }
}

function wordsFor(
  { packages, image, cards = [], memoryMb = 1280, namespace }: MachineOptions,
  port: string,
  monitor: string,
): string[] {
  return [
    ...(namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace]),
    ...['qemu-system-x86_64', '-accel', 'tcg', '-smp', '1', '-m', String(memoryMb)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
    ...[
      '-kernel',
      packages.vmlinuz,
      '-initrd',
      image,
      '-append',
      `console=ttyS0 quiet panic=-1 random.trust_cpu=on ${CLOCKS}`,
    ],
    ...['-device', 'virtio-serial-pci', '-chardev', `socket,id=port,path=${port},server=on,wait=on`],
    ...['-device', 'virtserialport,chardev=port,name=baton'],
    ...['-object', 'rng-random,id=rng,filename=/dev/urandom', '-device', 'virtio-rng-pci,rng=rng'],
    ...['-qmp', `unix:${monitor},server=on,wait=off`],
    ...cards,
  ];
}

async function connect(path: string, child: ChildProcess): Promise<Socket> {
  const until = performance.now() + BOOT_WITHIN_MS;
  while (performance.now() < until && child.exitCode === null) {
    if (existsSync(path)) {
      const socket = createConnection(path);
      const open = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true));
        socket.once('error', () => resolve(false));
      });
      if (open) return socket;
    }
    await sleep(20);
  }
  throw new Error('QEMU ended, or opened no port');
}

function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const late = setTimeout(() => reject(new Error(`not ready within ${BOOT_WITHIN_MS / 1000} s`)), BOOT_WITHIN_MS);
    const ended = (): void => reject(new Error('it ended'));
    const take = (chunk: Buffer): void => {
      text += chunk.toString();
      if (!text.includes('\n')) return;
      clearTimeout(late);
      socket.off('data', take).off('close', ended);
      resolve(text);
    };
    socket.on('data', take).on('close', ended);
  });
}

/** Debian's etcd for a test: one member, own data, on the loopback of whatever namespace this process is in. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const READY_WITHIN_MS = 20_000;

export class EtcdProcess {
  readonly url: string;
  readonly #port: number;
  readonly #data: string;
  readonly #more: string[];
  #child: ChildProcess | undefined;
  #said = '';

  constructor(data: string, port: number, more: string[] = []) {
    this.#data = data;
    this.#port = port;
    this.#more = more;
    this.url = `${more.includes('--client-cert-auth') ? 'https' : 'http'}://127.0.0.1:${port}`;
  }

  /** Resolves when it takes connections. */
  async start(): Promise<this> {
    const peer = `http://127.0.0.1:${this.#port + 1}`;
    const words = [
      ...['--name', 'arbiter', '--data-dir', this.#data, '--log-level', 'error'],
      ...['--listen-client-urls', this.url, '--advertise-client-urls', this.url],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `arbiter=${peer}`],
      ...this.#more,
    ];
    const child = spawn('etcd', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (this.#said += String(chunk)));
    for (const end = performance.now() + READY_WITHIN_MS; performance.now() < end; await sleep(20)) {
      if (child.exitCode !== null) break;
      if (await accepts(this.#port)) return this;
    }
    await this.end();
    throw new Error(`etcd does not answer: ${this.#said}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}

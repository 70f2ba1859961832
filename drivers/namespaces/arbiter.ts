/**
 * The arbiter of a drill: one etcd on a client, with its data in the lab's folder. It stands for a machine of its own, so
 * that what else this one computes should not reach it.
 */
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Background, attempt } from './shell.js';

const PORT = 2379;
const READY_WITHIN_MS = 20_000;
/** As much before other programs of this machine as a daemon is. */
const NICE = '-10';

export class ArbiterProcess {
  readonly #namespace: string;
  readonly #address: string;
  readonly #data: string;
  #running: Background | null = null;

  /** `address`: of the client, without prefix length. */
  constructor(namespace: string, address: string, data: string) {
    this.#namespace = namespace;
    this.#address = address.includes(':') ? `[${address}]` : address;
    this.#data = data;
  }

  /** Resolves when it answers. Throws an Error with its own words when it does not. */
  async start(): Promise<void> {
    const clients = `http://${this.#address}:${PORT}`;
    // A cluster of one has no peers: port 0 keeps it from being asked for any.
    const peers = 'http://127.0.0.1:2380';
    const words = [
      ...['--name', 'arbiter', '--data-dir', this.#data, '--log-level', 'error'],
      ...['--listen-client-urls', clients, '--advertise-client-urls', clients],
      ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers, '--initial-cluster', `arbiter=${peers}`],
    ];
    await attempt('ip', ['-n', this.#namespace, 'link', 'set', 'lo', 'up']);
    const running = new Background('nice', ['-n', NICE, 'ip', 'netns', 'exec', this.#namespace, 'etcd', ...words]);
    this.#running = running;
    const deadline = performance.now() + READY_WITHIN_MS;
    const ask = ['netns', 'exec', this.#namespace, 'etcdctl', '--endpoints', clients, '--command-timeout', '1s'];
    for (;;) {
      if (!running.runs) throw new Error(`etcd ended at its start: ${running.said}`);
      if ((await attempt('ip', [...ask, 'get', 'ready'])).code === 0) return;
      if (performance.now() > deadline) throw new Error(`etcd does not answer: ${running.said}`);
      await sleep(50);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#running?.signal(signal);
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = null;
  }

  async forget(): Promise<void> {
    await this.stop();
    await rm(this.#data, { recursive: true, force: true });
    await this.start();
  }
}

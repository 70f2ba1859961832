/** A hands' thread for tests inside a namespace, and what it says, with the time of each word. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Step } from '../../../../src/action.js';
import type { Address, NicObservation, Route } from '../../../../src/input.js';
import type { FromHands, HandsData, ToHands } from '../../../../drivers/linux/hands-port.js';
import { OBSERVED_SETTINGS } from '../../../../src/takeover/settings.js';

export const ip = (line: string): string => execFileSync('ip', line.split(' '), { encoding: 'utf8', stdio: 'pipe' });
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Said = FromHands & { at: number };

export class Bench {
  readonly runDir: string;
  readonly said: Said[] = [];
  readonly worker: Worker;
  #wake: () => void = () => undefined;

  constructor(nics: string[], peers: string[] = [], runDir = mkdtempSync(join(tmpdir(), 'bt-hands-'))) {
    this.runDir = runDir;
    const workerData: HandsData = { nics, peers, settings: [...OBSERVED_SETTINGS], runDir };
    this.worker = new Worker(new URL('../../../../drivers/linux/hands.ts', import.meta.url), { workerData });
    this.worker.on('message', (message: FromHands) => {
      this.said.push({ ...message, at: performance.now() });
      this.#wake();
    });
    this.worker.on('error', (error) => {
      throw error;
    });
  }

  post(message: ToHands): void {
    this.worker.postMessage(message);
  }

  /** The first word that fits, said from `from` on. */
  async until<T>(fits: (said: Said) => T | undefined | false, from = 0): Promise<T> {
    const deadline = performance.now() + 20_000;
    for (let i = from; ; i++) {
      for (; i < this.said.length; i++) {
        const found = fits(this.said[i] as Said);
        if (found) return found;
      }
      if (performance.now() > deadline) throw new Error(`never said; last: ${JSON.stringify(this.said.slice(-3))}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 100);
      });
      i--;
    }
  }

  /** Latest word on that NIC that fits. */
  observed(nic: string, fits: (seen: NicObservation) => boolean, from = 0): Promise<Said & { seen: NicObservation }> {
    return this.until((said) => {
      const seen = said.kind === 'host-observed' && said.nics.find((each) => each.nic === nic);
      return seen && fits(seen) && { ...said, seen };
    }, from);
  }

  missing(nic: string, from = 0): Promise<Said> {
    return this.until((said) => said.kind === 'host-observed' && said.missing.includes(nic) && said, from);
  }

  /** Words so far that tell of that NIC. */
  wordsOn(nic: string): number {
    return this.said.filter((said) => said.kind === 'host-observed' && said.nics.some((each) => each.nic === nic))
      .length;
  }

  async end(): Promise<void> {
    await this.worker.terminate();
    rmSync(this.runDir, { recursive: true, force: true });
  }

  async change(id: number, steps: Step[], undo?: Step[], record?: { switch?: unknown; ledger?: unknown }) {
    const begin = performance.now();
    this.post({ kind: 'change-host', id, steps, ...(undo && { undo }), ...(record && { record }) });
    const said = await this.until((each) => each.kind === 'host-changed' && each.id === id && each);
    return { said, tookMs: said.at - begin };
  }
}

export const address = (text: string, more: Partial<Address> = {}): Address => {
  const [local = '', length] = text.split('/');
  const family = local.includes(':') ? 6 : 4;
  return { family, local, prefixLength: Number(length), scope: 0, flags: family === 6 ? 2 : 0, ...more };
};

export const route = (destination: string, nic: string, more: Partial<Route> = {}): Route => {
  const family = destination.includes(':') ? 6 : 4;
  return { family, destination, table: 254, protocol: 4, scope: 0, type: 1, tos: 0, nic, flags: 0, ...more };
};

/** 10.7.0.1 and fd07::1 with three routes, from one NIC to another: make before break. */
export function switchSteps(from: string, to: string): { steps: Step[]; undo: Step[] } {
  const pairs: [Step, Step][] = [];
  const addresses = [address('10.7.0.1/24', { label: from }), address('fd07::1/64')];
  const routes = [
    route('0.0.0.0/0', '', { gateway: '10.7.0.254' }),
    route('10.200.0.0/16', '', { gateway: '10.7.0.253', metric: 50, metrics: { 2: 1400 } }),
    route('::/0', '', { gateway: 'fd07::fe', metric: 1024 }),
  ];
  for (const each of addresses)
    pairs.push([
      { do: 'add-address', nic: to, address: each },
      { do: 'delete-address', nic: to, address: each },
    ]);
  for (const each of routes)
    pairs.push([
      { do: 'replace-route', route: { ...each, nic: to } },
      { do: 'replace-route', route: { ...each, nic: from } },
    ]);
  for (const each of addresses)
    pairs.push([
      { do: 'delete-address', nic: from, address: each },
      { do: 'add-address', nic: from, address: each },
    ]);
  return { steps: pairs.map(([step]) => step), undo: pairs.map(([, undo]) => undo) };
}

export function buildNics(): void {
  for (const nic of ['eth0', 'eth1']) {
    ip(`link add ${nic} type veth peer name p-${nic}`);
    execFileSync('sysctl', ['-qw', `net.ipv6.conf.${nic}.accept_dad=0`]);
    ip(`link set ${nic} up`);
    ip(`link set p-${nic} up`);
  }
  ip('addr add 10.7.0.1/24 dev eth0');
  ip('addr add fd07::1/64 dev eth0 nodad');
  ip('route add default via 10.7.0.254 proto static');
  ip('route add 10.200.0.0/16 via 10.7.0.253 proto static metric 50 mtu 1400');
  ip('-6 route add default via fd07::fe dev eth0 proto static');
}

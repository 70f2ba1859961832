/** Debian's keepalived on the nodes of a lab, as its users run it: VRRP version 3 on eth0, one instance, all addresses in it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Above the others; a move away is a weight that takes it below them. */
const PRIORITIES = [181, 171, 161];
const MOVED_AWAY = -50;
/** VRRP carries no more in one advertisement; the rest go along with them. */
const ADVERTISED_MAX = 20;

export interface KeepalivedPlace {
  node: string;
  namespace: string;
  /** Folder for its files. */
  folder: string;
  /** Place in the order of preference, from 0. */
  rank: number;
}

/** Null: it is installed. */
export function missing(): string | null {
  const found = spawnSync('keepalived', ['--version']).status === 0;
  return found ? null : 'keepalived is not installed: apt-get install keepalived';
}

/**
 * Seconds between advertisements for which the first backup declares the master down after that time (RFC 9568 section
 * 6.1: three intervals and the skew of its priority), as hundredths of a second: finer ones there are none.
 */
export function advertisementS(nodeTimeoutMs: number): number {
  const skew = (256 - PRIORITIES[1]!) / 256;
  return Math.max(0.01, Math.round(nodeTimeoutMs / 10 / (3 + skew)) / 100);
}

/** What the first backup waits with that interval, milliseconds. */
export function masterDownMs(intervalS: number): number {
  return intervalS * 1000 * (3 + (256 - PRIORITIES[1]!) / 256);
}

export class Keepalived {
  readonly #place: KeepalivedPlace;
  readonly #intervalS: number;
  readonly #addresses: readonly string[];
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(place: KeepalivedPlace, intervalS: number, addresses: readonly string[]) {
    this.#place = place;
    this.#intervalS = intervalS;
    this.#addresses = addresses;
    mkdirSync(place.folder, { recursive: true });
    writeFileSync(this.#weight, '0\n');
    writeFileSync(join(place.folder, 'keepalived.conf'), this.#configuration());
  }

  start(): void {
    const { namespace, folder } = this.#place;
    const file = (name: string): string => join(folder, name);
    const words = ['--dont-fork', '--log-console', '--vrrp', '--use-file', file('keepalived.conf')];
    const pids = ['--pid', file('pid'), '--vrrp_pid', file('vrrp_pid')];
    const child = spawn('ip', ['netns', 'exec', namespace, 'keepalived', ...words, ...pids], {
      stdio: 'ignore',
      detached: true,
    });
    this.#child = child;
    this.#ended = new Promise((resolve) => child.on('close', () => resolve()).on('error', () => resolve()));
  }

  /** To keepalived and its worker, which is a process of its own. */
  signal(signal: NodeJS.Signals): void {
    const { stdout } = spawnSync('ip', ['netns', 'pids', this.#place.namespace], { encoding: 'utf8' });
    for (const pid of stdout.split('\n').filter(Boolean)) {
      const { stdout: name } = spawnSync('ps', ['-o', 'comm=', '-p', pid], { encoding: 'utf8' });
      if (name.trim() === 'keepalived') process.kill(Number(pid), signal);
    }
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child === null) return;
    this.#child = null;
    if (signal === 'SIGTERM') process.kill(Number(readFileSync(join(this.#place.folder, 'pid'), 'utf8')), signal);
    else {
      // Its worker ends with it in an orderly way, unless it is stopped before.
      this.signal('SIGSTOP');
      this.signal(signal);
    }
    await this.#ended;
  }

  /** Away: a planned move to the next. Else it is welcome back. */
  weigh(away: boolean): void {
    writeFileSync(this.#weight, `${away ? MOVED_AWAY : 0}\n`);
  }

  get #weight(): string {
    return join(this.#place.folder, 'weight');
  }

  #configuration(): string {
    const lines = (addresses: readonly string[]): string => addresses.map((text) => `    ${text}/32`).join('\n');
    const excluded = this.#addresses.slice(ADVERTISED_MAX);
    return `global_defs {
  vrrp_version 3
}
track_file weight {
  file ${this.#weight}
}
vrrp_instance web {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority ${PRIORITIES[this.#place.rank]}
  advert_int ${this.#intervalS}
  virtual_ipaddress {
${lines(this.#addresses.slice(0, ADVERTISED_MAX))}
  }
${excluded.length > 0 ? `  virtual_ipaddress_excluded {\n${lines(excluded)}\n  }\n` : ''}  track_file {
    weight weight 1
  }
}
`;
  }
}

/**
 * The arbiter of a drill: an etcd on a client, or one of several members on a client each, with their data in the lab's
 * folder. It stands for machines of its own, so that what else this one computes should not reach it.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Certificates } from './certificates.js';
import { Background, attempt } from './shell.js';

const CLIENT_PORT = 2379;
const PEER_PORT = 2380;
const READY_WITHIN_MS = 30_000;
const ATTACHED_WITHIN_MS = 300;
/** As much before other programs of this machine as a daemon is. */
const NICE = '-10';

/** Where a member is. `address`: of its client, without prefix length. */
export interface MemberPlace {
  name: string;
  namespace: string;
  address: string;
}

interface Member extends MemberPlace {
  data: string;
  clients: string;
  peers: string;
  running: Background | null;
}

export class ArbiterProcess {
  readonly #members: Member[];
  readonly #backup: string;
  readonly #certificates: Certificates | null;

  /** `folder`: what they keep is put into it. With certificates it demands one of whoever asks. */
  constructor(places: readonly MemberPlace[], folder: string, certificates: Certificates | null = null) {
    this.#certificates = certificates;
    this.#backup = join(folder, 'etcd.backup');
    this.#members = places.map((place) => {
      const host = place.address.includes(':') ? `[${place.address}]` : place.address;
      // A cluster of one has no peers: none shall wait for an address of the net.
      const peers = `http://${places.length === 1 ? '127.0.0.1' : host}:${PEER_PORT}`;
      const data = join(folder, `etcd-${place.name}`);
      return {
        ...place,
        data,
        clients: `${certificates === null ? 'http' : 'https'}://${host}:${CLIENT_PORT}`,
        peers,
        running: null,
      };
    });
  }

  /** Resolves when it answers. Throws an Error with its own words when it does not. */
  async start(name?: string): Promise<void> {
    for (const member of this.#named(name)) await this.#launch(member);
    await this.#untilReady(this.#named(name)[0]!);
  }

  async signal(signal: NodeJS.Signals, name?: string): Promise<string[]> {
    const members = name === 'leader' ? [await this.#leader()] : this.#named(name);
    for (const member of members) member.running?.signal(signal);
    return members.map((member) => member.name);
  }

  async stop(name?: string): Promise<string[]> {
    const members = name === 'leader' ? [await this.#leader()] : this.#named(name);
    await Promise.all(members.map(async (member) => member.running?.stop()));
    for (const member of members) member.running = null;
    return members.map((member) => member.name);
  }

  /** Each sync of a file takes so much longer, until the returned function is called. */
  async slowSyncs(byMs: number): Promise<() => Promise<void>> {
    const syncs = 'fsync,fdatasync';
    const words = [
      '-f',
      '-qq',
      '-o',
      '/dev/null',
      '-e',
      `trace=${syncs}`,
      '-e',
      `inject=${syncs}:delay_exit=${byMs * 1000}`,
    ];
    const tracers = this.#members.flatMap(({ running }) =>
      running?.pid === undefined ? [] : [new Background('strace', [...words, '-p', `${running.pid}`])],
    );
    await sleep(ATTACHED_WITHIN_MS);
    const gone = tracers.find((tracer) => !tracer.runs);
    if (gone) throw new Error(`strace: ${gone.said}`);
    return async () => {
      for (const tracer of tracers) tracer.signal('SIGTERM');
      await Promise.all(tracers.map((tracer) => tracer.ended));
    };
  }

  /** Connections that were made before end with it; for so long whoever asks gets no answer. */
  async restart(awayMs: number): Promise<void> {
    await this.stop();
    await sleep(awayMs);
    for (const member of this.#members) await this.#launch(member);
  }

  async forget(): Promise<void> {
    await this.stop();
    for (const { data } of this.#members) await rm(data, { recursive: true, force: true });
    await this.start();
  }

  async backUp(): Promise<void> {
    await rm(this.#backup, { force: true });
    await this.#control(this.#members[0]!, ['snapshot', 'save', this.#backup]);
  }

  /** As etcd's manual says: every member anew from the same backup. */
  async restore(): Promise<void> {
    await this.stop();
    for (const member of this.#members) {
      await rm(member.data, { recursive: true, force: true });
      await this.#control(member, [
        ...['snapshot', 'restore', this.#backup, '--name', member.name, '--data-dir', member.data],
        ...['--initial-cluster', this.#initial(), '--initial-advertise-peer-urls', member.peers],
      ]);
    }
    await this.start();
  }

  #named(name: string | undefined): Member[] {
    if (name === undefined) return this.#members;
    const found = this.#members.filter((member) => member.name === name);
    if (found.length === 0) throw new Error(`the arbiter has no member "${name}"`);
    return found;
  }

  #initial(): string {
    return this.#members.map(({ name, peers }) => `${name}=${peers}`).join(',');
  }

  async #launch(member: Member): Promise<void> {
    const { name, namespace, data, clients, peers } = member;
    const words = [
      ...['--name', name, '--data-dir', data, '--log-level', 'error'],
      ...['--listen-client-urls', clients, '--advertise-client-urls', clients],
      ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers, '--initial-cluster', this.#initial()],
    ];
    if (this.#certificates) words.push(...serverWords(this.#certificates));
    await attempt('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
    member.running = new Background('nice', ['-n', NICE, 'ip', 'netns', 'exec', namespace, 'etcd', ...words]);
  }

  async #untilReady(member: Member): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    for (;;) {
      if (!member.running?.runs) throw new Error(`etcd ended at its start: ${member.running?.said ?? ''}`);
      if ((await this.#ask(member, ['get', 'ready'])).code === 0) return;
      if (performance.now() > deadline) throw new Error(`etcd does not answer: ${member.running.said}`);
      await sleep(50);
    }
  }

  async #leader(): Promise<Member> {
    for (const member of this.#members) {
      if (member.running === null) continue;
      const { code, stdout } = await this.#ask(member, ['endpoint', 'status', '-w', 'json']);
      if (code !== 0) continue;
      const [{ Status }] = JSON.parse(stdout) as [{ Status: { header: { member_id: number }; leader: number } }];
      if (Status.header.member_id === Status.leader) return member;
    }
    throw new Error('the arbiter has no leader');
  }

  async #control(member: Member, words: readonly string[]): Promise<void> {
    const { code, stderr } = await this.#ask(member, words, '10s');
    if (code !== 0) throw new Error(`etcdctl ${words.join(' ')}: ${stderr.trim()}`);
  }

  #ask({ namespace, clients }: Member, words: readonly string[], withinS = '1s') {
    const ask = ['netns', 'exec', namespace, 'etcdctl', '--endpoints', clients, '--command-timeout', withinS];
    return attempt('ip', [...ask, ...(this.#certificates ? askerWords(this.#certificates) : []), ...words]);
  }
}

function serverWords(certificates: Certificates): string[] {
  const { server, ca } = filesOf(certificates);
  return ['--cert-file', server.cert, '--key-file', server.key, '--client-cert-auth', '--trusted-ca-file', ca];
}

function askerWords(certificates: Certificates): string[] {
  const { client, ca } = filesOf(certificates);
  return ['--cacert', ca, '--cert', client.cert, '--key', client.key];
}

function filesOf(certificates: Certificates) {
  const of = (name: string) => ({ cert: certificates.path(`${name}.pem`), key: certificates.path(`${name}.key`) });
  return { ca: certificates.path('authority.pem'), server: of('server'), client: of('client') };
}

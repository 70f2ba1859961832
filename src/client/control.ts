/** The control socket's client: for the commands, the console and other people's programs. */
import { statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { OperatorAnswer, OperatorRequest } from '../status.js';
import type { ClusterFileText, DaemonStatus, JournalLine } from './document.js';
import { SOCKET_NAME, type ControlAnswer, type ControlRequest } from './protocol.js';

/** Nobody answers on the control socket; the message says where it was looked for and what to do. */
export class NoDaemon extends Error {
  override readonly name = 'NoDaemon';
}

/** A daemon is there, but does not answer in time. */
export class Unresponsive extends NoDaemon {}

/** The daemon answered that it cannot or will not. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

type Unnumbered<T> = T extends { id: number } ? Omit<T, 'id'> : never;

const ANSWER_TIMEOUT_MS = 5000;
/** What the cluster is asked is answered when it is done; the daemon gives up after 10 s. */
const CLUSTER_TIMEOUT_MS = 15_000;
const LOCAL_ASKS: readonly OperatorRequest['ask'][] = ['link-switch', 'link-lock', 'link-unlock', 'poll-now'];

export class Control {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (answer: ControlAnswer | null) => void>();
  #nextId = 1;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => {
      const answer = JSON.parse(line) as ControlAnswer;
      this.#waiting.get(answer.id)?.(answer);
    });
    // readline hands on what the socket suffers (a daemon that was killed); `close` follows and says it all.
    lines.on('error', () => {});
    socket.on('close', () => {
      for (const answered of [...this.#waiting.values()]) answered(null);
      this.#waiting.clear();
    });
    socket.on('error', () => socket.destroy());
  }

  /** Throws NoDaemon when nobody listens there, or when the socket's owner is neither root nor this user. */
  static async connect(runDir: string): Promise<Control> {
    const path = join(runDir, SOCKET_NAME);
    try {
      const { uid } = statSync(path);
      if (uid !== 0 && uid !== process.getuid?.())
        throw new NoDaemon(`${path} belongs to user ${uid}, not to root: not trusted`);
    } catch (error) {
      if (error instanceof NoDaemon) throw error;
      throw new NoDaemon(unreached(`no batond answers: ${path}`, error));
    }
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error) => reject(new NoDaemon(unreached(`no batond answers on ${path}:`, error))));
    });
    socket.removeAllListeners('error');
    return new Control(socket);
  }

  async status(): Promise<DaemonStatus> {
    const answer = await this.#one({ ask: 'status' });
    if (!('status' in answer)) throw new Refused(`unexpected answer: ${Object.keys(answer).join(', ')}`);
    return answer.status;
  }

  async clusterFile(): Promise<ClusterFileText> {
    const answer = await this.#one({ ask: 'cluster-file' });
    if (!('clusterFile' in answer)) throw new Refused(`unexpected answer: ${Object.keys(answer).join(', ')}`);
    return answer.clusterFile;
  }

  async ask(request: OperatorRequest): Promise<OperatorAnswer> {
    const withinMs = LOCAL_ASKS.includes(request.ask) ? ANSWER_TIMEOUT_MS : CLUSTER_TIMEOUT_MS;
    const answer = await this.#one({ ask: 'operator', request }, withinMs);
    if (!('operator' in answer)) throw new Refused(`unexpected answer: ${Object.keys(answer).join(', ')}`);
    return answer.operator;
  }

  /** The last entries of the journal (all that are kept, without `last`), then, with `follow`, each new one until the daemon ends. */
  async *events(options: { follow: boolean; last?: number }): AsyncIterable<JournalLine> {
    const queue: (ControlAnswer | null)[] = [];
    let wake = (): void => {};
    const id = this.#nextId++;
    this.#waiting.set(id, (answer) => {
      queue.push(answer);
      wake();
    });
    this.#send({ id, ask: 'events', ...options });
    try {
      for (;;) {
        const answer = queue.shift();
        if (answer === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else if (answer === null || 'end' in answer) return;
        else if ('error' in answer) throw new Refused(answer.error);
        else if ('event' in answer) yield answer.event;
      }
    } finally {
      this.#waiting.delete(id);
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  async #one(request: Unnumbered<ControlRequest>, withinMs = ANSWER_TIMEOUT_MS): Promise<ControlAnswer> {
    const id = this.#nextId++;
    const answer = await new Promise<ControlAnswer | null>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(
          new Unresponsive(
            `batond did not answer within ${withinMs / 1000} s: is it stopped?\nsee its STAT, where T is stopped: ps ax -o pid,stat,args | grep baton`,
          ),
        );
      }, withinMs);
      this.#waiting.set(id, (got) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(got);
      });
      this.#send({ id, ...request });
    });
    if (answer === null) throw new NoDaemon('batond hung up');
    if ('error' in answer) throw new Refused(answer.error);
    return answer;
  }

  #send(request: ControlRequest): void {
    if (this.#socket.destroyed) for (const answered of [...this.#waiting.values()]) answered(null);
    else this.#socket.write(JSON.stringify(request) + '\n');
  }
}

/** Two lines: what was tried and why it failed, and what to do. */
function unreached(tried: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EACCES' || code === 'EPERM')
    return `${tried} may not be opened by this user\nrun this as root, or name a group of yours in the cluster file: group: NAME`;
  return `${tried} ${reasonOf(error)}\nstart it with: baton daemon`;
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'ECONNREFUSED') return 'has no listener';
  return code ?? String(error);
}

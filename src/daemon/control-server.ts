/** The control socket's server. Bad requests get an error with a reason; they never reach the machine. */
import { chmodSync, chownSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import type { ClusterFileText, DaemonStatus, JournalLine } from '../client/document.js';
import { LINE_MAX, SOCKET_NAME, type ControlAnswer } from '../client/protocol.js';
import type { OperatorAnswer, OperatorRequest } from '../status.js';

export interface ControlHandler {
  status(): Promise<DaemonStatus>;
  clusterFile(): ClusterFileText;
  ask(request: OperatorRequest): Promise<OperatorAnswer>;
  last(count?: number): readonly JournalLine[];
  follow(onLine: (line: JournalLine) => void): () => void;
}

const dry = { dryRun: z.boolean().optional() };

const operatorRequest = z.discriminatedUnion('ask', [
  z.strictObject({
    ask: z.literal('link-switch'),
    net: z.string(),
    to: z.string().optional(),
    dryRun: z.boolean().optional(),
  }),
  z.strictObject({
    ask: z.literal('link-lock'),
    nic: z.string(),
    owner: z.string(),
    reason: z.string(),
    forMs: z.number().positive().optional(),
    dryRun: z.boolean().optional(),
  }),
  z.strictObject({ ask: z.literal('link-unlock'), nic: z.string(), dryRun: z.boolean().optional() }),
  z.strictObject({ ask: z.literal('poll-now'), net: z.string().optional() }),
  z.strictObject({ ask: z.literal('cluster-run'), force: z.boolean().optional(), ...dry }),
  z.strictObject({ ask: z.literal('cluster-halt'), ...dry }),
  z.strictObject({ ask: z.enum(['node-run', 'node-halt', 'node-remove', 'takeover']), node: z.string(), ...dry }),
  z.strictObject({ ask: z.enum(['node-fenced', 'node-unfence']), node: z.string(), ...dry }),
  z.strictObject({
    ask: z.enum(['package-halt', 'package-enable', 'package-disable']),
    package: z.string(),
    ...dry,
  }),
  z.strictObject({
    ask: z.enum(['package-start', 'package-move']),
    package: z.string(),
    to: z.string().optional(),
    ...dry,
  }),
  z.strictObject({ ask: z.literal('surrender'), to: z.string().optional(), ...dry }),
]);

const controlRequest = z.discriminatedUnion('ask', [
  z.strictObject({ id: z.number(), ask: z.enum(['status', 'cluster-file']) }),
  z.strictObject({
    id: z.number(),
    ask: z.literal('events'),
    follow: z.boolean(),
    last: z.number().int().nonnegative().optional(),
  }),
  z.strictObject({ id: z.number(), ask: z.literal('operator'), request: operatorRequest }),
]);

/** A client that does not read is dropped once this much waits for it. */
const BACKLOG_MAX = 4 * LINE_MAX;

export class ControlServer {
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  readonly #path: string;

  private constructor(runDir: string, handler: ControlHandler) {
    this.#path = join(runDir, SOCKET_NAME);
    this.#server = createServer((socket) => this.#serve(socket, handler));
  }

  /** A socket file that a dead daemon left is replaced; whether a live one listens was checked before. `gid`: that group may use it too. */
  static async open(runDir: string, handler: ControlHandler, gid?: number): Promise<ControlServer> {
    const server = new ControlServer(runDir, handler);
    rmSync(server.#path, { force: true });
    const before = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        // Later ones are connections that could not be accepted, for want of descriptors: their loss.
        server.#server.on('error', reject);
        server.#server.listen(server.#path, resolve);
      });
    } finally {
      process.umask(before);
    }
    if (gid !== undefined) {
      chownSync(server.#path, -1, gid);
      chmodSync(server.#path, 0o660);
    }
    return server;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.end();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      setTimeout(() => this.#clients.forEach((client) => client.destroy()), 100).unref();
    });
  }

  #serve(socket: Socket, handler: ControlHandler): void {
    this.#clients.add(socket);
    const unfollow: (() => void)[] = [];
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#clients.delete(socket);
      for (const end of unfollow) end();
    });
    const say = (answer: ControlAnswer): void => {
      if (socket.writableLength > BACKLOG_MAX) socket.destroy();
      else if (socket.writable) socket.write(JSON.stringify(answer) + '\n');
    };
    socket.on('data', (text: string) => {
      rest += text;
      if (rest.length > LINE_MAX) return void socket.destroy();
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const follows = answer(line, handler, say);
        if (follows) unfollow.push(follows);
      }
    });
  }
}

/** Returns the function that ends a following of events, if the line asked for one. */
function answer(line: string, handler: ControlHandler, say: (answer: ControlAnswer) => void): (() => void) | undefined {
  let id = 0;
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
    const given = (parsed as { id?: unknown } | null)?.id;
    if (typeof given === 'number') id = given;
  } catch {
    say({ id, error: 'not JSON' });
    return undefined;
  }
  const request = controlRequest.safeParse(parsed);
  if (!request.success) {
    say({ id, error: z.prettifyError(request.error) });
    return undefined;
  }
  const failed = (error: unknown): void => say({ id, error: error instanceof Error ? error.message : String(error) });
  switch (request.data.ask) {
    case 'status':
      handler.status().then((status) => say({ id, status }), failed);
      return undefined;
    case 'cluster-file':
      say({ id, clusterFile: handler.clusterFile() });
      return undefined;
    case 'operator':
      handler.ask(request.data.request as OperatorRequest).then((operator) => say({ id, operator }), failed);
      return undefined;
    case 'events':
      for (const event of handler.last(request.data.last)) say({ id, event });
      if (request.data.follow) return handler.follow((event) => say({ id, event }));
      say({ id, end: true });
      return undefined;
  }
}

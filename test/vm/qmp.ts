/** QEMU's monitor over its socket (docs/interop/qmp-spec.rst): one command at a time, events left aside. */
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

interface Told {
  return?: unknown;
  error?: { desc: string };
}

export class Monitor {
  readonly #socket: Socket;
  readonly #waiting: ((told: Told) => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    createInterface({ input: socket }).on('line', (line) => {
      const told = JSON.parse(line) as Told;
      if ('return' in told || 'error' in told) this.#waiting.shift()?.(told);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const take of this.#waiting.splice(0)) take({ error: { desc: 'the machine is gone' } });
    });
  }

  static async open(path: string): Promise<Monitor> {
    const monitor = new Monitor(createConnection(path));
    await monitor.do('qmp_capabilities');
    return monitor;
  }

  /** Rejects with QEMU's own words. */
  do(command: string, given: Record<string, unknown> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push((told) => (told.error ? reject(new Error(told.error.desc)) : resolve(told.return)));
      this.#socket.write(JSON.stringify({ execute: command, arguments: given }) + '\n');
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

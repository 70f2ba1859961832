/** What the commands share that look ahead: the live cluster, or what a cluster file promises. */
import { readClusterFile } from '../config/parse.js';
import type { Situation } from '../drill/foresight/situation.js';
import { NoDaemon } from '../client/control.js';
import { BatonCommand, Failure } from './command.js';
import { interruptible } from './interruption.js';

export abstract class SituationCommand extends BatonCommand {
  /** With --config on the command line: the file, whatever lives. Else as the daemon tells. Throws NoDaemon, ClusterFileError. */
  protected async situation(flags: { config: string; 'run-dir': string }): Promise<Situation> {
    // The simulator is not loaded for a question about options.
    const { situationOfFile, situationOfNode } = await import('../drill/foresight/situation.js');
    if (this.namesFile()) return situationOfFile(readClusterFile(flags.config).text, flags.config);
    try {
      return await this.withDaemon(flags['run-dir'], async (control) => {
        const [{ text, path }, { status }] = await Promise.all([control.clusterFile(), control.status()]);
        return situationOfNode(text, path, status);
      });
    } catch (error) {
      if (error instanceof NoDaemon) error.message += `\nor ask what a cluster file promises: --config ${flags.config}`;
      throw error;
    }
  }

  /** Work that Ctrl-C calls off: then it throws a Failure. */
  protected rehearsing<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return interruptible((signal) =>
      work(signal).catch((error: unknown) => {
        throw signal.aborted ? new Failure((signal.reason as Error).message) : error;
      }),
    );
  }

  /** BATON_CONFIG alone says where the file is, not that the live cluster is of no interest. */
  private namesFile(): boolean {
    return this.argv.some((word) => word === '--config' || word.startsWith('--config='));
  }
}

/** Tells how far work is, on a terminal only; the line goes away with `end`. */
export class ProgressLine {
  #shown = false;

  show(text: string): void {
    if (!process.stderr.isTTY) return;
    process.stderr.write(`\r\u001b[K${text}`);
    this.#shown = true;
  }

  end(): void {
    if (this.#shown) process.stderr.write('\r\u001b[K');
    this.#shown = false;
  }
}

/** What every command shares: where the daemon and its file are, and how errors end. */
import { Command, Errors, Flags, type Interfaces } from '@oclif/core';
import { Control, NoDaemon, Refused } from '../client/control.js';
import { KeyError } from '../config/key.js';
import { ClusterFileError } from '../config/problem.js';
import { Unready } from '../daemon/preflight.js';
import { FaultError } from '../drill/foresight/fault-error.js';
import { ScenarioError } from '../drill/load.js';

/** Exit codes of every command. */
export const EXIT = { done: 0, refused: 1, usage: 2, noDaemon: 3, noQuorum: 4, degraded: 5 } as const;

/** Refused or failed: the message says what to do next. */
export class Failure extends Error {
  override readonly name = 'Failure';
  constructor(
    message: string,
    readonly exitCode: number = EXIT.refused,
  ) {
    super(message);
  }
}

export const HELP_GROUP = 'PLACES';

const places = {
  config: Flags.string({
    description: 'cluster file',
    env: 'BATON_CONFIG',
    default: '/etc/baton/cluster.yaml',
    helpGroup: HELP_GROUP,
  }),
  'run-dir': Flags.string({
    description: 'directory of control socket and ledger',
    env: 'BATON_RUN_DIR',
    default: '/run/baton',
    helpGroup: HELP_GROUP,
  }),
  'state-dir': Flags.string({
    description: 'directory of durable state',
    env: 'BATON_STATE_DIR',
    default: '/var/lib/baton',
    helpGroup: HELP_GROUP,
  }),
};

/** Exit code of an error, or null for one that nobody foresaw. */
export function exitCodeOf(error: unknown): number | null {
  if (error instanceof Failure || error instanceof Unready) return error.exitCode;
  if (error instanceof NoDaemon) return EXIT.noDaemon;
  if (error instanceof Refused) return EXIT.refused;
  if (error instanceof ClusterFileError || error instanceof KeyError) return EXIT.usage;
  if (error instanceof ScenarioError || error instanceof FaultError) return EXIT.usage;
  return isUsage(error) ? EXIT.usage : null;
}

/** What oclif finds wrong with flags and arguments. */
function isUsage(error: unknown): error is Errors.CLIError {
  return error instanceof Errors.CLIError && error.oclif.exit === EXIT.usage;
}

/** One or two lines: what oclif says, without its heading and on one line, and where help is. */
function messageOf(error: Error, id: string): string {
  if (!isUsage(error)) return error.message;
  const found = error.message.split('\n').map((line) => line.trim());
  const said = found.filter((line) => line !== '' && !/^(The following error|See more help)/.test(line));
  const text = said.join('; ').replaceAll(':; ', ': ').replaceAll('  ', ', ');
  return `${text}\nhow it is used: baton ${id.replaceAll(':', ' ')} --help`;
}

export abstract class BatonCommand extends Command {
  static override baseFlags = places;

  /** Asks the daemon; the connection is closed whatever happens. */
  protected async withDaemon<T>(runDir: string, use: (control: Control) => Promise<T>): Promise<T> {
    const control = await Control.connect(runDir);
    try {
      return await use(control);
    } finally {
      control.close();
    }
  }

  protected override async catch(error: Interfaces.CommandError): Promise<unknown> {
    const known = exitCodeOf(error);
    if (known === null) return super.catch(error);
    const message = messageOf(error, this.id ?? 'help');
    if (this.jsonEnabled()) this.logJson({ error: { message, exitCode: known } });
    for (const line of message.split('\n')) this.logToStderr(`baton: ${line}`);
    this.exit(known);
  }
}

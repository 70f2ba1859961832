/** What the commands share that ask something of the whole cluster, through whichever node they run on. */
import { Flags } from '@oclif/core';
import type { Control } from '../client/control.js';
import type { JournalEvent, OperatorRequest } from '../status.js';
import { BatonCommand } from './command.js';
import { operate, type Operated } from './operate.js';
import { eventText } from './output/events-text.js';
import { paintFor } from './output/paint.js';

export const dryRunFlag = {
  'dry-run': Flags.boolean({ description: 'say what would be done', default: false }),
};

/** What tells how far it is. */
const PROGRESS: readonly JournalEvent[] = ['placed', 'package', 'announced', 'committed', 'peer-health', 'lease'];

export abstract class ClusterCommand extends BatonCommand {
  /** Prints the answer; throws Failure with the reason of a refusal. The answer comes when it is done, within seconds: whoever watches sees the journal meanwhile. */
  protected async steer(runDir: string, request: OperatorRequest): Promise<Operated> {
    const done = await this.withDaemon(runDir, async (control) => {
      if (process.stderr.isTTY && !this.jsonEnabled()) void this.tell(control);
      return operate(control, undefined, request);
    });
    this.log(done.text);
    return done;
  }

  /** Ends with the connection. */
  private async tell(control: Control): Promise<void> {
    const paint = paintFor(process.stderr);
    try {
      for await (const line of control.events({ follow: true, last: 0 }))
        if (PROGRESS.includes(line.event)) this.logToStderr(paint.dim(eventText(line, paint)));
    } catch {
      // The answer itself tells what went wrong.
    }
  }
}

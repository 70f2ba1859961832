/** The daemon's log: bunyan to standard output, or to a file that is bounded in size and rotated daily. */
import bunyan from 'bunyan';
import { basename, dirname } from 'node:path';
import { createStream } from 'rotating-file-stream';
import type { Cluster } from '../config/cluster.js';

/** One log file grows to this at most before it is rotated, so that `keep` files bound the disk. */
const FILE_SIZE = '10M';

export function openLog(settings: Cluster['log'], node: string): bunyan {
  outlive(process.stdout);
  outlive(process.stderr);
  const streams: bunyan.Stream[] = [];
  if (settings.file === undefined) streams.push({ stream: process.stdout, level: settings.level });
  else {
    const file = createStream(basename(settings.file), {
      path: dirname(settings.file),
      size: FILE_SIZE,
      interval: '1d',
      maxFiles: settings.keep,
    });
    // The log falls silent, the journal in memory and the service go on.
    let complained = false;
    file.on('error', (error: Error) => {
      if (!complained) process.stderr.write(`cannot write the log ${settings.file}: ${error.message}\n`);
      complained = true;
    });
    streams.push({ stream: file, level: settings.level });
  }
  return bunyan.createLogger({ name: 'batond', node, streams, serializers: bunyan.stdSerializers });
}

/** What goes wrong with these streams, a full disk or a reader that has gone, ends no daemon. The command line's own listeners throw. */
function outlive(stream: NodeJS.WriteStream): void {
  stream.removeAllListeners('error');
  stream.on('error', () => {});
}

/** A flight recording as it lies in its file, read line by line. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { readRecorded, RECORDING_FORMAT, type RecordedInput, type RecordingStart } from '../../daemon/recording.js';

/** What is wrong with the files, in words for the operator. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

export interface Tape {
  readonly path: string;
  readonly start: RecordingStart;
  /** The last line was cut short: the daemon died as it wrote it. Known once all is read. */
  cutShort: boolean;
}

/** Throws a RecordingError if it is none, or not of this format; a `NodeJS.ErrnoException` if it cannot be read. */
export async function openTape(path: string): Promise<Tape> {
  try {
    for await (const line of linesOf(path)) return { path, start: startOf(path, line), cutShort: false };
  } catch (error) {
    // What is wrong with a directory is told without its name.
    throw Object.assign(error as Error, { path });
  }
  throw new RecordingError(`${path} is empty: its daemon wrote nothing, or the file is still to be copied`);
}

/** From the first input on. Throws a RecordingError with the line's number where a line before the last is damaged. */
export async function* readTape(tape: Tape): AsyncGenerator<RecordedInput> {
  let number = 0;
  let broken: RecordingError | undefined;
  tape.cutShort = false;
  for await (const line of linesOf(tape.path)) {
    number++;
    if (broken !== undefined) throw broken;
    if (number === 1) continue;
    const entry = parsed(line);
    if (entry === null) broken = new RecordingError(`${tape.path}:${number}: not a line of a recording`);
    else if ('recording' in entry) throw new RecordingError(`${tape.path}:${number}: a second start`);
    else yield entry;
  }
  tape.cutShort = broken !== undefined;
}

function linesOf(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path), crlfDelay: Infinity });
}

function parsed(line: string): RecordingStart | RecordedInput | null {
  try {
    const entry = readRecorded(line) as unknown;
    const isEntry = typeof entry === 'object' && entry !== null && 'at' in entry && typeof entry.at === 'number';
    if (!isEntry || !('recording' in entry || 'input' in entry)) return null;
    return entry as RecordingStart | RecordedInput;
  } catch {
    return null;
  }
}

function startOf(path: string, line: string): RecordingStart {
  let entry: unknown;
  try {
    entry = readRecorded(line);
  } catch {
    throw new RecordingError(
      `${path}:1: not a line of a recording; baton writes recordings where the cluster file says record: true`,
    );
  }
  if (typeof entry !== 'object' || entry === null || !('recording' in entry))
    throw new RecordingError(`${path} is not a recording of baton: its first line has no start`);
  if (entry.recording !== RECORDING_FORMAT) {
    const version = 'version' in entry ? ` by baton ${String(entry.version)}` : '';
    throw new RecordingError(
      `${path} was written${version} in format ${String(entry.recording)}; this baton reads format ${RECORDING_FORMAT}: replay it with that version`,
    );
  }
  const start = entry as RecordingStart;
  if (typeof start.node !== 'string' || typeof start.cluster?.digest !== 'string' || !Array.isArray(start.keys))
    throw new RecordingError(`${path}:1: its start is not whole`);
  return start;
}

/** Plays a flight recording through the machine again: same inputs, same decisions, same journal. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { readRecorded, type RecordedInput, type RecordingStart } from '../../daemon/recording.js';
import { Node } from '../../node.js';
import type { JournalEntry } from '../../status.js';
import type { Cipher, Seal } from '../../world.js';

export interface ReplayReport {
  node: string;
  inputs: number;
  journal: JournalEntry[];
  /** Where the journal that came of it first differs from the recorded one; absent: identical. */
  differs?: { input: number; recorded: string; replayed: string };
  /** The last line was cut short: the daemon died as it wrote it. */
  cutShort: boolean;
}

/** As long as a sealed text exceeds the plain one. */
const SEAL_BYTES = 16;

/** Throws an Error with the line's number when the file is not a recording. */
export async function replay(path: string): Promise<ReplayReport> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  const seals: string[] = [];
  const seal: Seal = () => {
    const recorded = seals.shift();
    // A machine that asks for more seals than were recorded has already gone another way.
    return recorded === undefined ? new Uint8Array(16) : new Uint8Array(Buffer.from(recorded, 'hex'));
  };
  let node: Node | undefined;
  let report: ReplayReport | undefined;
  const opened: (string | null)[] = [];
  const cipher: Cipher = {
    // Only its length is the machine's business.
    seal: (_, __, plain) => new Uint8Array(plain.length + SEAL_BYTES),
    open: () => {
      const recorded = opened.shift() ?? null;
      return recorded === null ? null : new Uint8Array(Buffer.from(recorded, 'hex'));
    },
  };
  let number = 0;
  let broken: Error | undefined;
  for await (const line of lines) {
    number++;
    if (broken !== undefined) throw broken;
    let entry: RecordingStart | RecordedInput;
    try {
      entry = readRecorded(line);
    } catch {
      broken = new Error(`${path}:${number}: not a line of a recording`);
      continue;
    }
    if (!node || !report) {
      if (!('recording' in entry)) throw new Error(`${path} is not a recording of baton: its first line has no start`);
      node = new Node({ ...entry, seal, cipher }, entry.at, entry.state ?? undefined);
      report = { node: entry.node, inputs: 0, journal: [], cutShort: false };
      continue;
    }
    if ('recording' in entry) throw new Error(`${path}:${number}: a second start`);
    seals.length = 0;
    seals.push(...(entry.seals ?? []));
    opened.length = 0;
    opened.push(...(entry.opened ?? []));
    const made = node
      .step(entry.at, entry.input)
      .flatMap((action) => (action.kind === 'journal' ? [action.entry] : []));
    report.inputs++;
    report.journal.push(...made);
    const [recorded, replayed] = [JSON.stringify(entry.journal ?? []), JSON.stringify(made)];
    if (recorded !== replayed && !report.differs) report.differs = { input: report.inputs, recorded, replayed };
  }
  if (!report) throw broken ?? new Error(`${path} is empty`);
  report.cutShort = broken !== undefined;
  return report;
}

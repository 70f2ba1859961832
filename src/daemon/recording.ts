/**
 * The flight recording: one JSON line for the start (or a snapshot), then one for each input with its time, what the
 * functions that have the key said meanwhile (so that a recording needs no key and holds none), and the journal that came of it.
 * Read back by `drill/replay`, which must come to the same journal, byte for byte.
 */
import type { Cluster } from '../config/cluster.js';
import type { Input, Ms } from '../input.js';
import type { NodeState } from '../node.js';
import type { JournalEntry } from '../status.js';
import type { Cipher, Seal } from '../world.js';

/** Raised when an older reader would misread a recording. */
export const RECORDING_FORMAT = 1;

export interface RecordingStart {
  recording: typeof RECORDING_FORMAT;
  version: string;
  at: Ms;
  /** Id of the kernel's boot: those of one boot have one monotonic clock. Absent: not known. */
  boot?: string;
  /** As that of inputs. */
  commonAt?: Ms;
  cluster: Cluster;
  node: string;
  incarnation: string;
  /** Ids of the cluster's keys as the daemon started. */
  keys: string[];
  seed: number;
  /** State to go on from; null: a fresh start. */
  state: NodeState | null;
}

export interface RecordedInput {
  at: Ms;
  /** The same moment in a clock that all recordings of the cluster share, where there is one beside their own (simulator). */
  commonAt?: Ms;
  input: Input;
  /** What `world.seal` returned, call by call, in hex. */
  seals?: string[];
  /** What `world.cipher.open` returned, call by call, in hex. What `world.cipher.seal` returned decides nothing. */
  opened?: (string | null)[];
  journal?: JournalEntry[];
}

/** Keeps what the two say, until it is taken for the next line. */
export class KeyedCalls {
  #seals: string[] = [];
  #opened: (string | null)[] = [];

  seal(seal: Seal): Seal {
    return (...rest) => {
      const sealed = seal(...rest);
      this.#seals.push(toHex(sealed));
      return sealed;
    };
  }

  cipher(cipher: Cipher): Cipher {
    return {
      seal: (...rest) => cipher.seal(...rest),
      open: (...rest) => {
        const plain = cipher.open(...rest);
        this.#opened.push(plain && toHex(plain));
        return plain;
      },
    };
  }

  of({ seal, cipher }: { seal: Seal; cipher: Cipher }): { seal: Seal; cipher: Cipher } {
    return { seal: this.seal(seal), cipher: this.cipher(cipher) };
  }

  take(): Pick<RecordedInput, 'seals' | 'opened'> {
    const [seals, opened] = [this.#seals, this.#opened];
    this.#seals = [];
    this.#opened = [];
    return { ...(seals.length > 0 && { seals }), ...(opened.length > 0 && { opened }) };
  }
}

/** Throws a SyntaxError if the line is not JSON. */
export function readRecorded(line: string): RecordingStart | RecordedInput {
  return JSON.parse(line, (_, value: unknown) =>
    isBytes(value) ? new Uint8Array(Buffer.from(value.$bytes, 'hex')) : value,
  ) as RecordingStart | RecordedInput;
}

export function writeRecorded(entry: RecordingStart | RecordedInput): string {
  return (
    JSON.stringify(entry, (_, value: unknown) => (value instanceof Uint8Array ? { $bytes: toHex(value) } : value)) +
    '\n'
  );
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

function isBytes(value: unknown): value is { $bytes: string } {
  return typeof value === 'object' && value !== null && '$bytes' in value && typeof value.$bytes === 'string';
}

/** One recording played through the machine: the same inputs at the same times, and what its keyed functions said then. */
import type { Action } from '../../action.js';
import type { RecordedInput } from '../../daemon/recording.js';
import type { Ms } from '../../input.js';
import { Node } from '../../node.js';
import type { JournalEntry } from '../../status.js';
import type { Cipher, Seal } from '../../world.js';
import { RecordingError, type Tape } from './tape.js';

/** As long as a sealed text exceeds the plain one. */
const SEAL_BYTES = 16;

export interface Difference {
  /** Of which input, counted from 1. */
  input: number;
  recorded: string;
  replayed: string;
}

/** A message under a seal, told apart from all others. `channel` names cluster, both nodes, path and session. */
export interface Sealing {
  sealed?: (message: string, at: Ms) => void;
  opened?: (message: string, at: Ms) => void;
}

export class Player {
  readonly tape: Tape;
  readonly machine: Node;
  /** Where the journal that came of it first differed from the recorded one. */
  differs: Difference | null = null;
  /** So many were played. */
  inputs = 0;
  #at: Ms;
  #seals: string[] = [];
  #opened: (string | null)[] = [];

  constructor(tape: Tape, sealing: Sealing = {}) {
    this.tape = tape;
    const { start } = tape;
    this.#at = start.at;
    const seal: Seal = () => {
      const recorded = this.#seals.shift();
      // A machine that asks for more seals than were recorded has already gone another way.
      return recorded === undefined ? new Uint8Array(SEAL_BYTES) : new Uint8Array(Buffer.from(recorded, 'hex'));
    };
    const cipher: Cipher = {
      // Only its length is the machine's business.
      seal: (channel, counter, plain) => {
        sealing.sealed?.(`${channel} ${counter}`, this.#at);
        return new Uint8Array(plain.length + SEAL_BYTES);
      },
      open: (channel, counter) => {
        const recorded = this.#opened.shift() ?? null;
        if (recorded === null) return null;
        sealing.opened?.(`${channel} ${counter}`, this.#at);
        return new Uint8Array(Buffer.from(recorded, 'hex'));
      },
    };
    try {
      this.machine = new Node({ ...start, seal, cipher }, start.at, start.state ?? undefined);
    } catch (error) {
      throw new RecordingError(`${tape.path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** To be called before `step` looks at the input, or with it. */
  step(entry: RecordedInput): Action[] {
    this.#at = entry.at;
    this.#seals = [...(entry.seals ?? [])];
    this.#opened = [...(entry.opened ?? [])];
    const actions = this.machine.step(entry.at, entry.input);
    this.inputs++;
    this.#compare(entry, actions);
    return actions;
  }

  #compare(entry: RecordedInput, actions: readonly Action[]): void {
    if (this.differs !== null) return;
    const made = journalOf(actions);
    if (made.length === 0 && entry.journal === undefined) return;
    const [recorded, replayed] = [JSON.stringify(entry.journal ?? []), JSON.stringify(made)];
    if (recorded !== replayed) this.differs = { input: this.inputs, recorded, replayed };
  }
}

export function journalOf(actions: readonly Action[]): JournalEntry[] {
  return actions.flatMap((action) => (action.kind === 'journal' ? [action.entry] : []));
}

/** What a case of the virtual machine is, and what it is given. */
import type { Machine, MachineOptions } from './machine.js';

export interface Stand {
  /** Boots one more machine; it ends with the case. */
  boot(name: string, options?: Pick<MachineOptions, 'cards' | 'namespace' | 'memoryMb'>): Promise<Machine>;
  /** For files of the case on this host; it goes with the case. */
  folder: string;
  /** A figure for the report. */
  tell(what: string): void;
}

export interface Case {
  name: string;
  title: string;
  /** Why it cannot run here, or null. */
  lacks?: () => string | null;
  /** Throws an Error when something is not as it should be. */
  run(stand: Stand): Promise<void>;
}

export function demand(truth: boolean, otherwise: string): asserts truth {
  if (!truth) throw new Error(otherwise);
}

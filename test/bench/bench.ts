/** What one bench is: options in, figures and their table out. */

export interface BenchResult {
  /** For `--json`. */
  figures: Record<string, unknown>;
  /** For people, line by line. */
  text: string[];
  /** Every promise that was not kept, in words. */
  missed: string[];
}

export interface Bench {
  /** Its options, as for a usage line. */
  usage: string;
  /** Throws UsageError for options that it does not know. `say`: progress, a line at a time. */
  run(words: readonly string[], say: (line: string) => void): Promise<BenchResult>;
}

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A whole number from 1, or the default. Throws UsageError. */
export function count(option: string, text: string | undefined, otherwise: number): number {
  const number = Number(text ?? otherwise);
  if (!Number.isInteger(number) || number < 1) throw new UsageError(`--${option} wants a whole number from 1`);
  return number;
}

/** Some of `known`, separated by commas; all of them if not given. Throws UsageError. */
export function choice<T extends string>(option: string, text: string | undefined, known: readonly T[]): readonly T[] {
  const chosen = text?.split(',') ?? known;
  const unknown = chosen.find((part) => !known.includes(part as T));
  if (unknown !== undefined) throw new UsageError(`--${option} knows ${known.join(', ')}, not "${unknown}"`);
  return chosen as readonly T[];
}

/** A planted bug: edits of source files, made while the explorer is built and never on the disk. */

/** An invariant of DESIGN 15. */
export type InvariantName = `S${number}` | `L${number}`;

export interface Edit {
  /** From the root of the repository. */
  file: string;
  /** Stands in the file exactly once. */
  find: string;
  replace: string;
}

export interface Mutant {
  /** `lease-from-arrival`. */
  name: string;
  /** What it plants, in words. */
  plants: string;
  /** More than one where two layers guard the same thing. */
  edits: readonly Edit[];
  /** Which may say so first. */
  caughtBy: readonly InvariantName[];
  /** Which schedules; null: drawn ones. */
  aim: string | null;
  /** Of that aim: a cheap one that catches it, and that the explorer passes without the bug. */
  seed: number;
}

/** That file with the bug in it. Throws an Error whose message says why it cannot be planted. */
export function planted({ name, edits }: Pick<Mutant, 'name' | 'edits'>, file: string, source: string): string {
  let text = source;
  for (const { find, replace } of edits.filter((edit) => edit.file === file)) {
    const times = text.split(find).length - 1;
    if (times !== 1) throw new Error(`${name}: ${file} has its place ${times} times, not once: look what became of it`);
    if (find === replace) throw new Error(`${name}: nothing is changed`);
    text = text.replace(find, () => replace);
  }
  return text;
}

/** What is wrong with a cluster file: file, line, column, what was found, what would be right. */

/** Keys and list positions from the top of the file. */
export type FilePath = (string | number)[];

/** Wrong or doubtful, before its place in the text is known. `atKey`: the key itself is meant, not its value. */
export interface Finding {
  path: FilePath;
  text: string;
  atKey?: boolean;
}

export interface Problem {
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  /** `nodes.alpha.public.standby[0]`; empty for the file as a whole. */
  at: string;
  text: string;
}

export function showPath(path: FilePath): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}

/** `/etc/baton/cluster.yaml:3:5: nets.public: ...` */
export function showProblem(file: string, problem: Problem): string {
  const at = problem.at === '' ? '' : `${problem.at}: `;
  return `${file}:${problem.line}:${problem.column}: ${at}${problem.text}`;
}

/** All problems of one file at once. */
export class ClusterFileError extends Error {
  override readonly name = 'ClusterFileError';
  constructor(
    readonly file: string,
    readonly problems: Problem[],
  ) {
    super(problems.map((problem) => showProblem(file, problem)).join('\n'));
  }
}

/** A value of the file as one would say it, cut short. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}..."` : text;
}

/** `"a"`, `"a" or "b"`, `"a", "b" or "c"`. */
export function oneOf(words: readonly string[]): string {
  if (words.length === 0) return 'nothing';
  if (words.length === 1) return words[0]!;
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)!}`;
}

/** Insertions, deletions, replacements and swaps of neighbours that make one word of the other (Damerau 1964). */
function distance(a: string, b: string): number {
  const rows: number[][] = [];
  for (let i = 0; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      if (i === 0) {
        rows[0]!.push(j);
        continue;
      }
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      rows[i]!.push(best);
    }
  }
  return rows[a.length]![b.length]!;
}

/** The known word that was probably meant, or null. */
export function closest(word: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let least = Infinity;
  for (const candidate of known) {
    const steps = distance(word.toLowerCase().slice(0, 64), candidate.toLowerCase());
    const allowed = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (steps <= allowed && steps < least) [best, least] = [candidate, steps];
  }
  return best;
}

/** `unknown key "nett"; did you mean "nets"?` or a list of what there is. */
export function unknownWord(what: string, word: string, known: readonly string[]): string {
  const meant = closest(word, known);
  const hint = meant === null ? `known: ${known.join(', ') || 'none'}` : `did you mean "${meant}"?`;
  return `unknown ${what} "${word}"; ${hint}`;
}

/**
 * Cluster file → Cluster. All problems are found in one go, and each knows its place:
 *
 *   text ──yaml──▶ document ──schema──▶ ClusterOfFile ──consistency, timing──▶ compose ──▶ Cluster
 */
import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Cluster } from './cluster.js';
import { compose } from './compose.js';
import { inconsistencies } from './consistency.js';
import { doubts } from './doubts.js';
import { locate } from './place.js';
import { ClusterFileError, show, unknownWord, type FilePath, type Finding, type Problem } from './problem.js';
import { clusterSchema } from './schema.js';
import { brokenRules } from './timing.js';
import { unserved } from './unserved.js';

export interface ClusterFile {
  cluster: Cluster;
  text: string;
  /** Valid, but not what one wants: `check` shows them. */
  warnings: Problem[];
  /** Valid, but not done by this version: neither `check` nor the daemon takes such a file. */
  unserved: Problem[];
}

function findings(issue: z.core.$ZodIssue): Finding[] {
  const path: FilePath = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    const known = issue.message.split('\n');
    return issue.keys.map((key) => ({
      path: [...path, key],
      atKey: true,
      text: unknownWord(wordFor(path), key, known),
    }));
  }
  if (issue.code === 'invalid_key') {
    return [
      { path, atKey: true, text: `found ${show(path.at(-1))}; expected ${issue.issues[0]?.message ?? 'another name'}` },
    ];
  }
  if (issue.input === undefined && issue.code === 'invalid_type') {
    return [{ path, text: `missing; expected ${issue.message}` }];
  }
  return [{ path, text: `found ${show(issue.input)}; expected ${issue.message}` }];
}

/** In a node, every key but two is a net. */
function wordFor(path: FilePath): string {
  return path.length === 2 && path[0] === 'nodes' ? 'net' : 'key';
}

function netsOf(value: unknown): string[] {
  const nets = (value as { nets?: unknown } | null)?.nets;
  return typeof nets === 'object' && nets !== null && !Array.isArray(nets) ? Object.keys(nets) : [];
}

/** Throws ClusterFileError with every problem. `file` is the name used in messages. */
export function parseClusterFile(text: string, file: string): ClusterFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = document.errors.map(({ message, pos }): Problem => {
    const { line, col } = lines.linePos(pos[0]);
    return {
      line: Math.max(1, line),
      column: Math.max(1, col),
      at: '',
      text: `not valid YAML: ${message.split('\n')[0]!}`,
    };
  });
  if (broken.length > 0) throw new ClusterFileError(file, broken);
  const place = (found: Finding[]): Problem[] =>
    found.map((finding) => locate(document, lines, finding)).sort((a, b) => a.line - b.line || a.column - b.column);

  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    throw new ClusterFileError(file, [{ line: 1, column: 1, at: '', text: (error as Error).message }]);
  }
  if (value === null || value === undefined) {
    const text = 'the file is empty; it needs at least cluster, key, nets and nodes';
    throw new ClusterFileError(file, [{ line: 1, column: 1, at: '', text }]);
  }
  const result = clusterSchema(netsOf(value)).safeParse(value, { reportInput: true });
  if (!result.success) throw new ClusterFileError(file, place(result.error.issues.flatMap(findings)));
  const cluster = compose(result.data);
  const wrong = [...timingFindings(cluster), ...inconsistencies(cluster)];
  if (wrong.length > 0) throw new ClusterFileError(file, place(wrong));
  return { cluster, text, warnings: place(doubts(cluster)), unserved: place(unserved(cluster)) };
}

function timingFindings(cluster: Cluster): Finding[] {
  return brokenRules(cluster.timing).map(({ key, text }) => ({ path: ['timing', key], text }));
}

/** The cluster of a text that is known to be good; throws ClusterFileError otherwise. */
export function parseCluster(text: string, file = 'cluster.yaml'): Cluster {
  return parseClusterFile(text, file).cluster;
}

/** Throws ClusterFileError, also when the file cannot be read. */
export function readClusterFile(file: string): ClusterFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UnreadableFile(file, (error as NodeJS.ErrnoException).code ?? String(error));
  }
  return parseClusterFile(text, file);
}

/** As `readClusterFile`; throws ClusterFileError for what this version does not do, too. */
export function readServedFile(file: string): ClusterFile {
  const read = readClusterFile(file);
  if (read.unserved.length > 0) throw new ClusterFileError(file, read.unserved);
  return read;
}

const WHY: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
};

export class UnreadableFile extends ClusterFileError {
  constructor(file: string, code: string) {
    super(file, []);
    this.message = `cannot read the cluster file ${file}: ${WHY[code] ?? code}; name it with --config or BATON_CONFIG`;
  }
}

/** Reads scenario files. Everything wrong in one is told at once, with file, line and column. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { closest } from '../config/problem.js';
import { packageRoot } from '../version.js';
import { parseFault, scenarioSchema, type Scenario } from './scenario.js';

export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

/** The scenarios that come with baton. */
export function scenarioDirectory(): string {
  return fileURLToPath(new URL('scenarios/', packageRoot()));
}

export function listScenarios(): string[] {
  return readdirSync(scenarioDirectory())
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

/** A path, or the name of a scenario that comes with baton. Throws a ScenarioError. */
export function loadScenario(nameOrPath: string): Scenario {
  const path = /[/.]/.test(nameOrPath) ? nameOrPath : join(scenarioDirectory(), `${nameOrPath}.yaml`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    const meant = closest(nameOrPath, listScenarios());
    const next = meant === null ? 'see those that come with baton: baton scenario list' : `did you mean ${meant}?`;
    throw new ScenarioError(`there is no scenario ${nameOrPath}; ${next}`);
  }
  return parseScenario(text, path);
}

export function parseScenario(text: string, path: string): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken) throw new ScenarioError(`${path}: ${broken.message}`);
  const parsed = scenarioSchema.safeParse(document.toJS());
  if (!parsed.success)
    throw new ScenarioError(
      parsed.error.issues
        .flatMap((issue) => tell(document, lines, issue).split('\n'))
        .map((line) => `${path}:${line}`)
        .join('\n'),
    );
  const scenario: Scenario = { ...parsed.data, name: basename(path).replace(/\.ya?ml$/, '') };
  const wrong = [...scenario.before, ...scenario.steps.flatMap((step) => [step.fault, step.heal])].flatMap((fault) =>
    wrongFault(fault),
  );
  if (wrong.length > 0) throw new ScenarioError(wrong.map((what) => `${path}: ${what}`).join('\n'));
  return scenario;
}

function wrongFault(text: string | undefined): string[] {
  if (text === undefined) return [];
  try {
    parseFault(text);
    return [];
  } catch (error) {
    return [`${text}: ${(error as Error).message}`];
  }
}

/** `12:3: steps.0.at: what is wrong`. An unknown key is shown where it stands. */
function tell(document: Document, lines: LineCounter, issue: z.core.$ZodIssue): string {
  const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
  return paths
    .map((path) => {
      const what = issue.code === 'unrecognized_keys' ? 'there is no such key' : issue.message;
      return `${placeOf(document, lines, path)}${path.length > 0 ? `: ${path.join('.')}` : ''}: ${what}`;
    })
    .join('\n');
}

/** Of the key where there is one, else of the nearest value around it. */
function placeOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): string {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    const pair = isMap(parent)
      ? parent.items.find((item) => isScalar(item.key) && item.key.value === path[depth - 1])
      : undefined;
    const node = pair?.key ?? document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) {
      const { line, col } = lines.linePos(node.range[0]);
      return `${line}:${col}`;
    }
  }
  return '1:1';
}

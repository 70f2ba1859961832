/**
 * What a fence agent says of itself: `fence_x -o metadata` (the fence agent API of ClusterLabs, whose XML is that of OCF
 * resource agents 1.1). Nothing of the cluster file is told to it for that.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { AgentRunner } from './runner.js';

export interface AgentParameter {
  name: string;
  required: boolean;
  /** Used where nothing is given. */
  preset?: string;
  deprecated: boolean;
  /** The older name of the same. */
  obsoletes?: string;
  /** One line. */
  description: string;
}

export interface AgentMetadata {
  name: string;
  description: string;
  parameters: AgentParameter[];
  actions: string[];
}

const WITHIN_MS = 15_000;
const OUTPUT_MAX = 1 << 20;

type Fields = Record<string, unknown>;

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseAttributeValue: false,
  parseTagValue: false,
  processEntities: true,
  // Nothing of a document type declaration is needed, and entities of its own could grow without bound.
  htmlEntities: false,
  isArray: (name) => ['parameter', 'action', 'shortdesc', 'content'].includes(name),
});

/** Null: it is none. */
export function parseMetadata(text: string): AgentMetadata | null {
  const begin = text.indexOf('<?xml');
  const xml = begin < 0 ? text : text.slice(begin);
  if (/<!DOCTYPE/i.test(xml) && /<!ENTITY/i.test(xml)) return null;
  if (XMLValidator.validate(xml) !== true) return null;
  const root = (parser.parse(xml) as Fields)['resource-agent'];
  if (!isRecord(root)) return null;
  const { parameters, actions } = root;
  return {
    name: textOf(root['@name']),
    description: textOf(root['@shortdesc']) || textOf(root['shortdesc']),
    parameters: listOf(parameters, 'parameter').flatMap(parameterOf),
    actions: listOf(actions, 'action')
      .map((action) => textOf(action['@name']))
      .filter((name) => name !== ''),
  };
}

function listOf(value: unknown, name: string): Fields[] {
  const list = isRecord(value) ? value[name] : undefined;
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

function parameterOf(value: Fields): AgentParameter[] {
  const name = textOf(value['@name']);
  if (name === '') return [];
  const content = Array.isArray(value['content']) ? (value['content'] as unknown[])[0] : undefined;
  const preset = isRecord(content) && typeof content['@default'] === 'string' ? content['@default'] : undefined;
  const obsoletes = textOf(value['@obsoletes']);
  return [
    {
      name,
      required: value['@required'] === '1',
      ...(preset !== undefined && { preset }),
      deprecated: value['@deprecated'] === '1',
      ...(obsoletes !== '' && { obsoletes }),
      description: textOf(value['shortdesc']).split('\n')[0]!,
    },
  ];
}

/** Of an attribute, or of an element with or without attributes. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  if (Array.isArray(value)) return textOf(value[0]);
  return isRecord(value) ? textOf(value['#text']) : '';
}

/** A text says why it cannot be read. */
export async function readMetadata(program: string): Promise<AgentMetadata | string> {
  const { outcome, output } = await runOnce([program, '-o', 'metadata'], '', WITHIN_MS);
  if (outcome.how === 'refused') return outcome.text;
  if (outcome.how !== 'exited' || outcome.code !== 0) return `${program} -o metadata did not succeed`;
  return parseMetadata(output) ?? `${program} -o metadata says nothing that can be read`;
}

/** Runs one program to its end, for commands and checks. */
export function runOnce(command: string[], stdin: string, withinMs: number, secrets: string[] = []) {
  return new Promise<Parameters<ConstructorParameters<typeof AgentRunner>[0]>[0]>((resolve) => {
    new AgentRunner(resolve).run({
      kind: 'run-agent',
      id: 'once',
      command,
      stdin,
      environment: {},
      withinMs,
      outputMax: OUTPUT_MAX,
      secrets,
    });
  });
}

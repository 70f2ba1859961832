/** Operator commands of a scenario's `do`, as the command line takes them, for a lab that has no command line. */
import { parseArgs } from 'node:util';
import type { ClusterRequest, OperatorRequest } from '../status.js';
import { duration } from './scenario.js';

const OPTIONS = {
  net: { type: 'string' },
  to: { type: 'string' },
  owner: { type: 'string' },
  reason: { type: 'string' },
  for: { type: 'string' },
  force: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
} as const;

/** The command that asks for it. */
export function commandOf(request: OperatorRequest): string {
  const words = request.ask === 'poll-now' ? ['test'] : request.ask.split('-');
  for (const key of ['node', 'package', 'nic'] as const)
    if (key in request) words.push((request as unknown as Record<typeof key, string>)[key]);
  for (const key of ['net', 'to', 'owner', 'reason'] as const) {
    const value = (request as { [option in typeof key]?: string })[key];
    if (value !== undefined && value !== '') words.push(`--${key}`, value);
  }
  if ('forMs' in request && request.forMs !== undefined) words.push('--for', `${request.forMs}ms`);
  if ('force' in request && request.force) words.push('--force');
  if ('dryRun' in request && request.dryRun) words.push('--dry-run');
  return words.join(' ');
}

type Values = ReturnType<typeof parsed>['values'];

function parsed(command: readonly string[]) {
  return parseArgs({ args: [...command], options: OPTIONS, allowPositionals: true });
}

/** What to ask the daemon; a text says what is wrong with the command. */
export function operatorRequestOf(command: readonly string[]): OperatorRequest | string {
  try {
    return parse(command);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function parse(command: readonly string[]): OperatorRequest {
  const { values, positionals } = parsed(command);
  const [topic, verb, ...names] = positionals;
  switch (topic) {
    case 'test':
      return { ask: 'poll-now', ...(values.net === undefined ? {} : { net: values.net }) };
    case 'link':
      return linkRequest(verb, names, values);
    case 'cluster':
    case 'node':
    case 'package':
      return clusterRequest(`${topic} ${verb ?? ''}`, names, values);
    case 'takeover':
      return { ask: 'takeover', node: needed(verb, 'takeover needs a node'), ...dryRunOf(values) };
    case 'surrender':
      return { ask: 'surrender', ...toOf(values), ...dryRunOf(values) };
    default:
      throw new Error(
        `"${command.join(' ')}" is no command of this lab; known: cluster, node, package, takeover, surrender, link, test`,
      );
  }
}

function dryRunOf(values: Values): { dryRun?: true } {
  return values['dry-run'] === true ? { dryRun: true } : {};
}

function toOf({ to }: Values): { to?: string } {
  return to === undefined ? {} : { to };
}

function clusterRequest(words: string, [name]: string[], values: Values): ClusterRequest {
  const dryRun = dryRunOf(values);
  const node = (): string => needed(name, `${words} needs a node`);
  const one = (): string => needed(name, `${words} needs a package`);
  switch (words) {
    case 'cluster run':
      return { ask: 'cluster-run', ...(values.force === true ? { force: true } : {}), ...dryRun };
    case 'cluster halt':
      return { ask: 'cluster-halt', ...dryRun };
    case 'node run':
      return { ask: 'node-run', node: node(), ...dryRun };
    case 'node halt':
      return { ask: 'node-halt', node: node(), ...dryRun };
    case 'node remove':
      return { ask: 'node-remove', node: node(), ...dryRun };
    case 'node fenced':
      return { ask: 'node-fenced', node: node(), ...dryRun };
    case 'node unfence':
      return { ask: 'node-unfence', node: node(), ...dryRun };
    case 'package halt':
      return { ask: 'package-halt', package: one(), ...dryRun };
    case 'package enable':
      return { ask: 'package-enable', package: one(), ...dryRun };
    case 'package disable':
      return { ask: 'package-disable', package: one(), ...dryRun };
    case 'package start':
      return { ask: 'package-start', package: one(), ...toOf(values), ...dryRun };
    case 'package move':
      return { ask: 'package-move', package: one(), ...toOf(values), ...dryRun };
    default:
      throw new Error(
        `"${words}" is no command; known: cluster run, halt; node run, halt, remove, fenced, unfence; package start, move, halt, enable, disable`,
      );
  }
}

function linkRequest(verb: string | undefined, names: string[], values: Values): OperatorRequest {
  const dryRun = dryRunOf(values);
  switch (verb) {
    case 'switch': {
      const net = needed(values.net, 'link switch needs --net');
      return { ask: 'link-switch', net, ...toOf(values), ...dryRun };
    }
    case 'lock': {
      const nic = needed(names.at(-1), 'link lock needs a NIC');
      const forMs = values.for === undefined ? {} : { forMs: duration.parse(values.for) };
      const owner = values.owner ?? 'drill';
      return { ask: 'link-lock', nic, owner, reason: values.reason ?? '', ...forMs, ...dryRun };
    }
    case 'unlock':
      return { ask: 'link-unlock', nic: needed(names.at(-1), 'link unlock needs a NIC'), ...dryRun };
    default:
      throw new Error(`"link ${verb ?? ''}" is no command; known: switch, lock, unlock`);
  }
}

function needed(value: string | undefined, text: string): string {
  if (value === undefined) throw new Error(text);
  return value;
}

/** Operator commands of a scenario's `do`, as the command line takes them, for a lab that has no command line. */
import { parseArgs } from 'node:util';
import type { OperatorRequest } from '../status.js';
import { duration } from './scenario.js';

const OPTIONS = {
  net: { type: 'string' },
  to: { type: 'string' },
  owner: { type: 'string' },
  reason: { type: 'string' },
  for: { type: 'string' },
  'dry-run': { type: 'boolean' },
} as const;

/** What to ask the daemon; a text says what is wrong with the command. */
export function operatorRequestOf(command: readonly string[]): OperatorRequest | string {
  try {
    return parse(command);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function parse(command: readonly string[]): OperatorRequest {
  const { values, positionals } = parseArgs({ args: [...command], options: OPTIONS, allowPositionals: true });
  const [topic, verb, ...names] = positionals;
  const dryRun = values['dry-run'] === true ? { dryRun: true } : {};
  if (topic === 'test') return { ask: 'poll-now', ...(values.net === undefined ? {} : { net: values.net }) };
  if (topic !== 'link')
    throw new Error(
      `"${command.join(' ')}" is no command of this lab; known: link switch, link lock, link unlock, test`,
    );
  switch (verb) {
    case 'switch': {
      const net = needed(values.net, 'link switch needs --net');
      return { ask: 'link-switch', net, ...(values.to === undefined ? {} : { to: values.to }), ...dryRun };
    }
    case 'lock': {
      const nic = needed(names.at(-1), 'link lock needs a NIC');
      const forMs = values.for === undefined ? {} : { forMs: duration.parse(values.for) };
      return {
        ask: 'link-lock',
        nic,
        owner: values.owner ?? 'drill',
        reason: values.reason ?? '',
        ...forMs,
        ...dryRun,
      };
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

/** The small words of the cluster file as schemas: each one's message says what is right, after "expected". */
import { z } from 'zod';
import { parseAddress, parsePrefix } from './address.js';
import { parseDuration } from './duration.js';
import { oneOf } from './problem.js';

/** A text that a function must understand; null means that it did not. */
export function read<T>(expected: string, understand: (text: string) => T | null) {
  return z.string(expected).transform((text, context) => {
    const value = understand(text);
    if (value !== null) return value;
    context.addIssue({ code: 'custom', message: expected, input: text });
    return z.NEVER;
  });
}

export const duration = read('a duration such as 200ms, 1s or 5m', parseDuration);
export const plainAddress = read('an IPv4 or IPv6 address without prefix length, such as 10.77.0.254', parseAddress);
export const hostPrefix = read('an address with its prefix length, such as 10.77.0.1/24 or "fd77::1/64"', (text) =>
  parsePrefix(text, false),
);
export const floatingAddress = read('an address such as 10.77.0.100 or "fd77::100"', (text) => parsePrefix(text, true));

/** `constructor` and its like are refused: names become keys of records. */
function patterned(expected: string, pattern: RegExp) {
  return z.string(expected).refine((text) => pattern.test(text) && !(text in {}), expected);
}

/** Letters, digits and dashes: it goes into frames, file names and `node/nic`. */
export const name = patterned(
  'a name of letters, digits and dashes, at most 63',
  /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
);
/** dev_valid_name of the kernel, and without the dot and the at sign that `node.nic` and `eth0@if3` use otherwise. */
export const nicName = patterned(
  'a NIC as the kernel names it, such as eth0 (at most 15 characters)',
  /^(?!\.{1,2}$)[^\s/:@,]{1,15}$/,
);
export const mac = patterned(
  'a unicast MAC address such as 02:00:5e:00:01:01',
  /^[0-9A-Fa-f][02468ACEace](?::[0-9A-Fa-f]{2}){5}$/,
).transform((text) => text.toLowerCase());
export const nicOfNode = patterned('a NIC of a node such as alpha.eth0', /^[^.\s]+\.\S+$/);
export const absolutePath = patterned('an absolute path', /^\/[^\0]+$/);
export const url = read('a URL that begins with http:// or https://', (text) =>
  /^https?:\/\//.test(text) && URL.canParse(text) ? text : null,
);
export const hostName = patterned('a host name', /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})$/);
export const listen = patterned(
  'an address and port such as 127.0.0.1:7780 or "[::1]:7780"',
  /^(?:\[[0-9A-Fa-f:]+\]|[^:\s]+):\d{1,5}$/,
);
export const unit = patterned('a systemd unit such as nginx.service', /^[A-Za-z0-9@:_.\\-]{1,255}$/);
export const ocfAgent = patterned('an OCF agent such as ocf:heartbeat:Filesystem', /^ocf:[\w.-]+:[\w.-]+$/);
export const fenceAgentName = patterned(
  'an agent of the fence-agents package, such as fence_ipmilan',
  /^fence_[\w-]+$/,
);
export const parameterName = patterned('the name of a parameter', /^[\w.-]{1,64}$/);
export const someText = patterned('a text', /^[^\0]+$/);
export const yesNo = z.boolean('true or false');

export function whole(from: number, to: number = Number.MAX_SAFE_INTEGER) {
  const expected =
    to === Number.MAX_SAFE_INTEGER ? `a whole number, at least ${from}` : `a whole number from ${from} to ${to}`;
  return z.number(expected).int(expected).min(from, expected).max(to, expected);
}

export function choice<const Words extends readonly [string, ...string[]]>(...words: Words) {
  return z.enum(words, oneOf(words));
}

type Kind = 'text' | 'list' | 'mapping';

/** A key whose value may come in more than one form: each form gets its own errors. */
export function byForm<Forms extends Partial<Record<Kind, z.ZodType>>>(expected: string, forms: Forms) {
  type Output = z.output<NonNullable<Forms[keyof Forms]> & z.ZodType>;
  return z.unknown().transform((value, context): Output => {
    const kind: Kind = Array.isArray(value) ? 'list' : value !== null && typeof value === 'object' ? 'mapping' : 'text';
    const form = forms[kind];
    if (!form) {
      context.addIssue({ code: 'custom', message: expected, input: value });
      return z.NEVER;
    }
    const result = form.safeParse(value, { reportInput: true });
    if (result.success) return result.data as Output;
    for (const issue of result.error.issues) context.issues.push({ ...issue } as z.core.$ZodRawIssue);
    return z.NEVER;
  });
}

/** One or many: `eth1` means the same as `[eth1]`. */
export function oneOrMore<Item extends z.ZodType>(item: Item) {
  return byForm('a list', {
    text: item.transform((only) => [only]),
    mapping: item.transform((only) => [only]),
    list: z.array(item),
  });
}

/**
 * A mapping with these keys and no other. The message of an unknown key carries the known ones, parted by line feeds;
 * `parse.ts` makes the suggestion of it.
 */
export function mapping<Shape extends z.ZodRawShape>(shape: Shape, what = 'a mapping') {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join('\n') : what),
  });
}

/** A mapping from names to things. */
export function byName<Value extends z.ZodType>(key: typeof name, value: Value, what: string) {
  return z.record(key, value, what);
}

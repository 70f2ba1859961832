/**
 * Expressions of nf_tables rules, the few that the gate is made of. All of them work on register 1, one after the other, as
 * nft(8) shows them with --debug=netlink. Source: the kernel's include/uapi/linux/netfilter/nf_tables.h.
 */
import {
  asText,
  attribute,
  attributeBe32,
  attributeMap,
  attributeText,
  decodeAttributes,
  nested,
  NLA_F_NESTED,
} from './message.js';

export type Expression =
  | { do: 'meta'; key: number }
  | { do: 'payload'; base: number; offset: number; length: number }
  /** Goes on if the register is in the set, or if it is not. */
  | { do: 'lookup'; set: string; not: boolean }
  /** Goes on if the register begins with these bytes, in hex. */
  | { do: 'equal'; bytes: string }
  /** Type of the destination address here, RTN_* in host order. */
  | { do: 'type-of-destination' }
  | { do: 'count' }
  | { do: 'drop' }
  /** Anything else that a dump shows. */
  | { do: 'other'; name: string; bytes: string };

export const META = { protocol: 1, outNic: 7, nfproto: 15, l4proto: 16 } as const;
export const BASE = { network: 1, transport: 2 } as const;

const NFTA_LIST_ELEM = 1;
const NFTA_EXPR = { name: 1, data: 2 } as const;
const NFTA_META = { dreg: 1, key: 2 } as const;
const NFTA_PAYLOAD = { dreg: 1, base: 2, offset: 3, length: 4 } as const;
const NFTA_LOOKUP = { set: 1, sreg: 2, flags: 5 } as const;
const NFTA_CMP = { sreg: 1, op: 2, data: 3 } as const;
const NFTA_FIB = { dreg: 1, result: 2, flags: 3 } as const;
const NFTA_IMMEDIATE = { dreg: 1, data: 2 } as const;
const NFTA_DATA = { value: 1, verdict: 2 } as const;
const NFTA_VERDICT_CODE = 1;

const REGISTER_VERDICT = 0;
const REGISTER = 1;
const LOOKUP_NOT = 1;
const COMPARE_EQUAL = 0;
const FIB_ADDRESS_TYPE = 3;
const FIB_DESTINATION = 2;
const DROP = 0;

const nest = (type: number, inner: readonly Uint8Array[]): Buffer => nested(type | NLA_F_NESTED, inner);

/** Items of a NFTA_RULE_EXPRESSIONS. Throws RangeError for what only a dump may show. */
export function encodeExpressions(rule: readonly Expression[]): Buffer[] {
  return rule.map((expression) => {
    const [name, parts] = encoded(expression);
    return nest(NFTA_LIST_ELEM, [attributeText(NFTA_EXPR.name, name), nest(NFTA_EXPR.data, parts)]);
  });
}

function encoded(expression: Expression): [name: string, parts: Buffer[]] {
  switch (expression.do) {
    case 'meta':
      return ['meta', [attributeBe32(NFTA_META.dreg, REGISTER), attributeBe32(NFTA_META.key, expression.key)]];
    case 'payload':
      return [
        'payload',
        [
          attributeBe32(NFTA_PAYLOAD.dreg, REGISTER),
          attributeBe32(NFTA_PAYLOAD.base, expression.base),
          attributeBe32(NFTA_PAYLOAD.offset, expression.offset),
          attributeBe32(NFTA_PAYLOAD.length, expression.length),
        ],
      ];
    case 'lookup': {
      const flags = attributeBe32(NFTA_LOOKUP.flags, expression.not ? LOOKUP_NOT : 0);
      return [
        'lookup',
        [attributeText(NFTA_LOOKUP.set, expression.set), attributeBe32(NFTA_LOOKUP.sreg, REGISTER), flags],
      ];
    }
    case 'equal': {
      const data = nest(NFTA_CMP.data, [attribute(NFTA_DATA.value, Buffer.from(expression.bytes, 'hex'))]);
      return ['cmp', [attributeBe32(NFTA_CMP.sreg, REGISTER), attributeBe32(NFTA_CMP.op, COMPARE_EQUAL), data]];
    }
    case 'type-of-destination':
      return [
        'fib',
        [
          attributeBe32(NFTA_FIB.dreg, REGISTER),
          attributeBe32(NFTA_FIB.result, FIB_ADDRESS_TYPE),
          attributeBe32(NFTA_FIB.flags, FIB_DESTINATION),
        ],
      ];
    case 'count':
      return ['counter', []];
    case 'drop': {
      const verdict = nest(NFTA_DATA.verdict, [attributeBe32(NFTA_VERDICT_CODE, DROP)]);
      return [
        'immediate',
        [attributeBe32(NFTA_IMMEDIATE.dreg, REGISTER_VERDICT), nest(NFTA_IMMEDIATE.data, [verdict])],
      ];
    }
    case 'other':
      throw new RangeError(`${expression.name} is read, never written`);
  }
}

/** Expressions of a NFTA_RULE_EXPRESSIONS. One that is not exactly as `encodeExpressions` makes them is `other`. */
export function decodeExpressions(list: Buffer): Expression[] {
  return decodeAttributes(list).map(({ value }) => {
    const attributes = attributeMap(value);
    const name = asText(attributes.get(NFTA_EXPR.name)) ?? '';
    const data = attributes.get(NFTA_EXPR.data) ?? Buffer.alloc(0);
    return decoded(name, data) ?? { do: 'other', name, bytes: data.toString('hex') };
  });
}

function decoded(name: string, data: Buffer): Expression | null {
  const attributes = attributeMap(data);
  const value = (type: number): number | undefined => {
    const bytes = attributes.get(type);
    return bytes?.length === 4 ? bytes.readUInt32BE(0) : undefined;
  };
  const inside = (type: number, inner: number): Buffer | undefined =>
    attributeMap(attributes.get(type) ?? Buffer.alloc(0)).get(inner);
  const guess = guessed(name, value, inside, attributes);
  if (guess === null) return null;
  if (guess.do === 'count') return guess;
  // Whatever else the kernel says of it: a bit that is not known here may turn the rule's meaning round.
  const [, parts] = encoded(guess);
  return sameAttributes(data, Buffer.concat(parts)) ? guess : null;
}

function guessed(
  name: string,
  value: (type: number) => number | undefined,
  inside: (type: number, inner: number) => Buffer | undefined,
  attributes: Map<number, Buffer>,
): Expression | null {
  switch (name) {
    case 'meta':
      return { do: 'meta', key: value(NFTA_META.key) ?? 0 };
    case 'payload':
      return {
        do: 'payload',
        base: value(NFTA_PAYLOAD.base) ?? 0,
        offset: value(NFTA_PAYLOAD.offset) ?? 0,
        length: value(NFTA_PAYLOAD.length) ?? 0,
      };
    case 'lookup': {
      const set = asText(attributes.get(NFTA_LOOKUP.set)) ?? '';
      return { do: 'lookup', set, not: value(NFTA_LOOKUP.flags) === LOOKUP_NOT };
    }
    case 'cmp':
      return { do: 'equal', bytes: (inside(NFTA_CMP.data, NFTA_DATA.value) ?? Buffer.alloc(0)).toString('hex') };
    case 'fib':
      return { do: 'type-of-destination' };
    case 'counter':
      return { do: 'count' };
    case 'immediate':
      return { do: 'drop' };
    default:
      return null;
  }
}

/** Same types with the same values, whatever their order; flag bits of the types aside, at both levels. */
function sameAttributes(a: Buffer, b: Buffer): boolean {
  const [mine, theirs] = [attributeMap(a), attributeMap(b)];
  if (mine.size !== theirs.size) return false;
  return [...mine].every(([type, value]) => {
    const other = theirs.get(type);
    return other !== undefined && (value.equals(other) || (isNested(value) && sameAttributes(value, other)));
  });
}

/** Is it attributes through and through? */
function isNested(value: Buffer): boolean {
  const found = decodeAttributes(value);
  const bytes = found.reduce((sum, { value: inner }) => sum + ((4 + inner.length + 3) & ~3), 0);
  return found.length > 0 && bytes === ((value.length + 3) & ~3);
}

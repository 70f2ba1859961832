/**
 * Requests of nf_tables: tables, chains, rules, sets and their elements, and what a dump of them says. Numbers are in network
 * byte order here, unlike in rtnetlink. Source: the kernel's include/uapi/linux/netfilter/{nf_tables,nfnetlink}.h.
 */
import type { Ms } from '../../../src/input.js';
import {
  asText,
  attribute,
  attributeBe32,
  attributeMap,
  attributeText,
  decodeAttributes,
  nested,
  NLA_F_NESTED,
  NLM_F_APPEND,
  NLM_F_CREATE,
} from './message.js';
import { decodeExpressions, encodeExpressions, type Expression } from './nftables-expression.js';

export const NETLINK_NETFILTER = 12;
const SUBSYSTEM = 10;
const nft = (message: number): number => (SUBSYSTEM << 8) | message;

export const NFT_MSG_NEWTABLE = nft(0);
export const NFT_MSG_GETTABLE = nft(1);
export const NFT_MSG_DELTABLE = nft(2);
export const NFT_MSG_NEWCHAIN = nft(3);
export const NFT_MSG_GETCHAIN = nft(4);
export const NFT_MSG_NEWRULE = nft(6);
export const NFT_MSG_GETRULE = nft(7);
export const NFT_MSG_NEWSET = nft(9);
export const NFT_MSG_GETSET = nft(10);
export const NFT_MSG_NEWSETELEM = nft(12);
export const NFT_MSG_GETSETELEM = nft(13);
export const NFT_MSG_DELSETELEM = nft(14);
export const NFT_MSG_NEWGEN = nft(15);

export const FAMILY = { inet: 1, arp: 3 } as const;
export type Family = keyof typeof FAMILY;

/** The table belongs to the socket that made it, and nobody else may change it (Linux 5.12). */
export const NFT_TABLE_F_OWNER = 0x2;
/** It outlives its owner, and the next one may claim it (Linux 6.9). */
export const NFT_TABLE_F_PERSIST = 0x4;
export const NFT_SET_TIMEOUT = 0x10;

const NFTA_TABLE = { name: 1, flags: 2, owner: 7 } as const;
const NFTA_CHAIN = { table: 1, name: 3, hook: 4, policy: 5, type: 7 } as const;
const NFTA_HOOK = { number: 1, priority: 2 } as const;
const NFTA_RULE = { table: 1, chain: 2, expressions: 4 } as const;
const NFTA_SET = { table: 1, name: 2, flags: 3, keyType: 4, keyLength: 5, id: 10 } as const;
const NFTA_ELEMENTS = { table: 1, set: 2, elements: 3 } as const;
const NFTA_ELEMENT = { key: 1, timeout: 4, expiration: 5 } as const;
const NFTA_LIST_ELEM = 1;
const NFTA_DATA_VALUE = 1;
const ACCEPT = 1;
/** struct nfgenmsg. */
const GENERIC = 4;
/** Elements of one message: their list is one attribute, and an attribute has at most 65,535 bytes. */
const ELEMENTS_MAX = 1000;

/** One message of a transaction. */
export interface Draft {
  type: number;
  flags: number;
  parts: readonly Uint8Array[];
}

export interface Table {
  family: Family;
  name: string;
}

export interface Chain {
  name: string;
  /** NF_INET_* or NF_ARP_* number. */
  hook: number;
  priority: number;
  rules: Expression[][];
}

export interface Set {
  name: string;
  /** NFT_SET_* bits. */
  flags: number;
  /** For people who list it: number of nft's data type. */
  keyType: number;
  keyLength: number;
}

export interface Element {
  key: Uint8Array;
  /** Counts from the commit. */
  timeoutMs?: Ms;
}

/** What is left of an element that a dump shows. */
export interface FoundElement {
  key: Buffer;
  leftMs?: Ms;
}

export function be64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

const nest = (type: number, inner: readonly Uint8Array[]): Buffer => nested(type | NLA_F_NESTED, inner);

export function generic(family: number, resource = 0): Buffer {
  const bytes = Buffer.from([family, 0, 0, 0]);
  bytes.writeUInt16BE(resource, 2);
  return bytes;
}

const draft = (type: number, table: Table, flags: number, parts: readonly Uint8Array[]): Draft => ({
  type,
  flags,
  parts: [generic(FAMILY[table.family]), ...parts],
});

/** Makes it; on one that is there it changes the flags. */
export function newTable(table: Table, tableFlags: number): Draft {
  const parts = [attributeText(NFTA_TABLE.name, table.name), attributeBe32(NFTA_TABLE.flags, tableFlags)];
  return draft(NFT_MSG_NEWTABLE, table, NLM_F_CREATE, parts);
}

/** With all that is in it. ENOENT if it is not there. */
export function deleteTable(table: Table): Draft {
  return draft(NFT_MSG_DELTABLE, table, 0, [attributeText(NFTA_TABLE.name, table.name)]);
}

/** A base chain of type filter that accepts what its rules let pass. */
export function newChain(table: Table, chain: Chain): Draft {
  return draft(NFT_MSG_NEWCHAIN, table, NLM_F_CREATE, [
    attributeText(NFTA_CHAIN.table, table.name),
    attributeText(NFTA_CHAIN.name, chain.name),
    nest(NFTA_CHAIN.hook, [
      attributeBe32(NFTA_HOOK.number, chain.hook),
      attributeBe32(NFTA_HOOK.priority, chain.priority),
    ]),
    attributeBe32(NFTA_CHAIN.policy, ACCEPT),
    attributeText(NFTA_CHAIN.type, 'filter'),
  ]);
}

export function newRule(table: Table, chain: string, rule: readonly Expression[]): Draft {
  return draft(NFT_MSG_NEWRULE, table, NLM_F_CREATE | NLM_F_APPEND, [
    attributeText(NFTA_RULE.table, table.name),
    attributeText(NFTA_RULE.chain, chain),
    nest(NFTA_RULE.expressions, encodeExpressions(rule)),
  ]);
}

/** `id`: any number, another one for each set of the transaction. */
export function newSet(table: Table, set: Set, id: number): Draft {
  return draft(NFT_MSG_NEWSET, table, NLM_F_CREATE, [
    attributeText(NFTA_SET.table, table.name),
    attributeText(NFTA_SET.name, set.name),
    attributeBe32(NFTA_SET.flags, set.flags),
    attributeBe32(NFTA_SET.keyType, set.keyType),
    attributeBe32(NFTA_SET.keyLength, set.keyLength),
    attributeBe32(NFTA_SET.id, id),
  ]);
}

/** As many messages as it takes: none for no elements. */
export function addElements(table: Table, set: string, elements: readonly Element[]): Draft[] {
  const drafts: Draft[] = [];
  for (let at = 0; at < elements.length; at += ELEMENTS_MAX) {
    const some = elements.slice(at, at + ELEMENTS_MAX);
    drafts.push(draft(NFT_MSG_NEWSETELEM, table, NLM_F_CREATE, elementParts(table, set, some)));
  }
  return drafts;
}

/** ENOENT if one of them is not there, or its time is over. */
export function deleteElements(table: Table, set: string, keys: readonly Uint8Array[]): Draft {
  const elements = keys.map((key) => ({ key }));
  return draft(NFT_MSG_DELSETELEM, table, 0, elementParts(table, set, elements));
}

/** All elements; none at all is no error. */
export function flushSet(table: Table, set: string): Draft {
  return draft(NFT_MSG_DELSETELEM, table, 0, [
    attributeText(NFTA_ELEMENTS.table, table.name),
    attributeText(NFTA_ELEMENTS.set, set),
  ]);
}

function elementParts(table: Table, set: string, elements: readonly Element[]): Uint8Array[] {
  const list = elements.map(({ key, timeoutMs }) =>
    nest(NFTA_LIST_ELEM, [
      nest(NFTA_ELEMENT.key, [attribute(NFTA_DATA_VALUE, key)]),
      ...(timeoutMs === undefined ? [] : [attribute(NFTA_ELEMENT.timeout, be64(timeoutMs))]),
    ]),
  );
  return [
    attributeText(NFTA_ELEMENTS.table, table.name),
    attributeText(NFTA_ELEMENTS.set, set),
    nest(NFTA_ELEMENTS.elements, list),
  ];
}

/** Parts of a dump's request. The kernel heeds table and set for elements, and chain for rules; the rest it may ignore. */
export const dumpOf = (table: Table): Uint8Array[] => [generic(FAMILY[table.family])];
export const dumpOfElements = (table: Table, set: string): Uint8Array[] => [
  generic(FAMILY[table.family]),
  attributeText(NFTA_ELEMENTS.table, table.name),
  attributeText(NFTA_ELEMENTS.set, set),
];

const u32 = (value: Buffer | undefined): number | undefined =>
  value !== undefined && value.length >= 4 ? value.readUInt32BE(0) : undefined;

/** Null: another family, or table. */
export function decodeTable(payload: Buffer, table: Table): { flags: number; owner?: number } | null {
  const attributes = attributeMap(payload, GENERIC);
  if (payload[0] !== FAMILY[table.family] || asText(attributes.get(NFTA_TABLE.name)) !== table.name) return null;
  const owner = u32(attributes.get(NFTA_TABLE.owner));
  return { flags: u32(attributes.get(NFTA_TABLE.flags)) ?? 0, ...(owner !== undefined && { owner }) };
}

/** Text of a chain as it is, rules aside; null: of another table. One without hook or with another policy has its own text. */
export function decodeChain(payload: Buffer, table: Table): { name: string; form: string } | null {
  const attributes = attributeMap(payload, GENERIC);
  if (payload[0] !== FAMILY[table.family] || asText(attributes.get(NFTA_CHAIN.table)) !== table.name) return null;
  const hook = attributeMap(attributes.get(NFTA_CHAIN.hook) ?? Buffer.alloc(0));
  const form = chainForm(
    u32(hook.get(NFTA_HOOK.number)),
    u32(hook.get(NFTA_HOOK.priority)),
    asText(attributes.get(NFTA_CHAIN.type)),
    u32(attributes.get(NFTA_CHAIN.policy)),
  );
  return { name: asText(attributes.get(NFTA_CHAIN.name)) ?? '', form };
}

export const formOfChain = ({ hook, priority }: Chain): string => chainForm(hook, priority, 'filter', ACCEPT);

function chainForm(...[hook, priority, type, policy]: (number | string | undefined)[]): string {
  const signed = typeof priority === 'number' ? priority | 0 : priority;
  return `${type} hook ${hook} priority ${signed} policy ${policy}`;
}

/** Null: of another table. */
export function decodeRule(payload: Buffer, table: Table): { chain: string; expressions: Expression[] } | null {
  const attributes = attributeMap(payload, GENERIC);
  if (payload[0] !== FAMILY[table.family] || asText(attributes.get(NFTA_RULE.table)) !== table.name) return null;
  return {
    chain: asText(attributes.get(NFTA_RULE.chain)) ?? '',
    expressions: decodeExpressions(attributes.get(NFTA_RULE.expressions) ?? Buffer.alloc(0)),
  };
}

/** Null: of another table. */
export function decodeSet(payload: Buffer, table: Table): Set | null {
  const attributes = attributeMap(payload, GENERIC);
  if (payload[0] !== FAMILY[table.family] || asText(attributes.get(NFTA_SET.table)) !== table.name) return null;
  return {
    name: asText(attributes.get(NFTA_SET.name)) ?? '',
    flags: u32(attributes.get(NFTA_SET.flags)) ?? 0,
    keyType: u32(attributes.get(NFTA_SET.keyType)) ?? 0,
    keyLength: u32(attributes.get(NFTA_SET.keyLength)) ?? 0,
  };
}

export function decodeElements(payload: Buffer): FoundElement[] {
  const list = attributeMap(payload, GENERIC).get(NFTA_ELEMENTS.elements) ?? Buffer.alloc(0);
  return decodeAttributes(list).flatMap(({ value }) => {
    const attributes = attributeMap(value);
    const key = attributeMap(attributes.get(NFTA_ELEMENT.key) ?? Buffer.alloc(0)).get(NFTA_DATA_VALUE);
    const left = attributes.get(NFTA_ELEMENT.expiration);
    if (key === undefined) return [];
    // A copy: what a dump shows lies where the next answer comes.
    return [{ key: Buffer.from(key), ...(left?.length === 8 && { leftMs: Number(left.readBigUInt64BE()) }) }];
  });
}

/** Our tables as the kernel has them, against what they must be. */
import type { Ms } from '../../../src/input.js';
import { addressText } from '../netlink/address-text.js';
import {
  decodeChain,
  decodeElements,
  decodeRule,
  decodeSet,
  decodeTable,
  dumpOf,
  dumpOfElements,
  formOfChain,
  NFT_MSG_GETCHAIN,
  NFT_MSG_GETRULE,
  NFT_MSG_GETSET,
  NFT_MSG_GETSETELEM,
  NFT_MSG_GETTABLE,
  type FoundElement,
  type Table,
} from '../netlink/nftables.js';
import type { Session } from '../netlink/session.js';
import { ARP, INET, keysOf, PROTOCOL, TABLES, type GateTable } from './rules.js';

export interface Found {
  /** Null: there is no such table. */
  tables: { table: GateTable; flags: number; owner?: number }[];
  /** What is not as it must be, in words; empty if all is, the addresses of `floating` aside. */
  wrong: string[];
}

type Dumping = Pick<Session, 'dump'>;

/** Throws NetlinkError. */
export function inspect(session: Dumping): Found {
  const tables: Found['tables'] = [];
  const wrong: string[] = [];
  for (const table of TABLES) {
    const [found] = session.dump(NFT_MSG_GETTABLE, dumpOf(table), (payload) => decodeTable(payload, table));
    if (found === undefined) {
      wrong.push(`table ${table.family} ${table.name} is missing`);
      continue;
    }
    tables.push({ table, ...found });
    wrong.push(...differences(session, table));
  }
  return { tables, wrong };
}

function differences(session: Dumping, table: GateTable): string[] {
  const name = `${table.family} ${table.name}`;
  const sets = session.dump(NFT_MSG_GETSET, dumpOf(table), (payload) => decodeSet(payload, table));
  const chains = session.dump(NFT_MSG_GETCHAIN, dumpOf(table), (payload) => decodeChain(payload, table));
  const rules = session.dump(NFT_MSG_GETRULE, dumpOf(table), (payload) => decodeRule(payload, table));
  const wrong: string[] = [];
  if (text(sets.map(asLine)) !== text(table.sets.map(asLine))) wrong.push(`the sets of table ${name} are others`);
  const wanted = table.chains.map((chain) => ({ name: chain.name, form: formOfChain(chain) }));
  if (text(chains.map(asLine)) !== text(wanted.map(asLine))) wrong.push(`the chains of table ${name} are others`);
  for (const chain of table.chains) {
    const found = rules.filter((rule) => rule.chain === chain.name).map((rule) => rule.expressions);
    if (JSON.stringify(found) !== JSON.stringify(chain.rules))
      wrong.push(`the rules of chain ${name} ${chain.name} are others`);
  }
  return wrong;
}

const asLine = (thing: object): string => JSON.stringify(Object.entries(thing).sort());
const text = (lines: string[]): string => lines.sort().join('\n');

const elementsOf = (session: Dumping, table: Table, set: string): FoundElement[] =>
  session.dump(NFT_MSG_GETSETELEM, dumpOfElements(table, set), decodeElements).flat();

/** Are these sets, in both tables, just these addresses? Throws NetlinkError. */
export function holds(session: Dumping, set: 'floating' | 'held', addresses: readonly string[]): boolean {
  const { ip, ip6 } = keysOf(addresses);
  const same = (table: Table, name: string, keys: Buffer[]): boolean => {
    const found = elementsOf(session, table, name).map(({ key }) => key.toString('hex'));
    return text(found) === text(keys.map((key) => key.toString('hex')));
  };
  return same(ARP, `${set}4`, ip) && same(INET, `${set}4`, ip) && same(INET, `${set}6`, ip6);
}

/** What the gate lets speak at this moment, and for how long. Throws NetlinkError. */
export function opening(session: Dumping): { held: string[]; leftMs: Ms } {
  const held = [...elementsOf(session, INET, 'held4'), ...elementsOf(session, INET, 'held6')];
  const leases = [...elementsOf(session, INET, 'lease'), ...elementsOf(session, ARP, 'lease')];
  const left = leases.filter(({ key }) => Object.values(PROTOCOL).some((protocol) => protocol.equals(key)));
  return {
    held: held.flatMap(({ key }) => addressText(key) ?? []),
    leftMs: Math.max(0, ...left.map(({ leftMs }) => leftMs ?? Infinity)),
  };
}

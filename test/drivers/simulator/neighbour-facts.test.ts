/** What announcements do to a neighbour cache: the same frames into the simulated kernel and, as root, into this one. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addAddress } from '../../../drivers/simulator/addresses.js';
import { Bridge } from '../../../drivers/simulator/bridge.js';
import { Host } from '../../../drivers/simulator/host.js';
import { NUD } from '../../../drivers/simulator/neighbours.js';
import { World } from '../../../drivers/simulator/wire.js';
import {
  arpProbe,
  arpReply,
  arpRequest,
  encodeArp,
  gratuitousReply,
  gratuitousRequest,
} from '../../../src/frame/arp.js';
import { encodeEthernet, ETHERTYPE_ARP, ETHERTYPE_IPV6 } from '../../../src/frame/ethernet.js';
import { BROADCAST, MAC_ZERO } from '../../../src/frame/mac.js';
import { encodeNdp, neighbourSolicitation, unsolicitedAdvertisement } from '../../../src/frame/ndp.js';
import { makeScratch, removeScratch, scratchName } from './scratch-namespace.js';

const SELF = { mac: '02:00:00:00:00:fe', four: '10.77.0.254', six: 'fd77::fe' };
const ONE = '02:00:00:00:00:01';
const TWO = '02:00:00:00:00:02';
const FOUR = '10.77.0.1';
const SIX = 'fd77::1';

interface Fact {
  name: string;
  /** The entry before: MAC and state. */
  knows?: { address: string; mac: string; state: 'reachable' | 'stale' | 'permanent' };
  waitsMs?: number;
  hears: Uint8Array;
  /** Address → `MAC STATE`, or `none`. */
  then: Record<string, string>;
}

function replyTo(tha: string): Uint8Array {
  const payload = encodeArp({ op: 'reply', sha: TWO, spa: FOUR, tha, tpa: FOUR });
  return encodeEthernet({ destination: BROADCAST, source: TWO, etherType: ETHERTYPE_ARP, payload });
}

function advertisement(override: boolean): Uint8Array {
  const payload = encodeNdp({
    type: 'neighbour-advertisement',
    source: SIX,
    destination: 'ff02::1',
    target: SIX,
    router: false,
    solicited: false,
    override,
    targetLinkLayer: TWO,
  });
  return encodeEthernet({ destination: '33:33:00:00:00:01', source: TWO, etherType: ETHERTYPE_IPV6, payload });
}

const four = (state: 'reachable' | 'stale' | 'permanent') => ({ address: FOUR, mac: ONE, state });
const six = { address: SIX, mac: ONE, state: 'reachable' } as const;

const FACTS: Fact[] = [
  {
    name: 'a gratuitous request moves an entry at once',
    knows: four('reachable'),
    hears: gratuitousRequest(TWO, FOUR),
    then: { [FOUR]: `${TWO} STALE` },
  },
  {
    name: 'a gratuitous reply with the own MAC as target does, too',
    knows: four('reachable'),
    hears: gratuitousReply(TWO, FOUR),
    then: { [FOUR]: `${TWO} STALE` },
  },
  {
    name: 'a gratuitous reply to MAC zero is ignored within a second of the last update',
    knows: four('reachable'),
    hears: replyTo(MAC_ZERO),
    then: { [FOUR]: `${ONE} REACHABLE` },
  },
  {
    name: 'a gratuitous reply to broadcast is ignored within a second of the last update',
    knows: four('reachable'),
    hears: replyTo(BROADCAST),
    then: { [FOUR]: `${ONE} REACHABLE` },
  },
  {
    name: 'later it is learnt',
    knows: four('reachable'),
    waitsMs: 1200,
    hears: replyTo(MAC_ZERO),
    then: { [FOUR]: `${TWO} STALE` },
  },
  {
    name: 'an announcement of what nobody asked for is not remembered',
    hears: gratuitousRequest(TWO, FOUR),
    then: { [FOUR]: 'none' },
  },
  {
    name: 'a permanent entry is not touched',
    knows: four('permanent'),
    hears: gratuitousRequest(TWO, FOUR),
    then: { [FOUR]: `${ONE} PERMANENT` },
  },
  { name: 'who asks for us is remembered', hears: arpRequest(TWO, FOUR, SELF.four), then: { [FOUR]: `${TWO} STALE` } },
  {
    name: 'who asks for us under another MAC is believed',
    knows: four('reachable'),
    hears: arpRequest(TWO, FOUR, SELF.four),
    then: { [FOUR]: `${TWO} STALE` },
  },
  { name: 'a probe from 0.0.0.0 is not remembered', hears: arpProbe(TWO, SELF.four), then: { '0.0.0.0': 'none' } },
  {
    name: 'an answer to us confirms',
    knows: four('stale'),
    hears: arpReply(ONE, FOUR, SELF.mac, SELF.four),
    then: { [FOUR]: `${ONE} REACHABLE` },
  },
  {
    name: 'an advertisement with override moves an entry',
    knows: six,
    hears: unsolicitedAdvertisement(TWO, SIX, false),
    then: { [SIX]: `${TWO} STALE` },
  },
  {
    name: 'an advertisement without override only raises doubt',
    knows: six,
    hears: advertisement(false),
    then: { [SIX]: `${ONE} STALE` },
  },
  {
    name: 'an advertisement of what nobody asked for is not remembered',
    hears: advertisement(true),
    then: { [SIX]: 'none' },
  },
  {
    name: 'who solicits us is remembered, and doubted as soon as it is answered',
    hears: neighbourSolicitation(TWO, SIX, SELF.six),
    then: { [SIX]: `${TWO} DELAY` },
  },
];

const STATES = Object.entries(NUD).map(([name, bit]) => ({ name: name.toUpperCase(), bit }));

function onSimulator(fact: Fact): Record<string, string> {
  const world = new World(1);
  const host = new Host(world, 'client');
  const nic = host.plug('eth0', SELF.mac, new Bridge(world, 'sw').port(), false);
  addAddress(host, nic, { family: 4, local: SELF.four, prefixLength: 24, scope: 0, flags: 0 });
  addAddress(host, nic, { family: 6, local: SELF.six, prefixLength: 64, scope: 0, flags: 2 });
  world.clock.runUntil(3000);
  if (fact.knows) host.neighbours.set('eth0', fact.knows.address, fact.knows.mac, NUD[fact.knows.state]);
  world.clock.runUntil(3001 + (fact.waitsMs ?? 0));
  const etherType = (fact.hears[12]! << 8) | fact.hears[13]!;
  host.neighbours.hear(nic, { destination: destinationOf(fact.hears), source: TWO, etherType, bytes: fact.hears });
  return Object.fromEntries(
    Object.keys(fact.then).map((address) => {
      const entry = host.neighbours.of('eth0', address);
      const state = STATES.find(({ bit }) => bit === entry?.state)?.name;
      return [address, entry === undefined ? 'none' : `${entry.mac} ${state ?? entry.state}`];
    }),
  );
}

function destinationOf(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 6), (octet) => octet.toString(16).padStart(2, '0')).join(':');
}

const NAMESPACE = scratchName('neigh');

function ip(words: string): string {
  return execFileSync('ip', ['-n', NAMESPACE, ...words.split(' ')], { encoding: 'utf8' });
}

function raiseNamespace(): void {
  makeScratch('neigh');
  ip('link add eth0 type veth peer name p0');
  ip(`link set eth0 address ${SELF.mac} up`);
  ip('link set p0 up');
  ip(`address add ${SELF.four}/24 dev eth0`);
  ip(`address add ${SELF.six}/64 dev eth0 nodad`);
}

/** A packet socket on the other end of the cable. */
const SEND =
  'import socket,sys; s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW); s.bind(("p0",0)); s.send(bytes.fromhex(sys.argv[1]))';

async function onThisKernel(fact: Fact): Promise<Record<string, string>> {
  ip('neigh flush dev eth0 nud all');
  if (fact.knows) ip(`neigh replace ${fact.knows.address} lladdr ${fact.knows.mac} dev eth0 nud ${fact.knows.state}`);
  const knownAt = performance.now();
  await sleep(fact.waitsMs ?? 0);
  const hex = Array.from(fact.hears, (octet) => octet.toString(16).padStart(2, '0')).join('');
  execFileSync('ip', ['netns', 'exec', NAMESPACE, 'python3', '-c', SEND, hex]);
  // On a busy machine the frame may come too late to be within the second.
  if (fact.waitsMs === undefined && performance.now() - knownAt > 900) return onThisKernel(fact);
  await sleep(20);
  const shown = JSON.parse(ip('-j neigh show dev eth0 nud all')) as { dst: string; lladdr?: string; state: string[] }[];
  return Object.fromEntries(
    Object.keys(fact.then).map((address) => {
      const entry = shown.find((one) => one.dst === address && one.lladdr !== undefined);
      return [address, entry === undefined ? 'none' : `${entry.lladdr!} ${entry.state.join(' ')}`];
    }),
  );
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe('neighbour cache of the simulated kernel', () => {
  test.each(FACTS)('$name', (fact) => {
    expect(onSimulator(fact)).toEqual(fact.then);
  });
});

describe.skipIf(process.getuid?.() !== 0)('neighbour cache of this kernel (needs root)', () => {
  beforeAll(raiseNamespace);
  afterAll(() => removeScratch('neigh'));

  test.each(FACTS)('$name', async (fact) => {
    expect(await onThisKernel(fact)).toEqual(fact.then);
  });
});

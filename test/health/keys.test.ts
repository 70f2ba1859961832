import { beforeEach, describe, expect, it } from 'vitest';
import { Keyring } from '../../drivers/keyring.js';
import { plainCipher, plainSeal } from '../../drivers/simulator/plain-cipher.js';
import { keyBack, keysStatus, keyTo, keyToAll, takenKeys } from '../../src/health/keys.js';
import { KEY_ID } from '../no-cipher.js';
import { Wire, type Peer } from './wire.js';

const A = KEY_ID;
const B = 'b1b1b1b1';
const C = 'c2c2c2c2';
const NODES = ['alpha', 'beta', 'gamma'];

const ring = new Keyring();
let wire: Wire;
let alpha: Peer;

const keyNumber = (key: string): number => parseInt(key, 16);

function read(node: string, keys: string[], trouble?: string): void {
  for (const key of keys)
    ring.hold(key, () => ({ seal: plainSeal(keyNumber(key)), cipher: plainCipher(keyNumber(key)) }));
  wire.peers[node]!.take({ kind: 'keys-read', keys, ...(trouble !== undefined && { trouble }) });
}

const told = (node: string): string[] =>
  wire.peers[node]!.journal.filter(({ event }) => event === 'keys').map(({ cause }) => cause);
const drops = (): string[] =>
  NODES.flatMap((node) => Object.keys(wire.peers[node]!.state.dropped).map((reason) => `${node} ${reason}`)).filter(
    (it) => /key|seal/.test(it),
  );

beforeEach(() => {
  wire = new Wire({ nodes: NODES });
  for (const node of NODES) {
    Object.assign(wire.peers[node]!.world, { cipher: ring.cipher });
    read(node, [A]);
  }
  wire.run(3000);
  alpha = wire.peers['alpha']!;
});

describe('what the file holds', () => {
  it.each<[string, string[], string | undefined, boolean]>([
    ['the same key', [A], undefined, false],
    ['one more', [A, B], undefined, true],
    ['one more, in front', [B, A], undefined, true],
    ['strange keys only', [B, C], undefined, false],
    ['none', [], undefined, false],
    ['none, and why', [], 'others may read it', false],
  ])('%s: taken or not', (_, keys, trouble, isTaken) => {
    read('alpha', keys, trouble);
    expect(alpha.state.keys.file).toEqual(isTaken ? keys : [A]);
    expect(takenKeys(alpha.state)).toEqual(isTaken ? keys : [A]);
    expect(told('alpha')).toEqual(isTaken ? ['key-file'] : []);
    wire.run(1000);
    const isWrong = keys.length === 0 || !keys.includes(A);
    expect(alpha.alarms()).toEqual(isWrong ? ['key-file'] : []);
    read('alpha', [A]);
    wire.run(1000);
    expect(alpha.alarms()).toEqual([]);
  });

  it('a key that left it is taken for ten seconds more', () => {
    read('alpha', [A, B]);
    read('alpha', [B]);
    expect(takenKeys(alpha.state)).toEqual([B, A]);
    wire.run(9900);
    expect(takenKeys(alpha.state)).toEqual([B, A]);
    wire.run(400);
    expect(takenKeys(alpha.state)).toEqual([B]);
  });

  it('that changes each second: four that left are taken, the rest is refused, and an alarm says so', () => {
    let last = A;
    for (let i = 1; i <= 12; i++) {
      const next = `${i}`.padStart(8, 'e');
      read('alpha', [last, next]);
      read('alpha', [next]);
      ring.keepOnly([A, ...takenKeys(alpha.state)]);
      expect(takenKeys(alpha.state).length).toBeLessThanOrEqual(6);
      expect(takenKeys(alpha.state)).toContain(next);
      wire.run(500);
      expect(alpha.alarms().includes('key-file')).toBe(i > 4);
      last = next;
    }
    read('alpha', [last, A]);
    wire.run(11_000);
    expect(alpha.alarms()).not.toContain('key-file');
  });
});

describe('a peer is spoken to under', () => {
  type Row = [string, string[], string[], 'alive' | 'suspect' | 'lost', string];
  it.each<Row>([
    ['the one key', [A], [A], 'alive', A],
    ['the older one while it takes no other', [A, B], [A], 'alive', A],
    ['the newer one once it takes it', [A, B], [A, B], 'alive', B],
    ['the newer one if it takes that alone', [A, B], [B], 'suspect', B],
  ])('%s', (_, taken, known, health, key) => {
    const peer = alpha.state.peers['beta']!;
    Object.assign(alpha.state.keys, { file: taken, taken });
    Object.assign(peer, { keys: known, health });
    expect(keyTo(alpha.state, peer)).toBe(key);
    peer.sequence++;
    expect(keyTo(alpha.state, peer)).toBe(key);
  });

  it.each<[string, object, string]>([
    ['lost', { health: 'lost', keys: [A, B] }, ''],
    ['never heard', { health: 'alive', keys: [] }, ''],
    ['maybe another by now', { health: 'alive', keys: [A, B] }, 'aaaaaaaaaaaaaaaa'],
  ])('each of both in turn where it is %s', (_, change, claimed) => {
    const peer = Object.assign(alpha.state.peers['beta']!, change);
    Object.assign(alpha.state.keys, { file: [A, B], taken: [A, B] });
    alpha.state.sessions['beta']!.claimed = claimed;
    const used = [0, 1, 2, 3].map((sequence) => keyTo(alpha.state, Object.assign(peer, { sequence })));
    expect(used).toEqual([A, B, A, B]);
  });

  it('the key of what it is an answer to, if that is taken', () => {
    const peer = Object.assign(alpha.state.peers['beta']!, { keys: [A, B], sealedWith: A });
    Object.assign(alpha.state.keys, { file: [A, B], taken: [A, B] });
    expect(keyBack(alpha.state, peer)).toBe(A);
    alpha.state.keys.taken = [B];
    expect(keyBack(alpha.state, peer)).toBe(B);
  });
});

it.each<[string, Record<string, [string, string[]]>, string]>([
  ['all take the newer', { beta: ['alive', [A, B]], gamma: ['alive', [B]] }, B],
  ['one does not', { beta: ['alive', [A, B]], gamma: ['alive', [A]] }, A],
  ['who does not is lost', { beta: ['alive', [A, B]], gamma: ['lost', [A]] }, B],
  ['one takes the older alone, another the newer alone', { beta: ['alive', [A]], gamma: ['alive', [B]] }, B],
  ['nobody is heard', { beta: ['lost', [A]], gamma: ['lost', [A, B]] }, A],
])('what all hear, if %s', (_, peers, key) => {
  Object.assign(alpha.state.keys, { file: [A, B], taken: [A, B] });
  for (const [node, [health, keys]] of Object.entries(peers)) Object.assign(alpha.state.peers[node]!, { health, keys });
  expect(keyToAll(alpha.state)).toBe(key);
});

describe('the older key is given up', () => {
  const both = (...nodes: string[]): void => nodes.forEach((node) => read(node, [A, B]));

  it('by all, a second after all know that all know, without a message refused', () => {
    both('alpha', 'beta');
    wire.run(5000);
    expect(told('alpha')).toEqual(['key-file']);
    expect(keysStatus(alpha.state)).toMatchObject({
      ...{ file: [A, B], taken: [A, B], speaks: A, lacking: ['gamma'], unheard: [] },
      peers: [
        { node: 'beta', takes: [A, B], sends: B, spokenTo: B },
        { node: 'gamma', takes: [A], sends: A, spokenTo: A },
      ],
    });
    both('gamma');
    wire.run(900);
    expect(NODES.map(told).flat()).not.toContain('given-up');
    wire.run(2000);
    for (const node of NODES) {
      expect(told(node)).toEqual(['key-file', 'all-know', 'given-up']);
      expect(takenKeys(wire.peers[node]!.state)).toEqual([B]);
      expect(wire.peers[node]!.events('peer-health').filter((it) => /suspect|lost/.test(it))).toEqual([]);
    }
    for (const node of NODES) read(node, [B]);
    wire.run(15_000);
    expect(drops()).toEqual([]);
    expect(NODES.flatMap((node) => wire.peers[node]!.alarms())).toEqual([]);
  });

  it('not while a node was never heard, nor one that is there takes no other', () => {
    wire.peers['gamma']!.off = true;
    both('alpha', 'beta');
    wire.run(20_000);
    expect(told('alpha')).toEqual(['key-file']);
    expect(keysStatus(alpha.state).lacking).toEqual(['gamma']);
  });

  it('with who has given it up already, though a third is away', () => {
    wire.loses = (from, to) => from === 'gamma' || to === 'gamma';
    wire.run(3000);
    both('alpha', 'beta');
    wire.run(1000);
    Object.assign(wire.peers['beta']!.state.keys, { taken: [B] });
    wire.run(3000);
    expect(told('alpha')).toContain('given-up');
    expect(alpha.peer('beta').health).toBe('alive');
  });
});

describe('a file that is old', () => {
  it('is named after ten seconds, on both sides, and no longer once it was copied', () => {
    read('alpha', [A, B]);
    read('beta', [A, B]);
    wire.run(9000);
    expect(alpha.alarms()).toEqual([]);
    wire.run(2000);
    expect(alpha.alarms()).toEqual(['key-old']);
    expect(wire.peers['gamma']!.alarms()).toEqual(['key-newer', 'key-newer']);
    read('gamma', [A, B]);
    wire.run(2000);
    expect(NODES.flatMap((node) => wire.peers[node]!.alarms())).toEqual([]);
  });
});

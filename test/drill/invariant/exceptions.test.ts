/** The exceptions of S1, in S8 and S9 as well: each excuses what it must, and nothing more. */
import { describe, expect, it } from 'vitest';
import { EpochsRise } from '../../../src/drill/invariant/epochs-rise.js';
import { LastWord } from '../../../src/drill/invariant/last-word.js';
import { NoFalseMove } from '../../../src/drill/invariant/no-false-move.js';
import { OnePort } from '../../../src/drill/invariant/one-port.js';
import type { Stay } from '../../../drivers/lab.js';
import type { Node } from '../../../src/node.js';
import { gratuitousRequest } from '../../../src/frame/arp.js';
import { address, FakeFacts } from './fake-facts.js';

const FLOATING = '10.77.0.100';
const MAC = '02:00:5e:00:01:10';
const own = (file: string): string => file.replace(/quorum: .*/, 'quorum: none');
const withMac = (file: string): string => file.replace(/(10\.77\.0\.100, net: public)/, `$1, mac: '${MAC}'`);
const gateless = (file: string): string => `${file}fence: none\n`;

function hold(facts: FakeFacts, ...nodes: string[]): void {
  for (const node of facts.nodes) {
    const host = facts.host(node);
    host.open.clear();
    host.on['eth0'] = [];
  }
  for (const node of nodes) {
    facts.host(node).open.add(FLOATING);
    facts.host(node).on['eth0'] = [address(FLOATING)];
  }
}

const stay = (node: string, fromMs: number, nic = 'eth0', mac = MAC): Stay => ({
  mac,
  node,
  nic,
  fromMs,
  toMs: fromMs,
});

describe('S8 one port a MAC: two that hold it, each its own quorum, or without a gate', () => {
  const stand = (...files: ((file: string) => string)[]) => {
    const facts = new FakeFacts((file) => files.reduce((text, write) => write(text), withMac(file)));
    return { facts, rule: new OnePort(facts) };
  };

  it.each([own, gateless])('both hold it; what the winner takes back, the loser does not speak again', (file) => {
    const { facts, rule } = stand(file);
    const stays = [stay('alpha', 0), stay('beta', 10), stay('alpha', 20), stay('beta', 30)] as const;
    hold(facts, 'alpha', 'beta');
    rule.macMoved(stays[0], stays[1]);
    hold(facts, 'alpha');
    rule.macMoved(stays[1], stays[2]);
    expect(facts.violations).toEqual([]);
    rule.macMoved(stays[2], stays[3]);
    expect(facts.violations).toEqual([expect.stringMatching(/^S8: .* from beta\.eth0 at 30 ms/)]);
  });

  it('the winner after one that has just let go', () => {
    const { facts, rule } = stand(own);
    hold(facts, 'alpha', 'beta');
    rule.changed();
    hold(facts, 'beta');
    rule.macMoved(stay('alpha', 0), stay('beta', 10));
    expect(facts.violations).toEqual([]);
  });

  it.each([
    [own, 0],
    [(file: string) => file, 1],
  ])('a holder after one that takes it over, and tries the MAC (seed 215906)', (file, violations) => {
    const { facts, rule } = stand(file);
    const evidence = { mac: MAC };
    rule.journalled({ at: 10, event: 'mac-taken', node: 'beta', nic: 'eth0', cause: 'placed', evidence });
    hold(facts, 'alpha');
    rule.macMoved(stay('beta', 10), stay('alpha', 11));
    expect(facts.violations).toHaveLength(violations);
  });

  it('a holder after one whose rules were flushed a moment ago', () => {
    const { facts, rule } = stand();
    facts.host('alpha').gateStands = false;
    rule.changed();
    facts.host('alpha').gateStands = true;
    hold(facts, 'beta');
    rule.macMoved(stay('alpha', 0), stay('beta', 10));
    expect(facts.violations).toEqual([]);
    facts.pass(2000);
    rule.macMoved(stay('alpha', 2000), stay('beta', 2010));
    expect(facts.violations).toHaveLength(1);
  });

  it('without a gate, a holder after one that tries the MAC', () => {
    const { facts, rule } = stand(gateless);
    hold(facts, 'beta');
    rule.macMoved(stay('alpha', 0), stay('beta', 10));
    expect(facts.violations).toEqual([]);
  });

  it('without a gate, one that has taken it and tries it, after a dead holder', () => {
    const { facts, rule } = stand(gateless);
    hold(facts, 'alpha');
    const taken = { at: -5, event: 'mac-taken', node: 'beta', nic: 'eth0', evidence: { mac: stay('beta', 0).mac } };
    rule.journalled(taken as never);
    rule.macMoved(stay('alpha', 0), stay('beta', 10));
    expect(facts.violations).toEqual([]);
  });

  it.each([
    ['one that does not hold it', own, ['alpha']],
    ['after one that does not hold it', own, ['beta']],
    ['without a gate, one that does not hold it', gateless, ['alpha']],
    ['where a majority decides', (file: string) => file, ['alpha', 'beta']],
  ])('%s', (_, file, holders) => {
    const { facts, rule } = stand(file);
    hold(facts, ...holders);
    rule.macMoved(stay('alpha', 0), stay('beta', 10));
    expect(facts.violations).toHaveLength(1);
  });

  it('another MAC than that of the address that both hold', () => {
    const { facts, rule } = stand(own);
    hold(facts, 'alpha', 'beta');
    const other = '02:00:5e:00:01:11';
    rule.macMoved(stay('alpha', 0, 'eth0', other), stay('beta', 10, 'eth0', other));
    expect(facts.violations).toHaveLength(1);
  });

  it('two cards of one node', () => {
    const { facts, rule } = stand(own);
    hold(facts, 'alpha', 'beta');
    rule.macMoved(stay('alpha', 0), stay('alpha', 10, 'eth1'));
    facts.pass(2000);
    expect(facts.violations).toHaveLength(1);
  });
});

describe('S8 one port a MAC: a node whose rules somebody flushed', () => {
  const stand = (...files: ((file: string) => string)[]) => {
    const facts = new FakeFacts((file) => files.reduce((text, write) => write(text), withMac(file)));
    return { facts, rule: new OnePort(facts) };
  };

  it('its kernel answers, and the holder takes it back, though the rules are there again', () => {
    const { facts, rule } = stand();
    hold(facts, 'beta');
    facts.host('alpha').gateStands = false;
    rule.macMoved(stay('beta', 0), stay('alpha', 10));
    facts.host('alpha').gateStands = true;
    rule.macMoved(stay('alpha', 10), stay('beta', 20));
    expect(facts.violations).toEqual([]);
    rule.macMoved(stay('beta', 20), stay('alpha', 30));
    expect(facts.violations).toHaveLength(1);
  });

  it('whoever takes it from there has to hold it', () => {
    const { facts, rule } = stand();
    hold(facts);
    facts.host('alpha').gateStands = false;
    rule.macMoved(stay('alpha', 0), stay('beta', 10));
    expect(facts.violations).toHaveLength(1);
  });

  it('its cards have a MAC each all the same', () => {
    const { facts, rule } = stand();
    hold(facts, 'alpha');
    facts.host('alpha').gateStands = false;
    rule.macMoved(stay('alpha', 0), stay('alpha', 10, 'eth1'));
    facts.pass(2000);
    expect(facts.violations).toHaveLength(1);
  });

  it('where there is no gate nobody can have flushed it', () => {
    const { facts, rule } = stand(gateless);
    hold(facts, 'beta');
    facts.host('alpha').gateStands = false;
    rule.macMoved(stay('beta', 0), stay('alpha', 10));
    expect(facts.violations).toHaveLength(1);
  });
});

describe('S9 last word', () => {
  const word = gratuitousRequest(MAC, FLOATING);
  const stand = (file?: (text: string) => string) => {
    const facts = new FakeFacts(file);
    return { facts, rule: new LastWord(facts) };
  };

  it.each([
    ['beside another holder, where a majority decides', undefined, ['alpha', 'beta'], null, 1],
    ['beside another holder, each its own quorum', own, ['alpha', 'beta'], null, 0],
    ['beside one whose rules were flushed', undefined, ['alpha', 'beta'], 'beta', 0],
    ['without lease', undefined, [], null, 1],
    ['without lease, each its own quorum', own, [], null, 1],
    ['without lease beside one whose rules were flushed', undefined, ['beta'], 'beta', 1],
    ['from a node whose rules were flushed', undefined, ['beta'], 'alpha', 0],
  ])('a word %s', (_, file, holders, flushed, violations) => {
    const { facts, rule } = stand(file);
    hold(facts, ...holders);
    if (flushed !== null) facts.host(flushed).gateStands = false;
    rule.spoken('alpha', word);
    expect(facts.violations).toHaveLength(violations);
  });

  it.each([
    [-15, 0],
    [-40, 1],
  ])('a word under lease, %i ms after the gate closed by itself before its end', (leaseLeftMs, violations) => {
    const { facts, rule } = stand();
    facts.host('alpha').leaseLeftMs = leaseLeftMs;
    rule.spoken('alpha', word);
    expect(facts.violations).toHaveLength(violations);
  });

  it.each([
    ['a majority decides', undefined],
    ['each is its own quorum', own],
  ])('in the end it is the holder who had it, where %s', (_, file) => {
    const { facts, rule } = stand(file);
    hold(facts, 'alpha');
    rule.spoken('alpha', word);
    hold(facts, 'beta');
    rule.ended();
    expect(facts.violations).toEqual([`S9: alpha had the last word on ${FLOATING}, which beta has`]);
  });
});

describe('S4 epochs rise: two that decide alone count terms each by itself', () => {
  it.each([
    ['with quorum: none', own, 0],
    ['where a majority decides', (file: string) => file, 1],
  ])('%s', (_, file, violations) => {
    const facts = new FakeFacts(file);
    const rule = new EpochsRise(facts);
    for (const node of ['alpha', 'beta']) {
      const machine = { state: { jobs: { web: { state: 'starting', epoch: { term: 2, revision: 1 } } } } };
      const entry = { at: 0, node, event: 'package', package: 'web', to: 'starting', cause: 'placed' } as const;
      rule.journalled(entry, machine as unknown as Node);
    }
    expect(facts.violations).toHaveLength(violations);
  });
});

it.each([
  ['failback', 0],
  ['operator', 0],
  ['gives-way', 0],
  ['depends-on', 0],
  ['net-down', 1],
  ['node-lost', 1],
])('S10: in mild weather a package that is placed for %s: violations', (cause, violations) => {
  const facts = new FakeFacts();
  const rule = new NoFalseMove(facts);
  rule.arm();
  rule.journalled({ at: 1, event: 'placed', node: 'alpha', package: 'web', to: 'beta', cause } as never);
  expect(facts.violations).toHaveLength(violations);
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cipherWith } from '../drivers/cipher.js';
import { sealWith } from '../drivers/seal.js';
import { parseCluster } from '../src/config/parse.js';
import { KEY_ID, noCipher } from './no-cipher.js';
import type { Action } from '../src/action.js';
import { channelText, decodeBeat, headerLength, openBeat } from '../src/frame/heartbeat.js';
import type { Input, NicObservation } from '../src/input.js';
import { Node } from '../src/node.js';

const text = `
cluster: shop
key: /etc/baton/cluster.key
nets: { public: { heartbeat: public, targets: [10.77.0.254] } }
nodes: { alpha: { public: { primary: eth0, standby: [eth1], address: 10.77.0.1/24 } } }
`;

const observed = (nic: string, carries: boolean): NicObservation => ({
  nic,
  ifindex: nic === 'eth0' ? 2 : 3,
  mac: nic === 'eth0' ? '02:00:00:00:00:01' : '02:00:00:00:00:02',
  mtu: 1500,
  linkType: 1,
  admin: true,
  carrier: true,
  addresses: carries ? [{ family: 4, local: '10.77.0.1', prefixLength: 24, scope: 0, flags: 0x80 }] : [],
  routes: [],
  neighbours: [],
  groups: [],
  settings: {},
  children: [],
});

function start(): Node {
  const cluster = parseCluster(text, 'cluster.yaml');
  const node = new Node(
    {
      cluster,
      node: 'alpha',
      seal: sealWith(new Uint8Array(32)),
      cipher: noCipher,
      keys: [KEY_ID],
      incarnation: '0011223344556677',
      seed: 1,
    },
    0,
  );
  node.step(0, { kind: 'started', run: null, durable: null, damaged: false, hostUpMs: 0 });
  return node;
}

describe('node', () => {
  it('is not made for a node that the file does not name', () => {
    const cluster = parseCluster(text, 'cluster.yaml');
    const seal = sealWith(new Uint8Array(32));
    expect(
      () => new Node({ cluster, node: 'gamma', seal, cipher: noCipher, keys: [KEY_ID], incarnation: '00', seed: 1 }, 0),
    ).toThrow(/gamma is not in the cluster file/);
  });

  it('holds its target questions back while a NIC is being changed, until it was looked at again', () => {
    const node = start();
    let now = 0;
    const actions: Action[] = [];
    const take = (input: Input): void => void actions.push(...node.step(now, input));
    const run = (until: number): void => {
      for (; now < until; now += 10) if (node.deadline() <= now) take({ kind: 'woke' });
    };
    const asks = (nic: string): boolean => actions.some((action) => action.kind === 'send-echo' && action.nic === nic);
    take({ kind: 'host-observed', nics: [observed('eth0', true), observed('eth1', false)], missing: [] });
    run(2000);
    expect(asks('eth0')).toBe(true);

    take({ kind: 'operator-asked', id: 1, request: { ask: 'link-switch', net: 'public', to: 'eth1' } });
    const change = actions.find((action) => action.kind === 'change-host');
    expect(change).toBeDefined();
    actions.length = 0;
    run(3000);
    expect(asks('eth0') || asks('eth1')).toBe(false);

    take({ kind: 'host-changed', id: change!.id, undone: false });
    run(4000);
    expect(asks('eth0') || asks('eth1')).toBe(false);

    take({ kind: 'host-observed', nics: [observed('eth0', false), observed('eth1', true)], missing: [] });
    run(5000);
    expect([asks('eth0'), asks('eth1')]).toEqual([false, true]);
  });

  it('goes on from a snapshot as if nothing had happened', () => {
    const one = start();
    one.step(1, { kind: 'host-observed', nics: [observed('eth0', true), observed('eth1', false)], missing: [] });
    one.step(200, { kind: 'woke' });
    const cluster = parseCluster(text, 'cluster.yaml');
    const snapshot = JSON.parse(JSON.stringify(one.state)) as typeof one.state;
    const two = new Node(
      {
        cluster,
        node: 'alpha',
        seal: sealWith(new Uint8Array(32)),
        cipher: noCipher,
        keys: [KEY_ID],
        incarnation: '0011223344556677',
        seed: 1,
      },
      200,
      snapshot,
    );
    for (let at = 250; at < 3000; at += 50)
      expect(two.step(at, { kind: 'woke' })).toEqual(one.step(at, { kind: 'woke' }));
    expect(two.status(3000)).toEqual(one.status(3000));
  });
});

describe('purity', () => {
  it('of node.ts: no clock and no dice of its own', () => {
    expect(readFileSync(new URL('../src/node.ts', import.meta.url), 'utf8')).not.toMatch(/\bDate\b|Math\.random/);
  });

  it.each(['stop', 'restart'] as const)('says farewell right before its exit only if it stops (%s)', (how) => {
    const pair = text.replace(
      'nodes: { alpha',
      'nodes: { beta: { public: { primary: eth0, address: 10.77.0.2/24 } }, alpha',
    );
    const cluster = parseCluster(pair, 'cluster.yaml');
    const secrets = { seal: sealWith(new Uint8Array(32)), cipher: cipherWith(new Uint8Array(32)), keys: [KEY_ID] };
    const node = new Node({ cluster, node: 'alpha', ...secrets, incarnation: '0011223344556677', seed: 1 }, 0);
    node.step(0, { kind: 'started', run: null, durable: null, damaged: false, hostUpMs: 0 });
    node.step(0, { kind: 'host-observed', nics: [observed('eth0', true), observed('eth1', false)], missing: [] });
    let last: Action[] = [];
    for (let now = 1; last.at(-1)?.kind !== 'exit' && now < 100; now++) {
      const input: Input = now === 1 ? { kind: 'stop-asked', how } : { kind: 'woke' };
      const actions = node.step(now, input);
      for (const action of actions)
        if (action.kind === 'change-host')
          actions.push(...node.step(now, { kind: 'host-changed', id: action.id, undone: false }));
      last = actions;
    }
    expect(last.at(-1)).toEqual({ kind: 'exit', code: 0 });
    const channel = {
      cluster: 'shop',
      source: 'alpha',
      destination: 'beta',
      net: 'public',
      incarnation: '0011223344556677',
    };
    const farewells = last.slice(-3, -1).filter((action) => {
      if (action.kind !== 'send-datagram') return false;
      const length = headerLength('alpha', 'beta', 'public');
      return decodeBeat(openBeat(action.bytes, length, channelText(channel), secrets.cipher, KEY_ID)!)!.left;
    });
    expect(farewells).toHaveLength(how === 'stop' ? 2 : 0);
  });
});

import { describe, expect, it } from 'vitest';
import { bridgedNet, isShared, netOf, nicsOn } from '../../src/health/bridged.js';
import { parseCluster } from '../../src/config/parse.js';

const cluster = parseCluster(
  `cluster: shop
key: /etc/baton/cluster.key
nets: { public: { targets: [10.77.0.254] }, lan: { targets: [10.88.0.254] }, heart: { heartbeat: private }, far: {} }
nodes:
  alpha:
    public: { primary: eth0, standby: [eth2, eth3] }
    lan: { primary: eth1, standby: [eth3, eth2] }
    far: { primary: eth4, standby: [eth5] }
  beta:
    heart: { primary: hb0 }
    lan: { primary: eth1, standby: [eth5] }
    far: { primary: eth4, standby: [eth5] }
`,
  'c.yaml',
);
const world = { cluster };

describe('bridged nets', () => {
  it('are those that share a standby on any node, also by way of a third, under the name of the first', () => {
    expect(['public', 'lan', 'far', 'heart'].map((net) => bridgedNet(world, net))).toEqual([
      'public',
      'public',
      'public',
      'heart',
    ]);
    expect(isShared(world, 'public')).toBe(true);
    expect(isShared(world, 'heart')).toBe(false);
  });

  it('have the targets of all their nets', () => {
    expect(netOf(world, 'public').targets.map(({ address }) => address)).toEqual(['10.77.0.254', '10.88.0.254']);
    expect(netOf(world, 'heart').targets).toEqual([]);
  });

  it('have each NIC once, the primaries first', () => {
    const [alpha, beta] = cluster.nodes;
    expect(nicsOn(world, alpha!, 'public')).toEqual(['eth0', 'eth1', 'eth4', 'eth2', 'eth3', 'eth5']);
    expect(nicsOn(world, beta!, 'public')).toEqual(['eth1', 'eth4', 'eth5']);
  });
});

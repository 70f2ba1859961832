/** Cluster files for tests of foresight. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { situationOfFile, type Situation } from '../../../src/drill/foresight/situation.js';

export const TWO_NODES = `
cluster: shop
key: /etc/baton/cluster.key
nets:
  public: { heartbeat: public, targets: [10.77.0.254] }
  private1: { heartbeat: private }
nodes:
  alpha:
    public: { primary: eth0, standby: [eth1], address: 10.77.0.1/24 }
    private1: { primary: hb0, address: 10.78.0.1/24 }
  beta:
    public: { primary: eth0, standby: [eth1], address: 10.77.0.2/24 }
    private1: { primary: hb0, address: 10.78.0.2/24 }
quorum: { arbiter: { etcd: { endpoints: ['http://10.77.0.9:2379'] } } }
switches: { left: [alpha.eth0, beta.eth0], right: [alpha.eth1, beta.eth1] }
packages:
  web: { nodes: [alpha, beta], resources: [{ address: 10.77.0.100, net: public }] }
`;

/** `changes`: what stands there → what is to stand there. */
export function situation(text = TWO_NODES, ...changes: [string | RegExp, string][]): Situation {
  const changed = changes.reduce((before, [from, to]) => before.replace(from, to), text);
  return situationOfFile(changed, 'cluster.yaml');
}

/** One that comes with the manual. */
export function sample(name: string): Situation {
  const path = fileURLToPath(new URL(`../../../docs/samples/${name}.yaml`, import.meta.url));
  return situationOfFile(readFileSync(path, 'utf8'), path);
}

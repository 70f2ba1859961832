/** A world made by hand, for tests of what must hold. */
import { parseRoute } from '../../../drivers/route-text.js';
import type { Cluster } from '../../../src/config/cluster.js';
import { parseCluster } from '../../../src/config/parse.js';
import type { Facts, HostFacts, InvariantName, NicFacts, Told } from '../../../src/drill/invariant/invariant.js';
import type { Address, Input, Ms, Route } from '../../../src/input.js';
import { Node } from '../../../src/node.js';
import type { JournalEntry } from '../../../src/status.js';
import { KEY_ID, noCipher } from '../../no-cipher.js';

const FILE = `
cluster: shop
key: /etc/baton/cluster.key
nets: { public: { heartbeat: public } }
nodes:
  alpha: { public: { primary: eth0, standby: [eth1], address: 10.77.0.1/24 } }
  beta: { public: { primary: eth0, standby: [eth1], address: 10.77.0.2/24 } }
quorum: { arbiter: { etcd: { endpoints: [http://10.77.0.9:2379] } } }
packages: { web: { nodes: [alpha, beta], resources: [{ address: 10.77.0.100, net: public }] } }
`;

export class FakeHost implements HostFacts {
  powered = true;
  powerLosses = 0;
  runsSince: Ms = 0;
  awakeSince: Ms = 0;
  heldMs: Ms = 0;
  gateStands = true;
  leaseLeftMs: Ms = -Infinity;
  readonly open = new Set<string>();
  readonly on: Record<string, Address[]> = { eth0: [], eth1: [] };
  readonly settings: Record<string, string> = {};
  readonly dark = new Set<string>();
  list: Route[] = [];

  lets(address: string): boolean {
    return this.open.has(address);
  }

  *nics(): Iterable<NicFacts> {
    for (const [name, addresses] of Object.entries(this.on))
      yield { name, admin: true, carrier: !this.dark.has(name), addresses };
  }

  routes(): readonly Route[] {
    return this.list;
  }

  setting(name: string): string | undefined {
    return this.settings[name];
  }

  route(...lines: string[]): void {
    this.list = lines.map(parseRoute);
  }
}

export class FakeFacts implements Facts {
  readonly cluster: Cluster;
  readonly nodes = ['alpha', 'beta'];
  readonly floating = ['10.77.0.100'];
  readonly lab = null;
  readonly isUnopened = false;
  readonly violations: string[] = [];
  readonly hosts: Record<string, FakeHost> = { alpha: new FakeHost(), beta: new FakeHost() };
  calm: Ms = 0;
  #now: Ms = 1000;
  #timers: { at: Ms; run: () => void }[] = [];

  /** `write`: makes another cluster file of the usual one. */
  constructor(write: (file: string) => string = (file) => file) {
    this.cluster = parseCluster(write(FILE), 'shop.yaml');
  }

  now(): Ms {
    return this.#now;
  }

  after(ms: Ms, run: () => void): void {
    this.#timers.push({ at: this.#now + ms, run });
  }

  pass(ms: Ms): void {
    const to = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= to).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.#now = next.at;
      next.run();
    }
    this.#now = to;
  }

  host(node: string): FakeHost {
    return this.hosts[node]!;
  }

  answering(address: string): readonly string[] {
    return this.nodes.filter(
      (node) =>
        this.host(node).lets(address) &&
        Object.values(this.host(node).on).some((on) => on.some(({ local }) => local === address)),
    );
  }

  calmSince(): Ms {
    return this.calm;
  }

  violated(name: InvariantName, text: string): void {
    this.violations.push(`${name}: ${text}`);
  }
}

export function address(local: string, protocol?: number): Address {
  return { family: 4, local, prefixLength: 24, scope: 0, flags: 0, ...(protocol !== undefined && { protocol }) };
}

export function machineOf(facts: FakeFacts, node = 'alpha', digest = facts.cluster.digest): Node {
  const options = { node, seal: () => new Uint8Array(16), cipher: noCipher, keys: [KEY_ID], seed: 1 };
  return new Node({ ...options, cluster: { ...facts.cluster, digest }, incarnation: '0011223344556677' }, 0);
}

export function told(
  facts: FakeFacts,
  node: string,
  entry: Omit<JournalEntry, 'at' | 'cause'> & { cause?: string },
): Told {
  return { at: facts.now(), node, cause: 'test', ...entry };
}

export const started = (more: Partial<Extract<Input, { kind: 'started' }>> = {}): Input => ({
  kind: 'started',
  run: null,
  durable: null,
  damaged: false,
  hostUpMs: 1e6,
  ...more,
});

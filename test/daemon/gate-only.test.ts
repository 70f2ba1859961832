/** `baton daemon --gate-only` on the real kernel, in a namespace of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asRoot, Namespace } from '../drivers/linux/inside.js';

const MODULE = new URL('../../src/daemon/gate-only.ts', import.meta.url);
const TIMEOUT_MS = 60_000;

const FILE = `cluster: shop
key: /etc/baton/cluster.key
nets:
  public: { heartbeat: public }
nodes:
  alpha: { public: { primary: eth0, address: 10.77.0.1/24 } }
  beta: { public: { primary: eth0, address: 10.77.0.2/24 } }
quorum: none
packages:
  web:
    nodes: [alpha, beta]
    resources:
      - { address: 10.77.0.100, net: public }
      - { address: "fd77::100", net: public }
`;

let ns: Namespace;
let folder: string;

describe.skipIf(!asRoot)('the gate before any daemon (needs root)', () => {
  beforeEach(() => {
    ns = new Namespace('gateonly', 'a');
    folder = mkdtempSync(join(tmpdir(), 'baton-gate-only-'));
  });
  afterEach(() => {
    ns.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  function makeGate(): Promise<string> {
    const config = join(folder, 'cluster.yaml');
    writeFileSync(config, FILE);
    return ns.call<string>(MODULE, 'makeGate', config);
  }

  it(
    'stands closed when the command has ended, and a second one leaves it as it is',
    { timeout: TIMEOUT_MS },
    async () => {
      expect(await makeGate()).toBe('the gate of 2 floating addresses is there, closed');
      const made = ns.run('nft', 'list', 'ruleset');
      expect(made).toContain('10.77.0.100');
      expect(made).toContain('fd77::100');
      expect(await makeGate()).toBe('the gate of 2 floating addresses is there already');
      expect(ns.run('nft', 'list', 'ruleset')).toBe(made);
    },
  );
});

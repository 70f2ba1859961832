import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Arbiter, Cluster } from '../../src/config/cluster.js';
import { arbiterWarnings } from '../../src/daemon/arbiter-readiness.js';

const cluster = (arbiter: Arbiter, packages = [{ name: 'web' }]): Cluster =>
  ({ packages, quorum: { arbiter, onArbiterLoss: 'keep', startWaitMs: 0 } }) as unknown as Cluster;
const disk: Arbiter = { kind: 'disk', paths: ['/dev/none'] };
const here = fileURLToPath(import.meta.url);

describe('an arbiter that can be asked', () => {
  it.each<[string, Cluster]>([
    ['none', { packages: [{ name: 'web' }] } as unknown as Cluster],
    ['quorum: none', { packages: [{ name: 'web' }], quorum: 'none' } as unknown as Cluster],
    ['an etcd', cluster({ kind: 'etcd', endpoints: [] })],
    ['an etcd over TLS', cluster({ kind: 'etcd', endpoints: [], ca: here, cert: here, key: here })],
    ['any, where no package wants its vote', cluster(disk, [])],
  ])('%s', (_, given) => {
    expect(arbiterWarnings(given)).toEqual([]);
  });

  it.each(['ca', 'cert', 'key'] as const)('an unreadable %s is named, and no reason to stay down', (field) => {
    const given = cluster({ kind: 'etcd', endpoints: [], [field]: '/none.pem' });
    expect(arbiterWarnings(given)).toEqual([
      expect.stringMatching(new RegExp(`etcd\\.${field}: ENOENT.*/none\\.pem`)) as string,
    ]);
  });
});

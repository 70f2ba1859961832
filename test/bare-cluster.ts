/** For tests that write their cluster by hand: what they do not care for, as the cluster file has it where nothing is said. */
import type { Cluster, Net, Package } from '../src/config/cluster.js';

export const BARE = {
  name: 'shop',
  key: '',
  port: 7789,
  fence: 'gate',
  fenceAgents: [],
  packages: [],
  notify: [],
  record: false,
  log: { level: 'info', keep: 7 },
  digest: '',
} satisfies Partial<Cluster>;

export const BARE_NET = {
  targets: [],
  failureDetection: 'inonly_or_inout',
  autoSwitchBack: true,
  upDelayMs: 5000,
  flapMax: 3,
  flapWindowMs: 600_000,
  announceEveryMs: 30_000,
} satisfies Partial<Net>;

export const BARE_PACKAGE = {
  failover: 'configured-node',
  failback: 'manual',
  enabled: true,
  onLeaseLoss: 'halt',
  movesMax: 3,
  movesWindowMs: 600_000,
  priority: 0,
  weight: 0,
  dependsOn: [],
  excludes: [],
  resources: [],
} satisfies Partial<Package>;

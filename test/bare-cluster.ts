/** For tests that write their cluster by hand: what they do not care for, as the cluster file has it where nothing is said. */
import type { Cluster } from '../src/config/cluster.js';

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

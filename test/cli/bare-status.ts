/** What a daemon alone on its node answers, with nothing to tell: tests add what they are about. */
import type { NodeStatus } from '../../src/status.js';

export const bareStatus: NodeStatus = {
  cluster: 'shop',
  node: 'alpha',
  peers: [],
  paths: [],
  membership: null,
  gate: 'off',
  packages: [],
  roles: {},
  keys: {
    file: ['ab12cd34'],
    taken: ['ab12cd34'],
    speaks: 'ab12cd34',
    lacking: [],
    unheard: [],
    leaving: [],
    peers: [],
  },
  halted: [],
  now: 0,
  alarms: [],
  nics: [],
  nets: [],
  decisions: [],
  dropped: {},
};

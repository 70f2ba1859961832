/** Bonds and teams in the namespace of a node, and whether this kernel has them. */
import { spawnSync } from 'node:child_process';
import type { Scenario } from '../../src/drill/scenario.js';
import type { LabRefusal } from '../lab.js';
import { ip, run } from './shell.js';

type Lags = Scenario['topology']['lags'][string];

/** In a namespace of its own that ends with the program: loading a module is all that may stay of it. */
function hasKind(kind: string): boolean {
  return spawnSync('unshare', ['-n', 'ip', 'link', 'add', 'asked', 'type', kind]).status === 0;
}

/** Why the bonds and teams of this topology cannot be built here, or null. */
export function lagRefusal({ lags }: Scenario['topology']): LabRefusal {
  const kinds = new Set(Object.values(lags).flatMap((own) => Object.values(own).map(({ kind }) => kind)));
  if (kinds.has('bond') && !hasKind('bond')) return 'this kernel has no bonding';
  if (!kinds.has('team')) return null;
  if (!hasKind('team')) return 'this kernel has no team driver';
  const { error } = spawnSync('teamd', ['--version']);
  return error === undefined ? null : 'teams need teamd: apt-get install libteam-utils';
}

/** The ports must be down to be taken in; the kernel sets them up. */
export async function raiseLags(namespace: string, lags: Lags = {}): Promise<void> {
  for (const [lag, { kind, ports }] of Object.entries(lags)) {
    if (kind === 'team') await startTeam(namespace, lag, ports);
    else
      await ip(namespace, [
        `link add name ${lag} type bond mode active-backup miimon 100`,
        ...ports.map((port) => `link set ${port} down`),
        ...ports.map((port) => `link set ${port} master ${lag}`),
      ]);
  }
}

/** The kernel's part of a team does nothing by itself: teamd chooses the port. It ends with the namespace. */
async function startTeam(namespace: string, team: string, ports: readonly string[]): Promise<void> {
  const config = {
    device: team,
    runner: { name: 'activebackup' },
    link_watch: { name: 'ethtool' },
    ports: Object.fromEntries(ports.map((port) => [port, {}])),
  };
  const words = ['-d', '-t', team, '-p', `/run/teamd-${namespace}-${team}.pid`, '-c', JSON.stringify(config)];
  await ip(
    namespace,
    ports.map((port) => `link set ${port} down`),
  );
  await run('ip', ['netns', 'exec', namespace, 'teamd', ...words]);
}

/** What `baton status`, `links` and `why` show of the cluster: nodes, paths, packages. */
import type { DaemonStatus } from '../../client/document.js';
import type { MembershipStatus, NodeStatus, PackageStatus, PathStatus } from '../../status.js';
import type { Paint } from './paint.js';
import { nodeStates, type NodeDocument } from './status-document.js';
import { table } from './table.js';
import { span } from './words.js';

/** Empty for a node that stands alone. */
export function clusterText(daemon: DaemonStatus, paint: Paint): string[] {
  const { status } = daemon;
  const lines: string[] = [];
  if (status.membership !== null) lines.push(...membershipText(status, status.membership, paint));
  if (status.peers.length > 0) lines.push('', ...nodeTable(status, paint));
  if (status.packages.length > 0) lines.push('', ...packageTable(status, paint));
  return lines;
}

function membershipText({ gate }: NodeStatus, membership: MembershipStatus, paint: Paint): string[] {
  const { coordinator, term, quorum, waiting, committed, leaseLeftMs, arbiter } = membership;
  const why = waiting === undefined ? '' : `: ${waiting}`;
  const who = coordinator === null ? paint.bad('no coordinator') : `coordinator ${paint.bold(coordinator)}`;
  const lease = leaseLeftMs === null ? paint.warn('no lease') : `lease ${span(leaseLeftMs)} left`;
  const parts = [
    who,
    `term ${term}`,
    committed === null ? 'no document' : `document ${committed}`,
    quorum ? paint.good('quorum') : paint.bad(`no quorum${why}`),
    lease,
    gate === 'open' ? paint.good('gate open') : `gate ${gate}`,
  ];
  if (arbiter !== undefined) {
    const ago = arbiter.agoMs === null ? '' : `, ${span(arbiter.agoMs)} ago`;
    const name = arbiter.kind === 'disk' ? 'disk arbiter' : 'arbiter';
    const trouble = arbiter.trouble === undefined ? '' : `: ${arbiter.trouble}`;
    parts.push(arbiter.reachable ? `${name} reachable${ago}` : paint.bad(`${name} not reachable${ago}${trouble}`));
  }
  return [parts.join(', '), ...votersText(membership, paint), ...fencesText(membership, paint)];
}

const FENCE_WORDS = {
  due: 'is to be shut',
  'under-way': 'is being shut',
  failed: 'could not be shut yet',
  shut: 'is shut',
  opening: 'is being opened again',
} as const;

function fencesText({ fences }: MembershipStatus, paint: Paint): string[] {
  return fences.map(({ node, state, agent, text }) => {
    const by = agent === undefined ? '' : ` by ${agent}`;
    return paint.warn(`${node} ${FENCE_WORDS[state]}${by}${text === undefined ? '' : `: ${text}`}`);
  });
}

function votersText({ voters, previousVoters, hasVote }: MembershipStatus, paint: Paint): string[] {
  if (voters.length === 0) return [];
  const named = (names: readonly string[]): string => names.map((name) => name.replace('@', 'the ')).join(', ');
  const former =
    previousVoters === undefined ? '' : paint.warn(`; until both majorities have it also ${named(previousVoters)}`);
  return [`voters ${named(voters)}${former}${hasVote ? '' : paint.warn('; this node has no vote')}`];
}

function paintState(state: NodeDocument['state'], paint: Paint): string {
  switch (state) {
    case 'alive':
      return paint.good(state);
    case 'suspect':
    case 'halted':
      return paint.warn(state);
    case 'lost':
    case 'left':
      return paint.bad(state);
  }
}

function nodeTable(status: NodeStatus, paint: Paint): string[] {
  const columns = [
    { title: 'NODE' },
    { title: 'STATE' },
    { title: 'SINCE', align: 'right' as const },
    { title: 'ROLE' },
    { title: 'PATHS' },
  ];
  const rows = Object.entries(nodeStates(status)).map(([name, state]) => {
    const peer = status.peers.find(({ node }) => node === name);
    const marks = status.membership?.coordinator === name ? paint.dim(' coordinates') : '';
    const word = peer?.health === 'unheard' ? paint.warn('not heard') : paintState(state, paint);
    return [
      name === status.node ? paint.bold(name) : name,
      `${word}${marks}`,
      peer === undefined || peer.health === 'unheard' ? '' : span(status.now - peer.since),
      status.roles[name] ?? 'idle',
      status.paths
        .filter((path) => path.peer === name)
        .map((path) => pathText(path, paint))
        .join(', '),
    ];
  });
  return table(columns, rows, paint.dim);
}

function pathText({ net, kind, state, rerouted }: PathStatus, paint: Paint): string {
  const name = net === kind ? net : `${net} (${kind})`;
  const word = state === 'up' ? paint.good('up') : paint.bad('down');
  return `${name} ${word}${rerouted ? paint.warn(' rerouted') : ''}`;
}

function paintPackage({ state, enabled }: PackageStatus, paint: Paint): string {
  const note = enabled ? '' : paint.warn(' disabled');
  if (state === 'running') return `${paint.good(state)}${note}`;
  const word = state === 'starting' || state === 'halting' || !enabled ? paint.warn(state) : paint.bad(state);
  return `${word}${note}`;
}

function packageTable({ now, packages }: NodeStatus, paint: Paint): string[] {
  const columns = [
    { title: 'PACKAGE' },
    { title: 'STATE' },
    { title: 'SINCE', align: 'right' as const },
    { title: 'NODE' },
    { title: 'ADDRESSES' },
  ];
  const rows = packages.map((one) => [
    one.name,
    paintPackage(one, paint),
    span(now - one.since),
    one.node ?? paint.dim('-'),
    one.addresses.join(' '),
  ]);
  return table(columns, rows, paint.dim);
}

/** One package, for `why`. */
export function packageText(one: PackageStatus, now: number, paint: Paint): string[] {
  const where = one.node === null ? '' : ` on ${one.node}`;
  return [
    `${paint.bold(one.name)}  ${paintPackage(one, paint)}${where} for ${span(now - one.since)}`,
    `  epoch     ${one.epoch ?? 'none yet'}`,
    `  addresses ${one.addresses.join(' ')}`,
  ];
}

/** Ways to the other nodes, for `links` and `test`. */
export function pathTable(paths: readonly PathStatus[], paint: Paint): string[] {
  const columns = ['PEER', 'NET', 'KIND', 'STATE'].map((title) => ({ title }));
  const rows = paths.map(({ peer, net, kind, state, rerouted }) => [
    peer,
    net,
    kind,
    `${state === 'up' ? paint.good('up') : paint.bad('down')}${rerouted ? paint.warn(' rerouted') : ''}`,
  ]);
  return table(columns, rows, paint.dim);
}

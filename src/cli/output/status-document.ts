/** The stable document of `baton status --json` (DESIGN 12). Fields may be added, never renamed or removed. */
import type { DaemonStatus, Lateness } from '../../client/document.js';
import { rotationOf, type Rotation } from './keys-text.js';
import type { KeysStatus, MembershipStatus, NicStatus, NodeStatus, PackageStatus, PathStatus } from '../../status.js';

export interface StatusDocument {
  cluster: string;
  node: string;
  /** Null: the cluster has none. */
  coordinator: string | null;
  term: number | null;
  quorum: boolean | null;
  /** `since` of alarms and NICs: ISO 8601, by this host's wall clock. */
  alarms: { since: string; what: string; text: string }[];
  lease: { leftMs: number | null };
  gate: 'open' | 'closed' | 'off';
  lateness: Lateness;
  nodes: NodeDocument[];
  packages: PackageDocument[];
  daemon: { version: string; pid: number; uptimeMs: number; shadow: boolean; inputs: number };
  nets: { name: string; polling: 'light' | 'full'; carrier: string | null; switching: boolean; switches: number }[];
  dropped: Record<string, number>;
  keys: KeysDocument;
  /** Null: the cluster file has no packages. */
  membership: MembershipDocument | null;
}

export type KeysDocument = KeysStatus & { rotation: Rotation };

export type MembershipDocument = Omit<
  MembershipStatus,
  'coordinator' | 'term' | 'quorum' | 'leaseLeftMs' | 'waiting'
> & {
  waiting: string | null;
};

export interface NodeDocument {
  name: string;
  state: 'alive' | 'suspect' | 'lost' | 'left' | 'halted';
  role: 'idle' | 'primary' | 'takeover' | 'dual';
  /** Of the node that answers; empty for the others. */
  nics: NicDocument[];
  /** From the node that answers; empty for the others. */
  paths: PathStatus[];
}

export interface NicDocument extends Omit<NicStatus, 'since' | 'reason' | 'ready' | 'locked'> {
  reason: string | null;
  since: string;
  ready: { ok: boolean; why: string[] } | null;
  locked: { owner: string; reason: string; until: string | null } | null;
}

export interface PackageDocument extends Omit<PackageStatus, 'since'> {
  since: string;
}

/** Tenths of a millisecond are enough. */
const tenths = (ms: number): number => Math.round(ms * 10) / 10;

function tenthsOf(ages: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(ages).map(([name, ms]) => [name, tenths(ms)]));
}

function targetsOf(targets: NicStatus['targets']): NicStatus['targets'] {
  const shown = Object.entries(targets).map(([address, target]) => {
    return [address, target.agoMs === undefined ? target : { ...target, agoMs: tenths(target.agoMs) }] as const;
  });
  return Object.fromEntries(shown);
}

/** Moments of the daemon's own clock as ISO 8601. `wallMs`: milliseconds since 1970 at the moment of `status.now`. */
export function momentsOf({ status }: DaemonStatus, wallMs: number): (at: number) => string {
  return (at) => new Date(wallMs - (status.now - at)).toISOString();
}

/** All NICs of this node, in file order. */
export function nicDocuments(daemon: DaemonStatus, wallMs: number): NicDocument[] {
  const moment = momentsOf(daemon, wallMs);
  const nic = ({ since, reason, ready, locked, hears, heardBy, targets, ...rest }: NicStatus): NicDocument => ({
    ...rest,
    hears: tenthsOf(hears),
    heardBy: tenthsOf(heardBy),
    targets: targetsOf(targets),
    reason: reason ?? null,
    since: moment(since),
    ready: ready ?? null,
    locked: locked
      ? { owner: locked.owner, reason: locked.reason, until: locked.until === undefined ? null : moment(locked.until) }
      : null,
  });
  return daemon.status.nics.map(nic);
}

/** `wallMs`: as of `momentsOf`. */
export function statusDocument(daemon: DaemonStatus, wallMs: number): StatusDocument {
  const { status } = daemon;
  const moment = momentsOf(daemon, wallMs);
  return {
    cluster: status.cluster,
    node: status.node,
    coordinator: status.membership?.coordinator ?? null,
    term: status.membership?.term ?? null,
    quorum: status.membership?.quorum ?? null,
    alarms: status.alarms.map(({ since, what, text }) => ({ since: moment(since), what, text })),
    lease: { leftMs: leaseLeftMs(status) },
    gate: status.gate,
    lateness: { p99Ms: tenths(daemon.lateness.p99Ms), maxMs: tenths(daemon.lateness.maxMs) },
    nodes: nodeDocuments(daemon, wallMs),
    packages: status.packages.map((one) => ({ ...one, since: moment(one.since) })),
    daemon: {
      version: daemon.version,
      pid: daemon.pid,
      uptimeMs: daemon.uptimeMs,
      shadow: daemon.shadow,
      inputs: daemon.inputs,
    },
    nets: status.nets.map(({ name, polling, carrier, switching, switches }) => ({
      name,
      polling,
      carrier: carrier ?? null,
      switching,
      switches,
    })),
    dropped: status.dropped,
    keys: { rotation: rotationOf(status.keys), ...status.keys },
    membership: membershipDocument(status.membership),
  };
}

function leaseLeftMs({ membership }: NodeStatus): number | null {
  return membership?.leaseLeftMs == null ? null : tenths(membership.leaseLeftMs);
}

function membershipDocument(membership: MembershipStatus | null): MembershipDocument | null {
  if (membership === null) return null;
  const { role, waiting, version, committed, voters, previousVoters, hasVote, fences, arbiter } = membership;
  const known = arbiter === undefined ? {} : { arbiter };
  const former = previousVoters === undefined ? {} : { previousVoters };
  return { role, waiting: waiting ?? null, version, committed, voters, ...former, hasVote, fences, ...known };
}

/** All nodes that are known, the one that answers among them. A node that was not heard yet counts as lost. */
export function nodeStates({ node, peers, halted, roles }: NodeStatus): Record<string, NodeDocument['state']> {
  const names = Object.keys(roles).includes(node) ? Object.keys(roles) : [node, ...peers.map((peer) => peer.node)];
  const stateOf = (name: string): NodeDocument['state'] => {
    const health = name === node ? 'alive' : (peers.find((peer) => peer.node === name)?.health ?? 'unheard');
    if (halted.includes(name) && health === 'alive') return 'halted';
    return health === 'unheard' ? 'lost' : health;
  };
  return Object.fromEntries(names.map((name) => [name, stateOf(name)]));
}

function nodeDocuments(daemon: DaemonStatus, wallMs: number): NodeDocument[] {
  const { status } = daemon;
  return Object.entries(nodeStates(status)).map(([name, state]) => {
    const isSelf = name === status.node;
    const nics = isSelf ? nicDocuments(daemon, wallMs) : [];
    return { name, state, role: status.roles[name] ?? 'idle', nics, paths: isSelf ? status.paths : [] };
  });
}

/** `status --check`: is anything less than it should be? In words, empty when all is well. */
export function degradations({ status }: DaemonStatus): string[] {
  return [...status.alarms.map(({ text }) => text), ...nicsAmiss(status), ...clusterAmiss(status)];
}

function nicsAmiss(status: NodeStatus): string[] {
  return [
    ...status.nics
      .filter(({ health }) => health !== 'up')
      .map(({ name, health, reason }) => `${name} is ${health}${reason ? ` ${reason}` : ''}`),
    ...status.nics
      .filter(({ health, ready }) => health === 'up' && ready?.ok === false)
      .map(({ name, ready }) => `${name} is not ready: ${ready!.why.join(', ')}`),
    ...status.nics
      .filter(({ health }) => health === 'up')
      .flatMap(({ name, ports = [] }) =>
        ports.filter(({ state }) => state === 'down').map((port) => `${name} has lost its port ${port.nic}`),
      ),
    ...status.nets
      .filter(({ name, carrier }) => {
        const primary = status.nics.find((nic) => nic.net === name && nic.role === 'primary');
        return carrier !== undefined && primary !== undefined && carrier !== primary.name;
      })
      .map(({ name, carrier }) => `net ${name} is carried by ${carrier!}, its standby`),
  ];
}

function clusterAmiss({ membership, peers, paths, packages, halted }: NodeStatus): string[] {
  const waiting = membership?.waiting === undefined ? '' : ` (${membership.waiting})`;
  return [
    ...(membership?.quorum === false ? [`no quorum${waiting}`] : []),
    ...peers
      .filter(({ node, health }) => health !== 'alive' && !halted.includes(node))
      .map(({ node, health }) =>
        health === 'unheard' ? `${node} was not heard yet` : `${node} ${health === 'left' ? 'has' : 'is'} ${health}`,
      ),
    ...paths
      .filter(({ peer, state }) => state === 'down' && peers.some((it) => it.node === peer && it.health === 'alive'))
      .map(({ peer, net }) => `the path to ${peer} over net ${net} is down`),
    ...packages
      .filter(({ enabled, state }) => enabled && state !== 'running')
      .map(({ name, state, node }) => `${name} is ${state}${node === null ? '' : ` on ${node}`}`),
  ];
}

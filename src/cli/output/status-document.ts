/** The stable document of `baton status --json` (DESIGN 12). Fields may be added, never renamed or removed. */
import type { DaemonStatus, Lateness } from '../../client/document.js';
import type { NicStatus } from '../../status.js';

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
}

export interface NodeDocument {
  name: string;
  state: 'alive' | 'suspect' | 'lost' | 'left' | 'halted';
  role: 'idle' | 'primary' | 'takeover' | 'dual';
  nics: NicDocument[];
  paths: {
    peer: string;
    net: string;
    kind: 'private' | 'public' | 'serial';
    state: 'up' | 'down';
    rerouted: boolean;
  }[];
}

export interface NicDocument extends Omit<NicStatus, 'since' | 'reason' | 'ready' | 'locked'> {
  reason: string | null;
  since: string;
  ready: { ok: boolean; why: string[] } | null;
  locked: { owner: string; reason: string; until: string | null } | null;
}

export interface PackageDocument {
  name: string;
  state: 'running' | 'starting' | 'halting' | 'halted' | 'failed' | 'unclean';
  since: string;
  node: string | null;
  enabled: boolean;
  locked: boolean;
  addresses: string[];
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
    coordinator: null,
    term: null,
    quorum: null,
    alarms: status.alarms.map(({ since, what, text }) => ({ since: moment(since), what, text })),
    lease: { leftMs: null },
    gate: 'off',
    lateness: { p99Ms: tenths(daemon.lateness.p99Ms), maxMs: tenths(daemon.lateness.maxMs) },
    nodes: [{ name: status.node, state: 'alive', role: 'idle', nics: nicDocuments(daemon, wallMs), paths: [] }],
    packages: [],
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
  };
}

/** `status --check`: is anything less than it should be? In words, empty when all is well. */
export function degradations({ status }: DaemonStatus): string[] {
  return [
    ...status.alarms.map(({ text }) => text),
    ...status.nics
      .filter(({ health }) => health !== 'up')
      .map(({ name, health, reason }) => `${name} is ${health}${reason ? ` ${reason}` : ''}`),
    ...status.nics
      .filter(({ health, ready }) => health === 'up' && ready?.ok === false)
      .map(({ name, ready }) => `${name} is not ready: ${ready!.why.join(', ')}`),
    ...status.nets
      .filter(({ name, carrier }) => {
        const primary = status.nics.find((nic) => nic.net === name && nic.role === 'primary');
        return carrier !== undefined && primary !== undefined && carrier !== primary.name;
      })
      .map(({ name, carrier }) => `net ${name} is carried by ${carrier!}, its standby`),
  ];
}

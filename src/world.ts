/** What every stage may look at besides its own state: fixed for one run of the daemon, but for `host`. */
import type { Cluster, ClusterNode } from './config/cluster.js';
import type { NicObservation } from './input.js';

/** Keyed MAC over bytes, 16 bytes long (HMAC-SHA-256 truncated, RFC 2104 section 5). Handed in, for the stages have no crypto of their own. */
export type Seal = (bytes: Uint8Array) => Uint8Array;

export interface World {
  readonly cluster: Cluster;
  /** This node's part of the cluster file. */
  readonly self: ClusterNode;
  /** 16 hex digits, random per start of the daemon. */
  readonly incarnation: string;
  readonly seal: Seal;
  /** Uniform in [0, 1), from the seeded generator whose state is part of the node's state. */
  readonly random: () => number;
  /** The latest observation of each existing NIC of the cluster file. A NIC that is not in it is missing, or was not looked at yet. */
  readonly host: Readonly<Record<string, NicObservation>>;
  /** NICs that the hands are changing → id of the change; 0: done, but not looked at since. What `host` says of them may be out of date. */
  readonly moving: Readonly<Record<string, number>>;
}

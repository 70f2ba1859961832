/** What every stage may look at besides its own state: fixed for one run of the daemon, but for `host`. */
import type { Cluster, ClusterNode } from './config/cluster.js';
import type { Part } from './frame/part.js';
import type { PollMemory } from './frame/poll.js';
import type { Ms, NicObservation } from './input.js';
import type { Version } from './membership/document.js';

/** Which cluster key: 8 hex digits, a hash of it, so that a key can be named without being told. */
export type KeyId = string;

/** Keyed MAC over bytes, 16 bytes long (HMAC-SHA-256 truncated, RFC 2104 section 5). Handed in, for the stages have no crypto of their own. */
export type Seal = (bytes: Uint8Array, key: KeyId) => Uint8Array;

/** Authenticated encryption of one channel (AES-256-GCM). The channel's text names cluster, source, destination, path and session: each has a key of its own (HKDF, RFC 5869), so the counter is never used twice under one key. */
export interface Cipher {
  /** 16 bytes longer than `plain`. `counter`: below 2^48. `associated` is covered, not hidden. */
  seal(channel: string, counter: number, plain: Uint8Array, associated: Uint8Array, key: KeyId): Uint8Array;
  /** Null: not sealed so. */
  open(channel: string, counter: number, sealed: Uint8Array, associated: Uint8Array, key: KeyId): Uint8Array | null;
}

/** A heartbeat of a peer that was admitted: good seal, present session, this cluster file, not heard before. */
export interface HeardBeat {
  node: string;
  /** Of the peer's daemon, 16 hex digits. */
  incarnation: string;
  sequence: number;
  /** Those that the health stage has no use for. */
  parts: Part[];
}

/** What this node has of one package. */
export interface Job {
  /** `suspended`: the lease is over, addresses are off, it goes on if the same epoch may be served again. */
  state: 'halted' | 'starting' | 'running' | 'halting' | 'suspended';
  /** Of the placement that it serves or served last; null: none since the daemon's start. */
  epoch: Version | null;
  since: Ms;
  /** The kernel has, or may have, one of its floating addresses, or the gate may let one speak. False only once both were seen to be so (MEMBERSHIP N5). */
  held: boolean;
}

export interface World {
  readonly cluster: Cluster;
  /** This node's part of the cluster file. */
  readonly self: ClusterNode;
  /** 16 hex digits, random per start of the daemon. */
  readonly incarnation: string;
  /** What the key file held at the daemon's start, the newest last; `keys-read` tells of what it holds later. */
  readonly keys: readonly KeyId[];
  readonly seal: Seal;
  readonly cipher: Cipher;
  /** What was read of poll frames, where bytes that are handed in never change. Absent: each is read by itself. */
  readonly polls?: PollMemory;
  /** Uniform in [0, 1), from the seeded generator whose state is part of the node's state. */
  readonly random: () => number;
  /** The latest observation of each existing NIC of the cluster file, and of each macvlan of its floating addresses. A NIC that is not in it is missing, or was not looked at yet. */
  readonly host: Readonly<Record<string, NicObservation>>;
  /** NICs that the hands are changing → id of the change; 0: done, but not looked at since. What `host` says of them may be out of date. */
  readonly moving: Readonly<Record<string, number>>;
  /** Beats that came with this input: health writes them, the stages after it read them, and they are gone with the step. */
  readonly heard: HeardBeat[];
  /** Package → what this node has of it. The takeover stage writes it; what stages before it read is that of the last step. */
  readonly jobs: Record<string, Job>;
}

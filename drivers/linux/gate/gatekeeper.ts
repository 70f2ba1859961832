/**
 * Makes the gate, adopts it, writes it and puts it back: everything synchronous, in the order of MEMBERSHIP G2 to G5. It
 * blocks its thread while the kernel holds it up.
 */
import type { GateOutcome, Ms } from '../../../src/input.js';
import { BatchSession, encodeBatch, Refused } from '../netlink/batch.js';
import { NetlinkError } from '../netlink/message.js';
import {
  deleteTable,
  NETLINK_NETFILTER,
  newTable,
  NFT_TABLE_F_OWNER,
  NFT_TABLE_F_PERSIST,
  flushSet,
} from '../netlink/nftables.js';
import { Session } from '../netlink/session.js';
import { monotonicMs } from '../wake.js';
import { holds, inspect, opening, type Found } from './inspection.js';
import { closing, expiry, Renewal } from './renewal.js';
import { addAddresses, ARP, createTables, INET, TABLES } from './rules.js';

/** What the clock and the kernel's ticks may add between check and act. */
const SLACK_MS: Ms = 2;
/** A shorter time-out is rounded up to the tick of the slowest kernels (HZ 100). */
const REMAINDER_MIN_MS: Ms = 10;
/** A few stand for all: what is compiled is the same. */
const REHEARSED_MAX = 4;
/** Without PERSIST the tables go with their owner, and the gate stands open: both or none. */
const OWNED = NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST;
/** What a kernel before 6.9 says; libuv's name for EOPNOTSUPP, which is the same number, is ENOTSUP. */
export const UNKNOWN_FLAGS: readonly string[] = ['ENOTSUP', 'EINVAL'];

/** What the gate is to let speak, and until when of CLOCK_MONOTONIC; null: nothing, at once. */
export interface Order {
  held: readonly string[];
  leaseEnd: Ms | null;
}

export type Standing = { is: 'made' | 'replaced' } | { is: 'adopted'; held: string[]; leftMs: Ms };

export interface GatekeeperOptions {
  /** False: as on a kernel before 6.9. */
  owned?: boolean;
  now?: () => Ms;
  /** Called at the three places where a process may be stopped. */
  between?: (place: 'armed' | 'checked' | 'acted') => void;
}

export class Gatekeeper {
  readonly #floating: readonly string[];
  readonly #batches = new BatchSession();
  readonly #session = new Session(undefined, NETLINK_NETFILTER);
  readonly #renewal: Renewal;
  readonly #renewLateMaxMs: Ms;
  readonly #now: () => Ms;
  readonly #between: NonNullable<GatekeeperOptions['between']>;
  #offerOwner: boolean;
  #isOwner = false;
  #stands = false;
  /** What the kernel has in `held`, as a text; null: not known. */
  #held: string | null = null;
  /** Transactions of this process that the kernel did. */
  commits = 0;
  /** Writes that the kernel refused because the token was over. */
  refusals = 0;

  /** Touches nothing yet. Throws where the kernel gives no netlink socket. */
  constructor(floating: readonly string[], renewLateMaxMs: Ms, options: GatekeeperOptions = {}) {
    this.#floating = [...new Set(floating)];
    this.#renewLateMaxMs = renewLateMaxMs;
    this.#renewal = new Renewal(renewLateMaxMs);
    this.#offerOwner = options.owned ?? true;
    this.#now = options.now ?? monotonicMs;
    this.#between = options.between ?? (() => undefined);
  }

  /** Nobody else can alter the tables as long as this process lives. */
  get isOwner(): boolean {
    return this.#isOwner;
  }

  /** Are the tables there, as far as the last transaction knew? */
  get stands(): boolean {
    return this.#stands;
  }

  /**
   * Afterwards the tables are there with the right rules. `adopt`: an open gate runs on if its rules are right (N7); else, and
   * otherwise, whatever is there is replaced by a closed one in one transaction. Throws NetlinkError.
   */
  establish(start: 'adopt' | 'closed' = 'adopt'): Standing {
    const found = inspect(this.#session);
    this.#refuseForeignOwner(found);
    if (start === 'adopt' && found.wrong.length === 0) return this.#adopt(found);
    const old = found.tables.map(({ table }) => deleteTable(table));
    this.#stands = false;
    this.#withFlags((flags) => this.#commit([...old, ...createTables(this.#floating, flags)]));
    this.#stands = true;
    this.#held = textOf([]);
    return { is: old.length === 0 ? 'made' : 'replaced' };
  }

  /** Sends nothing; the thread does nothing else for about a tenth of a second. */
  rehearse(): void {
    this.#renewal.rehearse(this.#floating.slice(0, REHEARSED_MAX));
  }

  #refuseForeignOwner(found: Found): void {
    const owner = found.tables.find(
      (table) => table.owner !== undefined && table.owner !== this.#batches.portId,
    )?.owner;
    if (owner === undefined) return;
    throw new NetlinkError('EPERM', "the gate's tables belong to another process");
  }

  #adopt(found: Found): Standing {
    // An unflagged table cannot be given the flags; it is watched instead.
    const claimable = this.#offerOwner && found.tables.every(({ flags }) => (flags & OWNED) === NFT_TABLE_F_PERSIST);
    const mine = found.tables.every(({ flags }) => (flags & OWNED) === OWNED);
    const sameAddresses = holds(this.#session, 'floating', this.#floating);
    const drafts = [
      ...(claimable ? TABLES.map((table) => newTable(table, OWNED)) : []),
      ...(sameAddresses ? [] : this.#refill()),
    ];
    if (drafts.length > 0) this.#commit(drafts);
    this.#isOwner = claimable || mine;
    this.#stands = true;
    const { held, leftMs } = opening(this.#session);
    this.#held = textOf(held);
    return { is: 'adopted', held, leftMs };
  }

  #refill() {
    const sets = [flushSet(ARP, 'floating4'), flushSet(INET, 'floating4'), flushSet(INET, 'floating6')];
    return [...sets, ...addAddresses('floating', this.#floating)];
  }

  #withFlags(make: (flags: number) => void): void {
    this.#isOwner = false;
    if (this.#offerOwner) {
      try {
        make(OWNED);
        this.#isOwner = true;
        return;
      } catch (error) {
        if (!(error instanceof Refused) || !UNKNOWN_FLAGS.some((code) => error.has(code))) throw error;
        this.#offerOwner = false;
      }
    }
    make(0);
  }

  #commit(drafts: Parameters<typeof encodeBatch>[0]): void {
    this.#batches.commit(encodeBatch(drafts));
    this.commits++;
  }

  /** Null: all is as it must be, else what is not. Throws NetlinkError. */
  check(): string | null {
    const { wrong } = inspect(this.#session);
    if (wrong.length === 0 && !holds(this.#session, 'floating', this.#floating))
      wrong.push('the floating addresses are others');
    this.#stands = wrong.length === 0;
    return wrong.length === 0 ? null : wrong.join('; ');
  }

  /**
   * Writes the order, or one that `newer` has when the lease is checked (G3), and again as long as the lease leaves time for
   * another attempt. Never throws for what the world does; `stands` is false afterwards if the tables turned out to be gone.
   */
  write(order: Order, newer: () => Order | null = () => null): GateOutcome {
    for (let current = order; ;) {
      const attempt = this.#attempt(current, () => (current = newer() ?? current));
      if (attempt !== 'again') return attempt;
    }
  }

  #attempt(order: Order, refresh: () => Order): GateOutcome | 'again' {
    try {
      if (order.leaseEnd === null) return this.#close();
      this.#batches.commit(this.#renewal.arm());
      this.commits++;
      this.#between('armed');
      const { held, leaseEnd } = refresh();
      if (leaseEnd === null) return this.#close();
      const remainderMs = Math.floor(leaseEnd - this.#now() - this.#renewLateMaxMs - SLACK_MS);
      if (remainderMs < REMAINDER_MIN_MS) return { ok: false, why: 'late' };
      this.#between('checked');
      const outcome = this.#act(held, remainderMs);
      this.#between('acted');
      if (outcome === 'again') return outcome;
      if (this.#now() < leaseEnd) return outcome;
      this.#batches.commit(expiry());
      this.commits++;
      return { ok: false, why: 'late' };
    } catch (error) {
      return this.#failed(error);
    }
  }

  #act(held: readonly string[], remainderMs: Ms): GateOutcome | 'again' {
    const wanted = textOf(held);
    const batch = this.#renewal.act(remainderMs, wanted === this.#held ? null : held);
    try {
      this.#batches.commit(batch);
    } catch (error) {
      if (!(error instanceof Refused) || !error.isOnly(0, 'ENOENT')) throw error;
      this.refusals++;
      return 'again';
    }
    this.commits++;
    this.#held = wanted;
    return { ok: true };
  }

  #close(): GateOutcome {
    this.#batches.commit(closing());
    this.commits++;
    this.#held = textOf([]);
    return { ok: true };
  }

  #failed(error: unknown): GateOutcome {
    this.#held = null;
    if (error instanceof Refused && error.has('ENOENT')) this.#stands = false;
    return { ok: false, why: 'failed', text: error instanceof Error ? error.message : String(error) };
  }

  /** The tables stay, closed by time if by nothing else. */
  close(): void {
    this.#batches.close();
    this.#session.close();
  }
}

const textOf = (addresses: readonly string[]): string => [...addresses].sort().join(' ');

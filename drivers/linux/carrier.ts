/**
 * Carrier and admin state of each NIC, polled from sysfs files that take no rtnl.
 *
 * The file `carrier` itself waits for rtnl, `operstate` follows the rate-limited event, and the events of physical cards
 * (and of a veth whose iflink equals its ifindex) are held back up to a second. But each loss adds one to
 * `carrier_down_count` and each return one to `carrier_up_count`, at once, strictly by turns. So
 *
 *   carrier = base + carrier_up_count - carrier_down_count
 *
 * where base, 0 or 1, is what the NIC was born with. A difference of -1 or 1 betrays base; else `carrier` is read once on
 * libuv's pool, and believed if `carrier_changes` was the same before and after.
 *
 * A poll reads `carrier_changes` (the sum of both) in one call; the rest is looked at when that moved, and by turns, for
 * admin state and renaming leave it alone. A read costs about 2 us. So that a thousand NICs cost no more than a few
 * hundredths of a core, beyond QUICK_NICS_MAX of them each poll reads a part, and a hint (the hands hear of most losses at
 * once) brings the others forward.
 */
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Input, Ms } from '../../src/input.js';
import type { Nics } from './nics.js';
import { numberIn } from './number.js';
import { openTimer, readBatch } from './socket.js';
import type { NativeSocket } from './socket.js';

export type CarrierState = Extract<Input, { kind: 'carrier-changed' }>['state'];

/** Enough for any of these numbers and a newline. */
const SLOT = 16;
/** In this order: their sum, read last, tells whether the two counts belong together. */
const LOOK_FILES = ['flags', 'carrier_up_count', 'carrier_down_count', 'carrier_changes'] as const;
const LOOK_TRIES = 3;
/** All NICs are looked at closely once in so many polls. */
const TURNS = 50;
const QUICK_NICS_MAX = 250;

const IFF_UP = 1;

interface Row {
  nic: string;
  /** Where in the arrays of the quick look. */
  at: number;
  /** Kept descriptors of LOOK_FILES; null while the NIC is missing. */
  look: Int32Array | null;
  base: 0 | 1 | undefined;
  settling: boolean;
  /** At the last look; -1: there was none. */
  flags: number;
  state: Exclude<CarrierState, 'blinked'> | undefined;
  /** Losses and returns together, when that state was told. */
  changes: number;
}

export class Carrier {
  readonly #nics: Nics;
  readonly #take: (nic: string, state: CarrierState) => void;
  readonly #rows: Row[];
  readonly #byName: Map<string, Row>;
  readonly #fds: Int32Array;
  readonly #now: Buffer;
  readonly #before: Buffer;
  readonly #lookSlab = Buffer.alloc(LOOK_FILES.length * SLOT);
  readonly #lookLengths = new Int32Array(LOOK_FILES.length);
  readonly #toSettle: Row[] = [];
  #isSettling = false;
  readonly #turns: Turns;
  readonly #timer: NativeSocket = openTimer();
  #closed = false;

  /** `take` is called only when the state of a NIC is another than the last one told, or was another in between. */
  constructor(nics: Nics, take: (nic: string, state: CarrierState) => void, quickNicsMax = QUICK_NICS_MAX) {
    this.#nics = nics;
    this.#take = take;
    this.#rows = nics.names.map((nic, at) => ({
      nic,
      at,
      look: null,
      base: undefined,
      settling: false,
      flags: -1,
      state: undefined,
      changes: 0,
    }));
    this.#turns = new Turns(this.#rows);
    this.#byName = new Map(this.#rows.map((row) => [row.nic, row]));
    this.#fds = new Int32Array(this.#rows.length).fill(-1);
    this.#now = Buffer.alloc(this.#rows.length * SLOT);
    this.#before = Buffer.alloc(this.#now.length);
    const parts = Math.max(1, Math.ceil(this.#rows.length / quickNicsMax));
    const looks = Math.max(1, Math.ceil(TURNS / this.#rows.length));
    this.#timer.watch(this.#fds, this.#now, SLOT, Math.ceil(this.#rows.length / parts), looks);
    nics.watch({
      appeared: (nic) => this.#open(nic),
      vanished: (nic) => this.#shut(nic),
    });
  }

  /**
   * Polls each `everyMs`. `enter` is called before each poll that may have something to tell, `leave` after it; most
   * have not, and never reach this thread's JavaScript. `due[0]` is kept the moment of the next poll.
   */
  start(everyMs: Ms, due: Float64Array, enter: () => void, leave: () => void): void {
    this.#timer.start((polls) => {
      enter();
      this.#follow(polls);
      leave();
    });
    this.#timer.setBeat(everyMs, due);
  }

  /** Polls once. */
  poll(): void {
    this.#timer.look();
    this.#follow(1);
  }

  /** So many polls are over. */
  #follow(polls: number): void {
    if (!this.#now.equals(this.#before)) this.#lookAtMoved();
    const closely = this.#turns.next((polls * this.#rows.length) / TURNS);
    if (closely.length > 0) this.#lookByTurns(closely);
  }

  /** Looks at these NICs now, because something says that they changed. */
  hint(names: readonly string[]): void {
    this.#lookClosely(names.flatMap((nic) => this.#byName.get(nic) ?? []));
  }

  close(): void {
    this.#closed = true;
    this.#timer.close();
    for (const row of this.#rows) this.#closeFiles(row);
  }

  #lookAtMoved(): void {
    for (const row of this.#rows) {
      const [from, to] = [row.at * SLOT, (row.at + 1) * SLOT];
      if (this.#now.compare(this.#before, from, to, from, to) !== 0) this.#look(row);
    }
    this.#before.set(this.#now);
  }

  /** A change of the counts has been looked at: what is left are name and flags. */
  #lookByTurns(rows: readonly Row[]): void {
    this.#nics.refresh(rows.map((row) => row.nic));
    for (const row of rows) if (this.#flagsOf(row) !== row.flags) this.#look(row);
  }

  /** Null: it has no files, or has lost them. */
  #flagsOf(row: Row): number | null {
    if (row.look === null || row.state === undefined) return null;
    const flags = row.look.subarray(0, 1);
    if (readBatch(flags, this.#lookSlab, SLOT, this.#lookLengths) > 0) return null;
    return this.#number(LOOK_FILES.indexOf('flags'));
  }

  #lookClosely(rows: readonly Row[]): void {
    this.#nics.refresh(rows.map((row) => row.nic));
    for (const row of rows) this.#look(row);
  }

  #look(row: Row): void {
    if (row.look === null && this.#nics.ifindexOf(row.nic) !== 0) this.#open(row.nic);
    if (row.look === null) return this.#tell(row, 'missing');
    const seen = this.#read(row.look);
    if (seen === 'torn') return;
    if (seen === 'gone') {
      // The new owner of the name, if there is one, is opened on the way.
      if (this.#nics.ifindexOf(row.nic) !== 0) this.#nics.refresh([row.nic]);
      return;
    }
    const { flags, difference, changes } = seen;
    row.flags = flags;
    if (difference === -1) row.base = 1;
    if (difference === 1) row.base = 0;
    if ((flags & IFF_UP) === 0) return this.#tell(row, 'admin', changes);
    if (row.base === undefined) return this.#settle(row);
    this.#tell(row, row.base + difference === 1 ? 'up' : 'down', changes);
  }

  /** `torn`: the counts moved while being read, so that the next poll finds them moved. */
  #read(look: Int32Array): { flags: number; difference: number; changes: number } | 'gone' | 'torn' {
    for (let i = 0; i < LOOK_TRIES; i++) {
      if (readBatch(look, this.#lookSlab, SLOT, this.#lookLengths) > 0) return 'gone';
      const [ups, downs] = [this.#number(1), this.#number(2)];
      const changes = this.#number(3);
      if (ups + downs === changes) return { flags: this.#number(0), difference: ups - downs, changes };
    }
    return 'torn';
  }

  #number(file: number): number {
    return numberIn(this.#lookSlab, file * SLOT, this.#lookLengths[file]!);
  }

  /** Lost and regained between two looks, as while this process was stopped, is told as well. */
  #tell(row: Row, state: NonNullable<Row['state']>, changes = 0): void {
    const hasBlinked = state === 'up' && row.state === 'up' && row.changes !== changes;
    row.changes = changes;
    if (row.state === state && !hasBlinked) return;
    row.state = state;
    this.#take(row.nic, hasBlinked ? 'blinked' : state);
  }

  #open(nic: string): void {
    const row = this.#byName.get(nic);
    if (row === undefined || row.look !== null || this.#closed) return;
    const opened: number[] = [];
    try {
      for (const file of LOOK_FILES) opened.push(openSync(`${this.#nics.folder(nic)}/${file}`, 'r'));
    } catch {
      // Gone between two looks, or no descriptor is left: the next turn tries again.
      for (const fd of opened) closeSync(fd);
      return;
    }
    row.look = Int32Array.from(opened);
    this.#fds[row.at] = row.look[LOOK_FILES.indexOf('carrier_changes')]!;
    row.base = undefined;
    this.#before.fill(0, row.at * SLOT, (row.at + 1) * SLOT);
  }

  #shut(nic: string): void {
    const row = this.#byName.get(nic);
    if (row === undefined) return;
    this.#closeFiles(row);
    this.#tell(row, 'missing');
  }

  #closeFiles(row: Row): void {
    if (row.look === null) return;
    for (const fd of row.look) closeSync(fd);
    this.#fds[row.at] = -1;
    row.look = null;
    row.base = undefined;
  }

  /** One after the other: while rtnl is held each such read occupies a thread of the pool that others need too. */
  #settle(row: Row): void {
    if (row.settling) return;
    row.settling = true;
    this.#toSettle.push(row);
    if (this.#isSettling) return;
    this.#isSettling = true;
    void this.#settleAll().finally(() => (this.#isSettling = false));
  }

  async #settleAll(): Promise<void> {
    for (let row = this.#toSettle.shift(); row !== undefined; row = this.#toSettle.shift()) {
      const before = this.#changes(row);
      const carrier = await readFile(`${this.#nics.folder(row.nic)}/carrier`, 'latin1').catch(() => null);
      row.settling = false;
      if (this.#closed) return;
      // Unreadable: set down or deleted meanwhile. The next look asks again if there is still a question.
      if (carrier === null || row.look === null || this.#changes(row) !== before) continue;
      const seen = this.#read(row.look);
      if (typeof seen === 'string' || this.#changes(row) !== before) continue;
      row.base = Number(carrier) - seen.difference === 1 ? 1 : 0;
      this.#look(row);
    }
  }

  /** `carrier_changes` of the NIC that has the name now, with its ifindex. */
  #changes(row: Row): string {
    const slab = Buffer.alloc(SLOT);
    readBatch(Int32Array.of(this.#fds[row.at]!), slab, SLOT, new Int32Array(1));
    return `${this.#nics.ifindexOf(row.nic)} ${slab.toString('latin1')}`;
  }
}

/** Rows one after the other, round and round. */
class Turns {
  readonly #rows: readonly Row[];
  #at = 0;
  /** Part of a row that is due already. */
  #due = 0;

  constructor(rows: readonly Row[]) {
    this.#rows = rows;
  }

  /** So many on average; fractions add up. */
  next(count: number): readonly Row[] {
    this.#due += count;
    if (this.#due < 1) return NO_ROWS;
    const rows: Row[] = [];
    for (; this.#due >= 1 && rows.length < this.#rows.length; this.#due--) {
      rows.push(this.#rows[this.#at]!);
      this.#at = (this.#at + 1) % this.#rows.length;
    }
    return rows;
  }
}
const NO_ROWS: readonly Row[] = [];

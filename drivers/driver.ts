/**
 * The port between the machine and a world: what performs actions and brings inputs. Two stand behind it:
 * `linux` (the real kernel) and `simulator` (memory and virtual time).
 */
import type { Action } from '../src/action.js';
import type { Input, Ms } from '../src/input.js';

export interface Driver {
  /** Monotonic milliseconds, the `now` of every step. */
  now(): Ms;
  /** From now on every input goes to `take`, one at a time, never from within `perform`. */
  open(take: (input: Input) => void): Promise<void>;
  /** In the order given. Never blocks; never throws for what the world does. */
  perform(actions: readonly Action[]): void;
  /** One wake-up at that moment (it replaces the one before): sockets are drained first, then comes `woke`. */
  wakeAt(deadline: Ms): void;
  close(): Promise<void>;
}

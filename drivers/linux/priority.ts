/** The daemon's threads before all others of the machine: what somebody computes must not end a lease. */
import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import { SCHED, setScheduler } from './socket.js';

/** Above all ordinary threads, below the kernel's own (50). */
const REAL_TIME = 10;
/** Threads that one with it starts do not inherit the priority (sched(7)). */
const SCHED_RESET_ON_FORK = 0x40000000;
/** A share nine times that of an ordinary thread. */
const NICE = -10;

/** SCHED_FIFO for the calling thread. Throws `NodeJS.ErrnoException` without CAP_SYS_NICE. */
export function askForRealTime(): void {
  setScheduler(SCHED.fifo | SCHED_RESET_ON_FORK, REAL_TIME);
}

/**
 * A higher share for every thread of this process and for those it will start: the pool syncs what no message may leave
 * before, the gate's hand renews, the hands add addresses. No real time for them: who waits for nf_tables while a large
 * firewall is loaded spins in the kernel, and an engine would wait for that. Nothing happens without CAP_SYS_NICE.
 */
export function raiseProcess(): void {
  for (const task of readdirSync('/proc/self/task')) {
    try {
      setPriority(Number(task), NICE);
    } catch {
      // Not allowed, or a thread that has just ended.
    }
  }
}

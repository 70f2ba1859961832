/** Blows at the programs of a drill: a node's daemon, and the arbiter. */
import { isDiskOnly, type ArbiterFault, type Fault } from '../../src/drill/scenario.js';
import type { ArbiterProcess } from './arbiter.js';
import type { DaemonProcess } from './daemon-process.js';
import type { Undo } from './wire-faults.js';

export type DaemonFault = Extract<Fault, { fault: 'kill' | 'kill-at' | 'restart' | 'stop' | 'freeze' | 'freeze-for' }>;

/** Resolves when the blow is dealt; null: there is nothing to heal. */
export async function strikeArbiter(arbiter: ArbiterProcess, fault: ArbiterFault): Promise<Undo | null> {
  if (isDiskOnly(fault)) throw new Error(`${fault.fault} is for disks: the arbiter is an etcd`);
  switch (fault.fault) {
    case 'arbiter-off':
      return healer(await arbiter.stop(fault.member), (name) => arbiter.start(name));
    case 'arbiter-freeze':
      return healer(await arbiter.signal('SIGSTOP', fault.member), (name) => arbiter.signal('SIGCONT', name));
    case 'arbiter-slow':
      return arbiter.slowSyncs(fault.byMs);
    case 'arbiter-forget':
      await arbiter.forget();
      return null;
    case 'arbiter-backup':
      await arbiter.backUp();
      return null;
    case 'arbiter-restore':
      await arbiter.restore();
      return null;
  }
}

/** Of all members that were struck, the leader of that time among them. */
function healer(struck: readonly string[], heal: (name: string) => Promise<unknown>): Undo {
  return async () => {
    for (const name of struck) await heal(name);
  };
}

/** Resolves when the blow is dealt; null: there is nothing to heal. `ending`: of the drill; it calls off what still waits. */
export async function strikeDaemon(
  daemon: DaemonProcess,
  fault: DaemonFault,
  ending: AbortSignal,
): Promise<Undo | null> {
  switch (fault.fault) {
    case 'kill':
      await daemon.end('SIGKILL');
      return () => daemon.start();
    case 'stop':
      await daemon.end('SIGTERM');
      return () => daemon.start();
    case 'restart':
      await daemon.end('SIGHUP');
      await daemon.start();
      return null;
    case 'freeze':
      daemon.signal('SIGSTOP');
      return () => Promise.resolve(daemon.signal('SIGCONT'));
    case 'freeze-for': {
      daemon.signal('SIGSTOP');
      const timer = setTimeout(() => daemon.signal('SIGCONT'), fault.forMs);
      ending.addEventListener('abort', () => clearTimeout(timer));
      return null;
    }
    case 'kill-at': {
      const disarm = await daemon.killAt(fault.step);
      const callOff = (): void => void disarm();
      ending.addEventListener('abort', callOff);
      return async () => {
        ending.removeEventListener('abort', callOff);
        if (!(await disarm())) throw new Error(`${fault.node} lives: its hands sent fewer than ${fault.step} messages`);
        await daemon.start();
      };
    }
  }
}

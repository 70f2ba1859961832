/** The gate's hand in a process of its own, led by the parent's messages. It can stop itself between arm, check and act. */
import type { GatekeeperOptions } from '../../../../drivers/linux/gate/gatekeeper.js';
import { GateThread } from '../../../../drivers/linux/gate/hand.js';
import { inspect, opening } from '../../../../drivers/linux/gate/inspection.js';
import { NETLINK_NETFILTER } from '../../../../drivers/linux/netlink/nftables.js';
import { Session } from '../../../../drivers/linux/netlink/session.js';
import { monotonicMs } from '../../../../drivers/linux/wake.js';
import type { FromGate, ToGate } from '../../../../drivers/linux/gate-port.js';

type Place = Parameters<NonNullable<GatekeeperOptions['between']>>[0];

export interface WriterSetting {
  addresses: string[];
  renewLateMaxMs: number;
  owned: boolean;
}
/** `forMs`: the lease ends so long after the order is taken. `stopAt`: where the process stops itself once. */
export type ToWriter =
  | { ask: 'write'; id: number; held: string[]; forMs: number | null; stopAt?: Place }
  | { ask: 'burst'; orders: ToGate[] }
  | { ask: 'inspect' };
export type FromWriter =
  | FromGate
  | { kind: 'ready' }
  | { kind: 'stopping'; at: Place; leaseEnd: number }
  /** What the kernel had right after the write, and what the gate may have at most. */
  | { kind: 'wrote'; id: number; leaseEnd: number; opensUntil: number }
  | { kind: 'inspected'; wrong: string[]; flags: number[]; held: string[]; leftMs: number };

const say = (message: unknown): void => void process.send?.(message);

function writer({ addresses, renewLateMaxMs, owned }: WriterSetting): void {
  const session = new Session(undefined, NETLINK_NETFILTER);
  let stop: { at: Place; leaseEnd: number } | undefined;
  const between = (place: Place): void => {
    if (place !== stop?.at) return;
    say({ kind: 'stopping', ...stop });
    stop = undefined;
    process.kill(process.pid, 'SIGSTOP');
    // The signal takes hold within this time, which the stop makes longer.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3);
  };
  const waiting: ToGate[] = [];
  const hand = new GateThread({ addresses, renewLateMaxMs }, say, () => waiting.shift(), { owned, between });
  process.on('message', (message: ToWriter) => {
    if (message.ask === 'inspect') {
      const { wrong, tables } = inspect(session);
      return say({ kind: 'inspected', wrong, flags: tables.map(({ flags }) => flags), ...opening(session) });
    }
    if (message.ask === 'burst') {
      waiting.push(...message.orders.slice(1));
      return hand.take(message.orders[0]!);
    }
    const { id, held, forMs, stopAt } = message;
    const leaseEnd = forMs === null ? null : monotonicMs() + forMs;
    if (stopAt !== undefined) stop = { at: stopAt, leaseEnd: leaseEnd ?? 0 };
    hand.take({ kind: 'write-gate', id, held, leaseEnd });
    const before = monotonicMs();
    const { leftMs } = opening(session);
    if (leaseEnd !== null) say({ kind: 'wrote', id, leaseEnd, opensUntil: leftMs === 0 ? 0 : before + leftMs });
  });
  say({ kind: 'ready' });
}

process.on('disconnect', () => process.exit(0));
writer(JSON.parse(process.argv[2]!) as WriterSetting);

/**
 * A process of its own in a namespace, led by the parent's messages: `gate-process.ts ROLE ARGUMENT`.
 *
 *   writer   the gate's hand; can stop itself between arm, check and act
 *   echo     answers UDP datagrams from the address that they came to
 *   asker    sends one each millisecond and remembers when those were sent that were answered
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import type { GatekeeperOptions } from '../../../../drivers/linux/gate/gatekeeper.js';
import { GateThread } from '../../../../drivers/linux/gate/hand.js';
import { inspect, opening } from '../../../../drivers/linux/gate/inspection.js';
import { NETLINK_NETFILTER } from '../../../../drivers/linux/netlink/nftables.js';
import { Session } from '../../../../drivers/linux/netlink/session.js';
import { monotonicMs } from '../../../../drivers/linux/wake.js';
import type { FromGate, ToGate } from '../../../../drivers/linux/gate-port.js';

export const ECHO_PORT = 7007;
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
  | { kind: 'wrote'; id: number; leaseEnd: number; opensUntil: number; refusals: number }
  | { kind: 'inspected'; wrong: string[]; flags: number[]; held: string[]; leftMs: number };
export type FromAsker = { sentAt: number[] };

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

function echo(addresses: string[]): void {
  let missing = addresses.length;
  for (const address of addresses) {
    const socket = createSocket(isIPv4(address) ? 'udp4' : 'udp6');
    // A closed gate refuses the answer, which is no failure of the one who answers.
    socket.on('error', () => undefined);
    socket.on('message', (bytes, { port, address: to }) => socket.send(bytes, port, to, () => undefined));
    socket.bind(ECHO_PORT, address, () => --missing === 0 && say({ kind: 'ready' }));
  }
}

function asker(address: string): void {
  const socket: Socket = createSocket(isIPv4(address) ? 'udp4' : 'udp6');
  const sentAt: number[] = [];
  socket.on('error', () => undefined);
  socket.on('message', (bytes) => sentAt.push(bytes.readDoubleLE()));
  const bytes = Buffer.alloc(8);
  setInterval(() => {
    bytes.writeDoubleLE(monotonicMs());
    socket.send(Buffer.from(bytes), ECHO_PORT, address, () => undefined);
  }, 1);
  process.on('message', () => say({ sentAt: sentAt.splice(0) }));
  say({ kind: 'ready' });
}

const [role, argument = 'null'] = process.argv.slice(2);
const given = JSON.parse(argument) as never;
const roles: Record<string, (argument: never) => void> = { writer, echo, asker };
process.on('disconnect', () => process.exit(0));
roles[role!]!(given);

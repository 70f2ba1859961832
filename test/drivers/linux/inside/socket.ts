/** What socket.test.ts has done inside a namespace. */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { indexOf, ip, sleep } from './kernel.js';
import {
  AF,
  Inbox,
  netlinkAddress,
  openSocket,
  openTimer,
  packetAddress,
  PACKET_ADDRESS_LENGTH,
  SO,
  SOCK,
  SOL,
  type NativeSocket,
} from '../../../../drivers/linux/socket.js';

const ETHERTYPE = 0x88b5;

/** Broadcast of that length whose body begins with a number. */
export function frame(number: number, length = 60): Uint8Array {
  const bytes = new Uint8Array(length).fill(0xff, 0, 6);
  const view = new DataView(bytes.buffer);
  bytes.set([2, 0, 0, 0, 0, 1], 6);
  view.setUint16(12, ETHERTYPE);
  view.setUint32(14, number);
  return bytes;
}

function openOn(nic: string): NativeSocket {
  const socket = openSocket(AF.packet, SOCK.raw, 0);
  socket.bind(packetAddress(indexOf(nic), ETHERTYPE));
  return socket;
}

/** Sends `count` frames eth0 → eth1 in one batch; what came, by batches, with senders. */
export async function batch(count: number) {
  const [from, to] = [openOn('eth0'), openOn('eth1')];
  const inbox = new Inbox(to, 16, 128);
  const numbers: number[] = [];
  const batches: number[] = [];
  let last = { ifindex: 0, type: -1, length: 0, cut: false };
  to.start((n) => {
    batches.push(n);
    for (let i = 0; i < n; i++) {
      const bytes = inbox.bytes(i);
      numbers.push(new DataView(bytes.buffer, bytes.byteOffset).getUint32(14));
      last = { ifindex: inbox.ifindex(i), type: inbox.packetType(i), length: inbox.length(i), cut: inbox.isCut(i) };
    }
  });
  const slab = new Uint8Array(count * 60);
  const spans = new Int32Array(2 * count);
  const addresses = new Uint8Array(count * PACKET_ADDRESS_LENGTH);
  for (let i = 0; i < count; i++) {
    slab.set(frame(i), i * 60);
    spans.set([i * 60, 60], 2 * i);
    addresses.set(packetAddress(indexOf('eth0'), 0), i * PACKET_ADDRESS_LENGTH);
  }
  const sent = from.sendBatch(slab, spans, count, addresses, PACKET_ADDRESS_LENGTH);
  for (let i = 0; i < 100 && numbers.length < count; i++) await sleep(10);
  const beforeLong = numbers.length;
  from.send(frame(count, 300), null);
  for (let i = 0; i < 100 && numbers.length === beforeLong; i++) await sleep(10);
  return { sent, numbers, batches, last, eth1: indexOf('eth1') };
}

/** Sets the NIC down under a watched socket and up again: errors seen, and frames that came afterwards. */
export async function survivesDown() {
  const [from, to] = [openOn('eth0'), openOn('eth1')];
  new Inbox(to, 16, 128);
  const errors: number[] = [];
  let frames = 0;
  to.start((n) => (n < 0 ? errors.push(n) : (frames += n)));
  ip('link set eth1 down');
  const whileDown = openOn('eth1').send(frame(0), null);
  await sleep(50);
  ip('link set eth1 up');
  for (let i = 0; i < 100 && frames === 0; i++) {
    from.send(frame(1), null);
    await sleep(10);
  }
  return { errors, frames, whileDown };
}

/** A netlink listener whose buffer overflows: what it is told, and whether it hears of what comes later. */
export async function survivesOverrun() {
  const listener = openSocket(AF.netlink, SOCK.raw, 0);
  listener.bind(netlinkAddress(0, 1));
  listener.setOption(SOL.socket, SO.receiveBuffer, 2048);
  const inbox = new Inbox(listener, 16, 8192);
  const results: number[] = [];
  const portIds = new Set<number>();
  listener.start((n) => {
    results.push(n);
    for (let i = 0; i < n; i++) portIds.add(inbox.portId(i));
  });
  // execFileSync holds the loop, so that nobody reads meanwhile.
  for (let i = 0; i < 20; i++) ip(`link set eth0 alias a${i}`);
  await sleep(100);
  const errors = results.filter((n) => n < 0);
  const before = results.length;
  ip('link set eth0 alias last');
  for (let i = 0; i < 100 && results.length === before; i++) await sleep(10);
  return { errors, heardLater: results.slice(before).some((n) => n > 0), portIds: [...portIds] };
}

/** Asks the kernel for the links and waits for the answer without a loop. */
export function blockingReceive() {
  const socket = openSocket(AF.netlink, SOCK.raw, 0);
  socket.bind(netlinkAddress());
  const inbox = new Inbox(socket, 4, 65536);
  const quiet = socket.receiveWait(20);
  const request = new Uint8Array(32);
  const view = new DataView(request.buffer);
  view.setUint32(0, 32, true);
  view.setUint16(4, 18, true);
  view.setUint16(6, 0x301, true);
  const sent = socket.send(request, null);
  const answered = socket.receiveWait(1000);
  const name = socket.getName();
  return {
    quiet,
    sent,
    answered,
    bytes: inbox.length(0),
    portId: inbox.portId(0),
    family: name[0],
    empty: drained(socket),
  };
}

function drained(socket: NativeSocket): number {
  for (;;) {
    const n = socket.receive();
    if (n < 0) return n;
  }
}

/** Threads that open everything and end in every way: how many ended well. */
export async function threads(count: number) {
  const url = new URL('./socket-thread.ts', import.meta.url);
  const ends = await Promise.all(
    Array.from({ length: count }, (_, i) => {
      const worker = new Worker(url, { workerData: i % 3 === 0 ? 'exit' : 'stay' });
      worker.on('message', () => (i % 3 === 1 ? void worker.terminate() : worker.postMessage('end')));
      return new Promise<string>((resolve) => {
        worker.on('error', (error) => resolve(String(error)));
        worker.on('exit', () => resolve('ended'));
      });
    }),
  );
  return { ends, left: readFileSync('/proc/self/net/packet', 'utf8').trim().split('\n').length - 1 };
}

/** How late three timers were, in milliseconds: one ahead, one that is past, one disarmed (never: null). */
export async function timer() {
  const now = (): number => Number(process.hrtime.bigint()) / 1e6;
  const waitFor = (ms: number, absolute: boolean): Promise<number | null> => {
    const fd = openTimer();
    return new Promise((resolve) => {
      fd.start(() => {
        fd.close();
        resolve(now());
      });
      fd.setTime(ms, absolute);
      setTimeout(() => {
        fd.close();
        resolve(null);
      }, 300);
    });
  };
  const at = now() + 30.5;
  const ahead = ((await waitFor(at, true)) ?? NaN) - at;
  const past = await waitFor(1, true);
  return { ahead, past: past !== null, disarmed: await waitFor(0, false) };
}

export function errors() {
  const caught = (f: () => unknown): unknown => {
    try {
      return f();
    } catch (error) {
      const { code, syscall, errno } = error as NodeJS.ErrnoException;
      return { code, syscall, errno };
    }
  };
  const closed = openSocket(AF.inet, SOCK.datagram, 0);
  closed.close();
  closed.close();
  const udp = openSocket(AF.inet, SOCK.datagram, 0);
  udp.setOption(SOL.socket, SO.bindToDevice, new TextEncoder().encode('eth0'));
  const device = new Uint8Array(16);
  const length = udp.getOption(SOL.socket, SO.bindToDevice, device);
  return {
    family: caught(() => openSocket(99, 1, 0)),
    bind: caught(() => openSocket(AF.packet, SOCK.raw, 0).bind(packetAddress(9999, ETHERTYPE))),
    option: caught(() => udp.setOption(SOL.socket, SO.bindToDevice, new TextEncoder().encode('nosuch'))),
    closed: caught(() => closed.send(new Uint8Array(1), null)),
    unattached: caught(() => udp.start(() => undefined)),
    device: new TextDecoder().decode(device.subarray(0, length - 1)),
    unattachedReceive: udp.receive(),
    span: caught(() => udp.sendBatch(new Uint8Array(10), Int32Array.of(5, 6), 1, null, 0)),
  };
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as cases from './inside/socket.js';
import { bpf, ERRNO, packetAddress, readBatch, readNames } from '../../../drivers/linux/socket.js';
import { openSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asRoot, Namespace } from './inside.js';

const module = new URL('./inside/socket.ts', import.meta.url);
type Cases = typeof cases;
type Value<K extends keyof Cases> = Awaited<ReturnType<Extract<Cases[K], (...args: never[]) => unknown>>>;

describe('readBatch', () => {
  it('reads each file from its beginning, again and again, and says what failed', () => {
    const dir = mkdtempSync(join(tmpdir(), 'baton-socket-'));
    const write = (name: string, text: string): string => (writeFileSync(join(dir, name), text), join(dir, name));
    const fds = Int32Array.of(openSync(write('a', '12\n'), 'r'), -1, openSync(write('b', '345678'), 'r'));
    const slab = new Uint8Array(12).fill(0x55);
    const lengths = new Int32Array(3);
    expect(readBatch(fds, slab, 4, lengths)).toBe(1);
    expect([...lengths]).toEqual([3, -ERRNO.EBADF, 4]);
    expect(new TextDecoder().decode(slab)).toBe('12\n\0\0\0\0\x003456');
    write('a', '7\n');
    readBatch(fds, slab, 4, lengths);
    expect(new TextDecoder().decode(slab.subarray(0, 4))).toBe('7\n\0\0');
    rmSync(dir, { recursive: true });
  });

  it.each([
    [new Uint8Array(7), 4, new Int32Array(2)],
    [new Uint8Array(8), 0, new Int32Array(2)],
    [new Uint8Array(8), 4, new Int32Array(1)],
  ])('refuses room that is too small', (slab, slot, lengths) => {
    expect(() => readBatch(Int32Array.of(1, 2), slab, slot, lengths)).toThrow(/EINVAL/);
  });
});

it('names NICs by ifindex', () => {
  const slab = new Uint8Array(48).fill(1);
  readNames(Int32Array.of(1, 999_999, 0), slab);
  expect(new TextDecoder().decode(slab)).toBe('lo'.padEnd(48, '\0'));
});

it('lays out struct sockaddr_ll and struct sock_filter (little-endian host)', () => {
  expect(Buffer.from(packetAddress(258, 0x88b5)).toString('hex')).toBe('110088b502010000' + '00'.repeat(12));
  expect(Buffer.from(bpf([[0x28, 1, 2, 12]])).toString('hex')).toBe('280001020c000000');
});

describe.skipIf(!asRoot)('native socket in a namespace (needs root)', () => {
  let ns: Namespace;
  beforeAll(() => {
    ns = new Namespace('sock', 'a');
    ns.ip('link add eth0 type veth peer name eth1');
    for (const nic of ['eth0', 'eth1']) {
      ns.run('sysctl', '-qw', `net.ipv6.conf.${nic}.disable_ipv6=1`);
      ns.ip(`link set ${nic} up`);
    }
  });
  afterAll(() => ns.remove());

  const call = <K extends keyof Cases>(name: K, ...args: unknown[]): Promise<Value<K>> =>
    ns.call<Value<K>>(module, name, ...args);

  it('sends 100 frames in one batch and receives them in order, at most 16 a turn, with their senders', async () => {
    const { sent, numbers, batches, last, eth1 } = await call('batch', 100);
    expect(sent).toBe(100);
    expect(numbers).toEqual(Array.from({ length: 101 }, (_, i) => i));
    expect(Math.max(...batches)).toBeLessThanOrEqual(16);
    expect(last).toEqual({ ifindex: eth1, type: 1, length: 300, cut: true });
  });

  it('goes on after ENETDOWN', async () => {
    const { errors, frames, whileDown } = await call('survivesDown');
    expect(errors).toEqual([-ERRNO.ENETDOWN]);
    expect(whileDown).toBe(-ERRNO.ENETDOWN);
    expect(frames).toBeGreaterThan(0);
  });

  it('goes on after ENOBUFS; the kernel has port id 0', async () => {
    const { errors, heardLater, portIds } = await call('survivesOverrun');
    expect(errors).toContain(-ERRNO.ENOBUFS);
    expect(heardLater).toBe(true);
    expect(portIds).toEqual([0]);
  });

  it('waits for an answer in a blocking call, and no longer than asked', async () => {
    const got = await call('blockingReceive');
    expect(got).toMatchObject({ quiet: 0, sent: 32, portId: 0, family: 16, empty: -ERRNO.EAGAIN });
    expect(got.answered).toBeGreaterThan(0);
    expect(got.bytes).toBeGreaterThan(100);
  });

  it('loads in several threads at once, and what they opened ends with them', async () => {
    const { ends, left } = await call('threads', 3);
    expect(ends).toEqual(Array.from({ length: 3 }, () => 'ended'));
    expect(left).toBe(0);
  });

  it('wakes at the moment asked, at once if it is past, never if disarmed', async () => {
    const { ahead, past, disarmed } = await call('timer');
    expect(ahead).toBeGreaterThanOrEqual(0);
    expect(past).toBe(true);
    expect(disarmed).toBe(null);
  });

  it('says what failed in which system call', async () => {
    const got = await call('errors');
    expect(got.family).toEqual({ code: 'EAFNOSUPPORT', syscall: 'socket', errno: -97 });
    expect(got.bind).toEqual({ code: 'ENODEV', syscall: 'bind', errno: -19 });
    expect(got.option).toEqual({ code: 'ENODEV', syscall: 'setsockopt', errno: -19 });
    expect(got.closed).toEqual({ code: 'EBADF', syscall: 'send', errno: -9 });
    expect(got.unattached).toEqual({ code: 'EINVAL', syscall: 'poll', errno: -22 });
    expect(got.span).toEqual({ code: 'EINVAL', syscall: 'sendmmsg', errno: -22 });
    expect(got.device).toBe('eth0');
    expect(got.unattachedReceive).toBe(-ERRNO.EINVAL);
  });
});

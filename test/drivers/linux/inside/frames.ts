/** What frames.test.ts has done inside a namespace. */
import { execFileSync } from 'node:child_process';
import { arpProbe, ARP_LENGTH } from '../../../../src/frame/arp.js';
import { encodeEthernet } from '../../../../src/frame/ethernet.js';
import { POLL_GROUP } from '../../../../src/frame/poll.js';
import { Echo } from '../../../../drivers/linux/echo.js';
import { Nics } from '../../../../drivers/linux/nics.js';
import { Outbox } from '../../../../drivers/linux/outbox.js';
import { Packets } from '../../../../drivers/linux/packets.js';
import { indexOf, ip, sleep, until } from './kernel.js';

const MAC = '02:00:00:00:00:01';
const BROADCAST = 'ff:ff:ff:ff:ff:ff';

function frame(destination: string, etherType: number, payload: Uint8Array): Uint8Array {
  return encodeEthernet({ destination, source: MAC, etherType, payload });
}

const numbered = (destination: string, number: number): Uint8Array => {
  const payload = new Uint8Array(50);
  new DataView(payload.buffer).setUint32(0, number);
  return frame(destination, 0x88b5, payload);
};

interface Ends {
  nics: Nics;
  packets: Packets;
  outbox: Outbox;
  /** `eth1 88b5 7`: NIC, EtherType, first word of the payload. */
  got: string[];
  entered: () => number;
  drop: (reason: string) => void;
  drops: Record<string, number>;
}

/** Both ends in one namespace: what goes out of eth0 comes in at eth1. */
async function withEnds<T>(names: string[], story: (ends: Ends) => Promise<T>): Promise<T> {
  const drops: Record<string, number> = {};
  const drop = (reason: string): void => void (drops[reason] = (drops[reason] ?? 0) + 1);
  const got: string[] = [];
  let entered = 0;
  const nics = new Nics(names);
  const packets = new Packets(
    nics,
    (nic, bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      got.push(`${nic} ${view.getUint16(12).toString(16)} ${view.getUint32(14)}`);
    },
    drop,
  );
  const outbox = new Outbox(nics, drop);
  packets.start(() => entered++);
  nics.refresh();
  try {
    return await story({ nics, packets, outbox, drop, got, entered: () => entered, drops });
  } finally {
    packets.close();
    outbox.close();
  }
}

/** 200 poll frames in one go, in order, to the poll group. */
export function many() {
  return withEnds(['eth0', 'eth1'], async ({ outbox, got, entered, drops }) => {
    for (let i = 0; i < 200; i++) outbox.add('eth0', numbered(POLL_GROUP, i));
    outbox.flush();
    await until(() => got.length >= 200);
    return { got, entered: entered(), drops };
  });
}

/** Frames that must not be sent from some moment on, which has come for every other one when they leave. */
export function late() {
  return withEnds(['eth0', 'eth1'], async ({ nics, got, drops, drop }) => {
    let now = 0;
    const outbox = new Outbox(nics, drop, () => now);
    for (let i = 0; i < 100; i++) outbox.add('eth0', numbered(POLL_GROUP, i), i % 2 === 0 ? Infinity : 5);
    now = 5;
    outbox.flush();
    outbox.add('eth0', numbered(POLL_GROUP, 100), 6);
    outbox.flush();
    await until(() => got.includes('eth1 88b5 100'));
    outbox.close();
    return { got, drops };
  });
}

/** Frames that are not for us, of NICs that are not ours, too long, out of NICs that are not there. */
export function foreign() {
  return withEnds(['eth0', 'eth1', 'nosuch'], async ({ nics, outbox, got, drops, packets }) => {
    const other = new Outbox(new Nics(['eth2']), () => undefined);
    outbox.add('eth0', numbered('02:99:99:99:99:99', 1));
    outbox.add('nosuch', numbered(BROADCAST, 2));
    outbox.add('eth0', new Uint8Array(3000));
    outbox.flush();
    const foreigners = new Nics(['eth2']);
    foreigners.refresh();
    const stranger = new Outbox(foreigners, () => undefined);
    stranger.add('eth2', numbered(BROADCAST, 3));
    stranger.flush();
    outbox.add('eth0', numbered(BROADCAST, 4));
    outbox.flush();
    await until(() => got.length > 0);
    packets.drain();
    other.close();
    stranger.close();
    return { got, drops, eth1: nics.nameOf(indexOf('eth1')) };
  });
}

/** ARP and neighbour discovery come in, an echo of ICMPv6 does not; a bridge's hello is counted and not handed in. */
export function protocols() {
  return withEnds(['eth0', 'eth1'], async ({ outbox, got, packets }) => {
    outbox.add('eth0', frame(BROADCAST, 0x0806, arpProbe(MAC, '10.0.0.9')));
    for (const [type, hops] of [
      [135, 255],
      [136, 255],
      [135, 64],
      [128, 255],
    ] as const) {
      const packet = new Uint8Array(40 + 24);
      packet.set([0x60, 0, 0, 0, 0, 24, 58, hops]);
      packet[40] = type;
      outbox.add('eth0', frame('33:33:00:00:00:01', 0x86dd, packet));
    }
    const hello = new Uint8Array(52);
    hello.set([0x42, 0x42, 0x03]);
    outbox.add('eth0', frame('01:80:c2:00:00:00', 38, hello));
    outbox.add('eth0', frame('01:80:c2:00:00:0e', 0x88cc, hello));
    outbox.add('eth0', frame('01:80:c2:00:00:21', 0x88cc, hello));
    outbox.flush();
    await until(() => got.length >= 3 && packets.linkLocal('eth1') >= 2);
    await sleep(50);
    return {
      got: got.map((line) => line.split(' ').slice(0, 2).join(' ')),
      linkLocal: packets.linkLocal('eth1'),
      arp: ARP_LENGTH,
    };
  });
}

/** A NIC set down, deleted and made again: sending fails with a count, and works again without anybody's help but a refresh. */
export function comesBack() {
  return withEnds(['eth2', 'eth3'], async ({ nics, outbox, got, drops }) => {
    const send = async (number: number): Promise<boolean> => {
      outbox.add('eth2', numbered(POLL_GROUP, number));
      outbox.flush();
      return until(() => got.some((line) => line.endsWith(` ${number}`)), 200);
    };
    const joined = (): string => execFileSync('ip', ['maddr', 'show', 'dev', 'eth3'], { encoding: 'utf8' });
    const first = await send(1);
    ip('link set eth2 down');
    const whileDown = await send(2);
    ip('link set eth2 up');
    const again = (await until(() => joined().includes(POLL_GROUP))) && (await send(3));
    ip('link del eth2');
    const whileGone = await send(4);
    ip('link add eth2 type veth peer name eth3');
    ip('link set eth2 up');
    ip('link set eth3 up');
    nics.refresh();
    const reborn =
      (await until(() => joined().includes(POLL_GROUP))) && (await until(() => carrierOf('eth2'))) && (await send(5));
    return { first, whileDown, again, whileGone, reborn, drops };
  });
}

const carrierOf = (nic: string): boolean =>
  execFileSync('cat', [`/sys/class/net/${nic}/carrier`], { encoding: 'utf8' }).trim() === '1';

/** Echo to each target out of each NIC: `eth0 10.1.1.2` for each answer. */
export async function echoes(nicNames: string[], targets: string[]) {
  const drops: Record<string, number> = {};
  const answers: string[] = [];
  const nics = new Nics(nicNames);
  nics.refresh();
  const echo = new Echo(
    nics,
    Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    (nic, target) => answers.push(`${nic} ${target}`),
    (reason) => void (drops[reason] = (drops[reason] ?? 0) + 1),
    () => undefined,
  );
  for (const nic of [...nicNames, 'nosuch']) for (const target of targets) echo.send(nic, target);
  echo.send('eth0', 'nonsense');
  await sleep(300);
  // Pings of another program are none of ours.
  execFileSync('ping', ['-c', '1', targets[0]!]);
  echo.drain();
  const before = [...answers];
  ip('link del eth0');
  nics.refresh();
  echo.send('eth0', targets[0]!);
  echo.close();
  return { answers: before.sort(), drops };
}

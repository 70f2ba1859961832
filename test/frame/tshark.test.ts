/** What we send, judged by Wireshark's dissectors: fields as meant, checksums right, no complaint. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as arp from '../../src/frame/arp.js';
import * as ndp from '../../src/frame/ndp.js';
import { ONE, TWO } from './vectors.js';

const FIELDS = [
  'eth.dst',
  'eth.src',
  'arp.opcode',
  'arp.src.hw_mac',
  'arp.src.proto_ipv4',
  'arp.dst.hw_mac',
  'arp.dst.proto_ipv4',
  'arp.isgratuitous',
  'arp.isprobe',
  'ipv6.src',
  'ipv6.dst',
  'ipv6.hlim',
  'icmpv6.type',
  'icmpv6.checksum.status',
  'icmpv6.nd.ns.target_address',
  'icmpv6.nd.na.target_address',
  'icmpv6.nd.na.flag.r',
  'icmpv6.nd.na.flag.s',
  'icmpv6.nd.na.flag.o',
  'icmpv6.opt.linkaddr',
  '_ws.expert.severity',
  '_ws.malformed',
] as const;
type Judgement = Partial<Record<(typeof FIELDS)[number], string>>;

/** Classic pcap, link type Ethernet. */
function pcap(frames: Uint8Array[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65535, 16);
  header.writeUInt32LE(1, 20);
  const records = frames.flatMap((frame) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return [record, frame];
  });
  return Buffer.concat([header, ...records]);
}

function judge(frames: Uint8Array[]): Judgement[] {
  const folder = mkdtempSync(join(tmpdir(), 'baton-tshark-'));
  try {
    const file = join(folder, 'frames.pcap');
    writeFileSync(file, pcap(frames));
    const fields = FIELDS.flatMap((field) => ['-e', field]);
    const run = spawnSync('tshark', ['-r', file, '-n', '-T', 'fields', '-E', 'separator=|', ...fields], {
      encoding: 'utf8',
    });
    if (run.status !== 0) throw new Error(run.stderr);
    return run.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        // Wireshark before 4.2 writes flags as 1 and 0, later ones as words.
        const plain = line.replaceAll('True', '1').replaceAll('False', '0');
        const values = plain.split('|').map((value, i) => [FIELDS[i], value] as const);
        return Object.fromEntries(values.filter(([, value]) => value !== '')) as Judgement;
      });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const CHECKSUM_GOOD = '1';
const missing = spawnSync('tshark', ['--version']).status !== 0;

describe.skipIf(missing)('tshark, skipped where it is not installed', () => {
  const asked: ndp.NeighbourSolicitation = {
    type: 'neighbour-solicitation',
    source: 'fd77::1',
    destination: 'ff02::1:ff00:2',
    target: 'fd77::2',
    sourceLinkLayer: ONE,
  };
  const probing: ndp.NeighbourSolicitation = {
    type: 'neighbour-solicitation',
    source: '::',
    destination: 'ff02::1:ff00:2',
    target: 'fd77::2',
  };

  const cases: [string, Uint8Array, Judgement][] = [
    [
      'ARP request',
      arp.arpRequest(ONE, '10.77.0.1', '10.77.0.2'),
      { 'eth.dst': 'ff:ff:ff:ff:ff:ff', 'arp.opcode': '1', 'arp.src.proto_ipv4': '10.77.0.1' },
    ],
    [
      'ARP reply',
      arp.arpReply(TWO, '10.77.0.2', ONE, '10.77.0.1'),
      { 'eth.dst': ONE, 'arp.opcode': '2', 'arp.src.hw_mac': TWO, 'arp.dst.hw_mac': ONE },
    ],
    ['ARP probe', arp.arpProbe(ONE, '10.77.0.2'), { 'arp.isprobe': '1', 'arp.dst.proto_ipv4': '10.77.0.2' }],
    [
      'announcement in request form',
      arp.gratuitousRequest(ONE, '10.77.0.1'),
      { 'arp.opcode': '1', 'arp.isgratuitous': '1', 'arp.src.hw_mac': ONE },
    ],
    [
      'announcement in reply form',
      arp.gratuitousReply(ONE, '10.77.0.1'),
      { 'arp.opcode': '2', 'arp.isgratuitous': '1', 'arp.dst.hw_mac': ONE, 'eth.dst': 'ff:ff:ff:ff:ff:ff' },
    ],
    [
      'solicitation',
      ndp.neighbourSolicitation(ONE, 'fd77::1', 'fd77::2'),
      { 'icmpv6.type': '135', 'icmpv6.nd.ns.target_address': 'fd77::2', 'icmpv6.opt.linkaddr': ONE },
    ],
    [
      'probe',
      ndp.neighbourProbe(ONE, 'fd77::2'),
      { 'eth.dst': '33:33:ff:00:00:02', 'icmpv6.type': '135', 'ipv6.src': '::', 'ipv6.dst': 'ff02::1:ff00:2' },
    ],
    [
      'probe with nonce',
      ndpFrame({ ...probing, nonce: '0102030405060708090a0b0c0d0e' }),
      { 'icmpv6.type': '135', 'ipv6.src': '::' },
    ],
    [
      'answer of a router',
      ndp.neighbourAnswer(TWO, asked, ONE, true),
      { 'icmpv6.nd.na.flag.r': '1', 'icmpv6.nd.na.flag.s': '1', 'icmpv6.opt.linkaddr': TWO, 'eth.dst': ONE },
    ],
    [
      'unsolicited advertisement with override',
      ndp.unsolicitedAdvertisement(ONE, 'fd77::1', false),
      {
        'eth.dst': '33:33:00:00:00:01',
        'ipv6.src': 'fd77::1',
        'ipv6.dst': 'ff02::1',
        'icmpv6.type': '136',
        'icmpv6.nd.na.target_address': 'fd77::1',
        'icmpv6.nd.na.flag.r': '0',
        'icmpv6.nd.na.flag.s': '0',
        'icmpv6.nd.na.flag.o': '1',
        'icmpv6.opt.linkaddr': ONE,
      },
    ],
  ];

  function ndpFrame(message: ndp.NeighbourSolicitation): Uint8Array {
    return Uint8Array.of(...ndp.neighbourProbe(ONE, message.target).subarray(0, 14), ...ndp.encodeNdp(message));
  }

  test('our frames', () => {
    const judgements = judge(cases.map(([, bytes]) => bytes));
    expect(judgements).toHaveLength(cases.length);
    for (const [i, [name, bytes, meant]] of cases.entries()) {
      const found = judgements[i] ?? {};
      expect(found, name).toMatchObject(meant);
      expect(found['_ws.malformed'], name).toBeUndefined();
      if (bytes[12] === 0x86)
        expect(found, name).toMatchObject({ 'icmpv6.checksum.status': CHECKSUM_GOOD, 'ipv6.hlim': '255' });
    }
  });

  test('the judge is awake: it sees a wrong checksum and a cut frame', () => {
    const wrong = ndp.unsolicitedAdvertisement(ONE, 'fd77::1', false);
    wrong[60] = 0x55;
    const short = arp.arpProbe(ONE, '10.77.0.2').subarray(0, 30);
    const [checksum, malformed] = judge([wrong, short]);
    expect(checksum?.['icmpv6.checksum.status']).not.toBe(CHECKSUM_GOOD);
    expect(malformed?.['_ws.malformed']).toBeDefined();
  });
});

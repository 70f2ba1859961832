/** The arbiter's disks as files: layout byte for byte, what is refused, two of them, torn blocks, locks, a disk that hangs. */
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Disks } from '../../../drivers/arbiter/disk/disks.js';
import {
  decodeHeader,
  decodeRecord,
  digestOf,
  diskKey,
  encodeHeader,
  encodeRecord,
  recordAt,
  type Header,
} from '../../../drivers/arbiter/disk/layout.js';
import { inspect, prepare, type Wanted } from '../../../drivers/arbiter/disk/preparation.js';
import type { ArbiterAnswer, DiskBlock, DiskRequest } from '../../../src/membership/arbiter-record.js';
import type { Document } from '../../../src/membership/document.js';

const KEY = diskKey(Buffer.alloc(32, 7));
const OTHER = diskKey(Buffer.alloc(32, 8));
const ID = '00112233445566778899aabbccddeeff';
const RUN = '0123456789abcdef';
const HEADER: Header = {
  cluster: 'shop',
  storageId: ID,
  disk: 0,
  disks: 1,
  nodes: ['alpha', 'beta'],
  documentBytes: 65536,
};
const WANTED: Wanted = { cluster: 'shop', nodes: ['alpha', 'beta'], documentBytes: 65536, keys: [KEY] };

const document = (revision: number): Document => ({
  version: { term: 1, revision },
  voters: { next: [{ name: 'alpha', storageId: ID }] },
  placements: {},
  orders: { clusterHalted: false, haltedNodes: [], removedNodes: [], packages: {} },
  digest: 'd',
});

function put(storageId: string, writes: number, part: Partial<DiskBlock> = {}): Extract<DiskRequest, { ask: 'put' }> {
  const stored = document(writes);
  const block: DiskBlock = { term: 3, role: 'candidate', beat: 2, run: RUN, writes, version: stored.version, ...part };
  return { ask: 'put', storageId, block, document: stored, mend: false };
}

describe('layout of an arbiter disk', () => {
  it('header: what is where', () => {
    const bytes = encodeHeader(HEADER, KEY);
    expect(bytes.length).toBe(16384);
    expect(bytes.toString('latin1', 0, 8)).toBe('BATONARB');
    expect(bytes.subarray(8, 16).toString('hex')).toBe('0000000100000083');
    expect(bytes.subarray(16, 48).toString('hex')).toBe(HEADER_MAC);
    expect(JSON.parse(bytes.toString('utf8', 48, 48 + 0x83))).toEqual(HEADER);
    expect(decodeHeader(bytes, 'shop', [KEY])).toEqual({ is: 'ours', header: HEADER, old: false });
  });

  it('record: what is where, all of it in the first 512 bytes', () => {
    const block: DiskBlock = {
      ...{ term: 3, role: 'coordinator', beat: 5, run: RUN, writes: 9, version: { term: 2, revision: 7 } },
    };
    const record = { node: 'beta', block, place: 1, length: 77, digest: digestOf(Buffer.from('document')) };
    const bytes = encodeRecord(ID, record, KEY);
    expect(bytes.length).toBe(4096);
    expect(bytes.subarray(512).every((byte) => byte === 0)).toBe(true);
    expect(bytes.toString('latin1', 0, 8)).toBe('BATONBLK');
    expect(bytes.subarray(8, 40).toString('hex')).toBe(RECORD_MAC);
    expect(bytes.subarray(40, 112).toString('hex')).toBe(
      `${ID}000000000000000302010400000000000000000000000005000000000000000900000000000000020000000000000007` +
        '0000004d00000000',
    );
    expect(bytes.subarray(144, 156).toString('hex')).toBe(`${RUN}62657461`);
    expect(decodeRecord(bytes, { storageId: ID, node: 'beta' }, [KEY])).toEqual(record);
  });

  it('a header of another key, cluster, version or nothing of baton is foreign; zeroes are blank', () => {
    const is = (bytes: Buffer, cluster = 'shop', keys = [KEY]): string => decodeHeader(bytes, cluster, keys).is;
    const bytes = encodeHeader(HEADER, KEY);
    expect(is(bytes, 'bank')).toBe('foreign');
    expect(is(bytes, 'shop', [OTHER])).toBe('foreign');
    expect(decodeHeader(bytes, 'shop', [OTHER, KEY])).toMatchObject({ is: 'ours', old: true });
    expect(is(Buffer.alloc(16384, 0x42))).toBe('foreign');
    expect(is(Buffer.alloc(16384))).toBe('blank');
    bytes.writeUInt32BE(2, 8);
    expect(is(bytes)).toBe('foreign');
  });

  it('one wrong bit anywhere in a record, or another node, voter or key: damaged', () => {
    const record = { node: 'beta', block: put(ID, 1).block, place: 0, length: 1, digest: digestOf(Buffer.from('x')) };
    const bytes = encodeRecord(ID, record, KEY);
    const is = (of: Buffer, node = 'beta', storageId = ID, keys = [KEY]): unknown =>
      decodeRecord(of, { storageId, node }, keys);
    for (let at = 0; at < 512; at++) {
      const torn = Buffer.from(bytes);
      torn.writeUInt8(torn.readUInt8(at) ^ 1, at);
      expect(is(torn), `byte ${at}`).toBe('damaged');
    }
    expect(is(bytes, 'alpha')).toBe('damaged');
    expect(is(bytes, 'beta', 'f'.repeat(32))).toBe('damaged');
    expect(is(bytes, 'beta', ID, [OTHER])).toBe('damaged');
    expect(is(Buffer.alloc(4096))).toBe('blank');
  });
});

describe('disks as files', () => {
  let folder: string;
  let paths: string[];
  const open: Disks[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'baton-disk-'));
    paths = ['one', 'two'].map((name) => join(folder, name));
  });
  afterEach(() => {
    for (const disks of open.splice(0)) disks.close();
    rmSync(folder, { recursive: true });
  });
  const reach = (node: string, at: readonly string[] = paths.slice(0, 1), keys = [KEY], cluster = 'shop'): Disks => {
    const disks = new Disks(at, { cluster, node, keys });
    open.push(disks);
    return disks;
  };
  const look = (disks: Disks): ArbiterAnswer => disks.ask({ ask: 'look' });
  /** Changes bytes as a bad disk does. */
  const spoil = (path: string, at: number): void => {
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.from([0xff, 0x00, 0xff]), 0, 3, at);
    closeSync(file);
  };

  it('is made once, tells what each node wrote, and the newest document', () => {
    const [made] = prepare(paths.slice(0, 1), WANTED);
    expect(made).toMatchObject({ did: 'made', bytes: 512 * 1024 + 4 * 65536 });
    const id = made!.storageId;
    const [alpha, beta] = [reach('alpha'), reach('beta')];
    expect(look(alpha)).toEqual({ outcome: 'blocks', storageId: id, blocks: {}, document: null });
    expect(alpha.ask(put(id, 1))).toMatchObject({ blocks: { alpha: { writes: 1 } }, document: document(1) });
    expect(beta.ask(put(id, 2))).toMatchObject({ blocks: { alpha: { writes: 1 }, beta: { writes: 2 } } });
    expect(look(alpha)).toMatchObject({ document: document(2) });
    for (let writes = 3; writes < 8; writes++) alpha.ask(put(id, writes));
    expect(look(beta)).toMatchObject({ blocks: { alpha: { writes: 7 } }, document: document(7) });
    expect(prepare(paths.slice(0, 1), WANTED)).toMatchObject([{ did: 'kept', storageId: id }]);
  });

  it('is never made over something else, unless forced; a forced one is another voter', () => {
    writeFileSync(paths[0]!, Buffer.alloc(1 << 20));
    spoil(paths[0]!, 300_000);
    expect(() => prepare(paths.slice(0, 1), WANTED)).toThrow(/it holds data; it is left as it is/);
    const before = readFileSync(paths[0]!);
    expect(look(reach('alpha'))).toMatchObject({ outcome: 'unknown', why: 'unprepared' });
    expect(readFileSync(paths[0]!).equals(before)).toBe(true);
    const [first] = prepare(paths.slice(0, 1), WANTED, { force: true });
    const [second] = prepare(paths.slice(0, 1), WANTED, { force: true });
    expect(first!.storageId).not.toBe(second!.storageId);
    expect(look(reach('alpha'))).toMatchObject({ storageId: second!.storageId, blocks: {} });
  });

  it("another cluster's, and one under another key, is refused and not written to", () => {
    const { storageId: id } = prepare(paths.slice(0, 1), { ...WANTED, cluster: 'bank' })[0]!;
    const before = readFileSync(paths[0]!);
    expect(reach('alpha').ask(put(id, 1))).toMatchObject({
      ...{ outcome: 'unknown', why: 'foreign' },
      text: `${paths[0]}: it is the arbiter of the cluster "bank"`,
    });
    expect(reach('alpha', undefined, [OTHER], 'bank').ask(put(id, 1))).toMatchObject({ why: 'foreign' });
    expect(() => prepare(paths.slice(0, 1), WANTED)).toThrow(/bank.*left as it is/);
    expect(readFileSync(paths[0]!).equals(before)).toBe(true);
  });

  it('gives places to new nodes and keeps what the others wrote', () => {
    const { storageId: id } = prepare(paths.slice(0, 1), WANTED)[0]!;
    reach('alpha').ask(put(id, 1));
    const gamma = reach('gamma');
    expect(gamma.ask(put(id, 1))).toMatchObject({
      why: 'unprepared',
      text: expect.stringMatching(/no place for gamma/) as string,
    });
    const more = { ...WANTED, nodes: ['gamma', 'alpha', 'beta'] };
    expect(prepare(paths.slice(0, 1), more)).toMatchObject([{ did: 'extended', storageId: id }]);
    expect(gamma.ask(put(id, 1))).toMatchObject({ blocks: { alpha: { writes: 1 }, gamma: { writes: 1 } } });
  });

  it('a torn block is told as such; its own node may write it again if it lost nothing', () => {
    const { storageId: id } = prepare(paths.slice(0, 1), WANTED)[0]!;
    const alpha = reach('alpha');
    alpha.ask(put(id, 1));
    spoil(paths[0]!, recordAt(0) + 100);
    expect(look(reach('beta'))).toMatchObject({ blocks: { alpha: null }, document: null });
    expect(alpha.ask(put(id, 2))).toMatchObject({ blocks: { alpha: null } });
    expect(alpha.ask({ ...put(id, 2), mend: true })).toMatchObject({ blocks: { alpha: { writes: 2 } } });
  });

  it('two: both are needed, a write counts when it is on both, and they belong together', () => {
    const { storageId: id } = prepare(paths, WANTED)[0]!;
    const alpha = reach('alpha', paths);
    expect(alpha.ask(put(id, 1))).toMatchObject({ blocks: { alpha: { writes: 1 } } });
    expect(look(reach('beta'))).toMatchObject({ outcome: 'unknown', why: 'unprepared' });
    expect(look(reach('beta', [paths[0]!, paths[0]!]))).toMatchObject({ outcome: 'unknown' });
    expect(look(reach('beta', [paths[1]!, paths[0]!]))).toMatchObject({ blocks: { alpha: { writes: 1 } } });
    spoil(paths[1]!, recordAt(0) + 100);
    expect(look(reach('beta', paths))).toMatchObject({ blocks: { alpha: null } });
    rmSync(paths[1]!);
    expect(look(alpha)).toMatchObject({ outcome: 'unknown', text: `${paths[1]}: there is nothing of that name` });
    expect(() => prepare(paths, WANTED)).toThrow(/not made together/);
  });

  it('a file that was replaced is another one; a shorter one is refused', () => {
    const { storageId: id } = prepare(paths.slice(0, 1), WANTED)[0]!;
    const alpha = reach('alpha');
    alpha.ask(put(id, 1));
    rmSync(paths[0]!);
    const { storageId: other } = prepare(paths.slice(0, 1), WANTED)[0]!;
    expect(alpha.ask(put(id, 2))).toEqual({ outcome: 'blocks', storageId: other, blocks: {}, document: null });
    truncateSync(paths[0]!, 600_000);
    expect(look(alpha)).toMatchObject({
      outcome: 'unknown',
      text: expect.stringMatching(/part of it is gone/) as string,
    });
  });

  it('while another run of this node may still write, nothing is written', () => {
    const { storageId: id } = prepare(paths.slice(0, 1), WANTED)[0]!;
    const earlier = reach('alpha');
    earlier.ask(put(id, 1));
    const later = reach('alpha');
    expect(later.ask(put(id, 2))).toMatchObject({
      outcome: 'unknown',
      text: expect.stringMatching(/earlier run/) as string,
    });
    expect(look(later)).toMatchObject({ blocks: { alpha: { writes: 1 } } });
    earlier.close();
    expect(later.ask(put(id, 2))).toMatchObject({ blocks: { alpha: { writes: 2 } } });
  });

  it('a document that has no room is refused, and the block stays as it was', () => {
    const { storageId: id } = prepare(paths.slice(0, 1), WANTED)[0]!;
    const alpha = reach('alpha');
    alpha.ask(put(id, 1));
    const long = put(id, 2);
    long.document = { ...long.document, digest: 'x'.repeat(70_000) };
    expect(alpha.ask(long)).toMatchObject({
      outcome: 'unknown',
      text: expect.stringMatching(/there is room for 65536/) as string,
    });
    expect(look(alpha)).toMatchObject({ blocks: { alpha: { writes: 1 } }, document: document(1) });
  });

  it('dry runs change nothing; a missing device is not made', () => {
    expect(prepare(paths, WANTED, { dryRun: true })).toMatchObject([{ did: 'made' }, { did: 'made' }]);
    expect(inspect(paths[0]!, WANTED)).toEqual({ is: 'absent' });
    expect(() => prepare(['/dev/baton-no-such-disk'], WANTED)).toThrow(/no such device/);
  });
});

/** Reckoned by another program (Python's hmac and hashlib), from the layout as it is documented. */
const HEADER_MAC = '251b76388bc4f48f57be90f017b9992287b9f172a5e7cc39132bb69c0fe44568';
const RECORD_MAC = '65555c37058099d77fcb29810410b3c8c8628177578478a98b86f151279c8cdd';

/** Recordings of a whole cluster, made on the simulator: merged, they come to the same decisions, and what must hold is seen to hold, or not. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimulatorLab } from '../../../drivers/simulator/lab.js';
import { readRecorded, writeRecorded, type RecordedInput, type RecordingStart } from '../../../src/daemon/recording.js';
import { runDrill } from '../../../src/drill/drill.js';
import type { DrillReport } from '../../../src/drill/report.js';
import { loadScenario } from '../../../src/drill/load.js';
import { replay } from '../../../src/drill/replay/replay.js';

const folder = mkdtempSync(join(tmpdir(), 'baton-replay-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let drill: DrillReport;
let files: string[] = [];

/** A copy of a recording with each line as `change` gives it back. */
function altered(path: string, name: string, change: (line: RecordingStart | RecordedInput) => unknown): string {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').map(readRecorded);
  const to = join(folder, name);
  writeFileSync(to, lines.map((line) => writeRecorded(change(line) as RecordedInput)).join(''));
  return to;
}

const of = (node: string): string => files.find((path) => path.includes(`${node}-`))!;

beforeAll(async () => {
  const to = join(folder, 'drill');
  drill = await runDrill(loadScenario('holder-restarted'), new SimulatorLab(), { record: to });
  files = readdirSync(to)
    .sort()
    .map((name) => join(to, name));
}, 120_000);

describe('recordings of all nodes', () => {
  it('come to the same decisions, byte for byte, in one timeline, each run of a daemon with its own file', async () => {
    expect(drill.failures).toEqual([]);
    expect(files.length).toBeGreaterThan(2);
    const report = await replay(files);
    expect(report.recordings.map(({ differs }) => differs)).toEqual(files.map(() => undefined));
    expect(report.violation).toBeUndefined();
    expect(report.clock).toEqual({ kind: 'told', uncertaintyMs: 0 });
    const told = drill.timeline.filter(({ what }) => what === 'journal').length;
    expect(report.timeline).toHaveLength(told);
    expect(report.timeline.map(({ at }) => at)).toEqual(report.timeline.map(({ at }) => at).sort((a, b) => a - b));
  }, 120_000);

  it('tell how long each daemon ran, and who held what: its kernel and gate go on without it', async () => {
    const { runs, holds, setting, endedAt } = await replay(files);
    const lengths = runs.map(({ node, fromMs, toMs }) => [node, Math.round((toMs - fromMs) / 1000)]);
    expect(lengths).toEqual([
      ['alpha', 10],
      ['beta', 16],
      ['alpha', 6],
    ]);
    expect(holds).toHaveLength(1);
    expect(holds[0]).toMatchObject({ address: '10.77.0.100', node: 'alpha' });
    const [seen, held] = [drill.holds, holds].map((all) =>
      all.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
    );
    expect(Math.abs(seen! - held!)).toBeLessThan(200);
    expect(endedAt - holds[0]!.toMs).toBeLessThan(50);
    const bare = (nodes: typeof setting.nodes): unknown =>
      nodes.map(({ nics, ...node }) => ({ ...node, nics: nics.map(({ cables: _, ...nic }) => nic) }));
    expect(bare(setting.nodes)).toEqual(bare(drill.setting.nodes));
    expect(setting.packages).toEqual(drill.setting.packages);
  });

  it('are played to a moment', async () => {
    const report = await replay(files, { untilMs: 1500 });
    expect(report.endedAt).toBeLessThanOrEqual(1500);
    expect(report.timeline.every(({ at }) => at <= 1500)).toBe(true);
    expect(report.timeline.length).toBeGreaterThan(3);
  });

  it('without a common clock are set beside each other by the beats that they heard', async () => {
    const alone = files.map((path, i) =>
      altered(path, `alone-${i}.jsonl`, (line) => ({ ...line, commonAt: undefined })),
    );
    const [told, report] = [await replay(files), await replay(alone)];
    expect(report.clock.kind).toBe('estimated');
    expect(report.clock.uncertaintyMs).toBeLessThan(5);
    expect(report.invariants).not.toContain('S1');
    expect(report.violation).toBeUndefined();
    const when = (from: typeof report, node: string): number =>
      from.timeline.find(({ node: name, entry }) => name === node && entry.event === 'lease')!.at;
    const apart = (from: typeof report): number => when(from, 'alpha') - when(from, 'beta');
    expect(Math.abs(apart(report) - apart(told))).toBeLessThan(5);
  }, 120_000);
});

describe('a recording of a node that had it otherwise', () => {
  it('ends the replay where an invariant breaks', async () => {
    const start = readRecorded(readFileSync(of('beta'), 'utf8').split('\n')[0]!) as RecordingStart;
    const [stationary] = start.cluster.nodes.find(({ name }) => name === 'alpha')!.nets[0]!.addresses;
    const { family, address: local, prefixLength } = stationary!;
    // Beta's kernel shows an address of alpha's from some moment on.
    let observed = 0;
    const told = files.map((path, i) =>
      altered(path, `stray-${i}.jsonl`, (line) => {
        if (!path.includes('beta-') || 'recording' in line || line.input.kind !== 'host-observed') return line;
        if (++observed < 5) return line;
        const stray = { family, local, prefixLength, scope: 0, flags: 0 };
        const nics = line.input.nics.map((nic) => ({ ...nic, addresses: [...nic.addresses, stray] }));
        return { ...line, input: { ...line.input, nics } };
      }),
    );
    const report = await replay(told);
    expect(report.violation).toMatchObject({ invariant: 'S3', at: report.endedAt });
    expect(report.violation?.text).toMatch(new RegExp(`${local} of alpha is on beta\\.`));
    expect(report.timeline.every(({ at }) => at <= report.endedAt)).toBe(true);
  });
});

describe('what recordings tell', () => {
  it('is named: ports of switches, wires and disks are not in them', async () => {
    const { invariants } = await replay([of('alpha')], { untilMs: 100 });
    expect(invariants).toEqual(['L6', 'S1', 'S3', 'S4', 'S5', 'S6', 'S7', 'S9', 'S11', 'S12', 'S13']);
  });
});

describe('what cannot be replayed', () => {
  const line = (path: string, change: object): string =>
    altered(path, 'odd.jsonl', (one) => ('recording' in one ? { ...one, ...change } : one));

  it.each<[string, (path: string) => string[], RegExp]>([
    ['of another format', (path) => [line(path, { recording: 2 })], /in format 2; this baton reads format 1/],
    ['named twice', (path) => [path, path], /are the same recording; name it once/],
    [
      'of a cluster file without that node',
      (path) => [line(path, { node: 'omega' })],
      /node omega is not in the cluster file/,
    ],
    ['whose start is not whole', (path) => [line(path, { keys: undefined })], /its start is not whole/],
  ])('one %s is named as such', async (_, wrong, message) => {
    await expect(replay(wrong(of('alpha')))).rejects.toThrow(message);
  });

  it('recordings of two clusters', async () => {
    const other = altered(of('beta'), 'other.jsonl', (one) =>
      'recording' in one ? { ...one, cluster: { ...one.cluster, name: 'other' } } : one,
    );
    await expect(replay([of('alpha'), other])).rejects.toThrow(
      /is of cluster other, .* of cluster drill; replay each by itself/,
    );
  });

  it('recordings whose nodes heard nothing of each other, and that no clock joins', async () => {
    const short = files.map((path, i) => {
      const to = altered(path, `short-${i}.jsonl`, (one) => ({ ...one, commonAt: undefined }));
      writeFileSync(to, readFileSync(to, 'utf8').split('\n').slice(0, 5).join('\n') + '\n');
      return to;
    });
    await expect(replay(short)).rejects.toThrow(/heard no beat of each other meanwhile; replay it by itself/);
  });

  it('a line in the middle that is damaged', async () => {
    const to = join(folder, 'damaged.jsonl');
    const lines = readFileSync(of('alpha'), 'utf8').split('\n');
    lines[3] = lines[3]!.slice(0, 40);
    writeFileSync(to, lines.join('\n'));
    await expect(replay([to])).rejects.toThrow(/damaged\.jsonl:4: not a line of a recording/);
  });
});

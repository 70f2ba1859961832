import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cipherWith } from '../../drivers/cipher.js';
import { sealWith } from '../../drivers/seal.js';
import { folderOf } from '../../drivers/namespaces/names.js';
import { NamespacesLab, refusal } from '../../drivers/namespaces/lab.js';
import { KeyedCalls, readRecorded, writeRecorded } from '../../src/daemon/recording.js';
import { parseScenario } from '../../src/drill/load.js';
import { replay } from '../../src/drill/replay/replay.js';
import { KEY_ID } from '../no-cipher.js';

const folder = mkdtempSync(join(tmpdir(), 'baton-recording-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a recorded line', () => {
  it('keeps bytes', () => {
    const input = {
      at: 1.5,
      input: { kind: 'frame-received' as const, nic: 'eth0', bytes: new Uint8Array([0, 255, 16]) },
    };
    expect(readRecorded(writeRecorded(input).trim())).toEqual(input);
  });
});

describe('what functions with a key said', () => {
  it('is taken call by call, once', () => {
    const calls = new KeyedCalls();
    const seal = calls.seal(sealWith(new Uint8Array(32)));
    const cipher = calls.cipher(cipherWith(new Uint8Array(32)));
    const none = new Uint8Array(0);
    const sealed = cipher.seal('a', 1, new Uint8Array([1, 2]), none, KEY_ID);
    expect(calls.take()).toEqual({});
    expect(cipher.open('a', 2, sealed, none, KEY_ID)).toBeNull();
    expect(cipher.open('a', 1, sealed, none, KEY_ID)).toEqual(new Uint8Array([1, 2]));
    expect(seal(none, KEY_ID)).toHaveLength(16);
    expect(calls.take()).toEqual({ seals: [expect.stringMatching(/^[0-9a-f]{32}$/)], opened: [null, '0102'] });
    expect(calls.take()).toEqual({});
  });
});

describe('what is no recording', () => {
  it.each([
    ['an empty file', '', /is empty/],
    ['other JSON', '{"a":1}\n', /is not a recording of baton/],
    ['no JSON', 'hello\n', /:1: not a line of a recording/],
  ])('%s is named as such', async (_, text, message) => {
    const path = join(folder, 'wrong.jsonl');
    writeFileSync(path, text);
    await expect(replay([path])).rejects.toThrow(message);
  });

  it('a file that does not exist', async () => {
    await expect(replay([join(folder, 'none.jsonl')])).rejects.toThrow(/ENOENT/);
  });
});

const scenario = parseScenario(
  `
title: recorded
topology:
  switches: [left, right]
  trunks: [left-right]
  nodes: { alpha: { eth0: left, eth1: right }, beta: { eth0: left, eth1: right } }
  clients: { client: { switch: left, addresses: [10.77.0.254/24] } }
cluster:
  timing: fast
  record: true
  nets: { public: { heartbeat: public, targets: [10.77.0.254], upDelay: 200ms } }
  nodes:
    alpha: { public: { primary: eth0, standby: [eth1], address: [10.77.0.1/24, 'fd77::1/64'] } }
    beta: { public: { primary: eth0, standby: [eth1], address: [10.77.0.2/24, 'fd77::2/64'] } }
  quorum: none
steps: []
until: 1s
`,
  'recorded.yaml',
);

const reason = refusal();

describe.skipIf(reason !== null)(`a recording made on the kernel ${reason ?? ''}`, () => {
  const lab = new NamespacesLab();
  let recording = '';

  beforeAll(async () => {
    const cut = { fault: 'cut', at: { node: 'alpha', nic: 'eth0' } } as const;
    await lab.build(scenario);
    await lab.startDaemon('alpha');
    await lab.startDaemon('beta');
    lab.begin();
    const on = (nic: string) => async () =>
      (await lab.truth('alpha')).addresses[nic]?.includes('10.77.0.1/24') ?? false;
    await vi.waitUntil(async () => (await lab.status('alpha'))?.nics.every((nic) => nic.health === 'up'), {
      timeout: 15_000,
    });
    await lab.inflict(cut);
    await vi.waitUntil(on('eth1'), { timeout: 15_000 });
    await lab.heal(cut);
    await vi.waitUntil(on('eth0'), { timeout: 15_000 });
    await lab.inflict({ fault: 'stop', node: 'alpha' });
    const state = join(folderOf(lab.namespaceOf('').slice(0, -1)), 'alpha', 'state');
    const file = readdirSync(state).find((name) => name.startsWith('recording-'))!;
    recording = join(folder, 'alpha.jsonl');
    writeFileSync(recording, readFileSync(join(state, file)));
  });
  afterAll(() => lab.destroy());

  it('replays to the same journal, byte for byte', async () => {
    const report = await replay([recording]);
    expect(report.violation).toBeUndefined();
    expect(report.recordings[0]!.differs).toBeUndefined();
    expect(report.recordings[0]!.inputs).toBeGreaterThan(100);
    expect(report.timeline.map(({ entry }) => entry.event)).toEqual(
      expect.arrayContaining(['switch-started', 'switch-done', 'nic-health']),
    );
  });

  it('replays up to a last line that was cut short, and says so', async () => {
    const cut = join(folder, 'cut.jsonl');
    writeFileSync(cut, readFileSync(recording, 'utf8').slice(0, -20));
    expect((await replay([cut])).recordings).toMatchObject([{ cutShort: true, node: 'alpha' }]);
  });

  it('has what heartbeats said, and heard peers by it', async () => {
    expect(readFileSync(recording, 'utf8')).toMatch(/"kind":"datagram-received".*"opened":\["[0-9a-f]{40}/);
    const { timeline } = await replay([recording]);
    const events = timeline.filter(({ entry }) => entry.event === 'peer-health');
    expect(events.map(({ entry: { peer, to } }) => `${peer} ${to}`)).toContain('beta alive');
  });

  it('holds no key', () => {
    const key = readFileSync(join(folderOf(lab.namespaceOf('').slice(0, -1)), 'alpha', 'cluster.key'), 'utf8').trim();
    expect(readFileSync(recording, 'utf8')).not.toContain(key);
  });

  it('shows where a machine that decides otherwise parts from it', async () => {
    const changed = join(folder, 'changed.jsonl');
    writeFileSync(changed, readFileSync(recording, 'utf8').replace('"state":"down"', '"state":"up"'));
    expect((await replay([changed])).recordings[0]!.differs).toBeDefined();
  });
});

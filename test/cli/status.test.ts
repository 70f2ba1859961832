import { expect, test } from 'vitest';
import { eventText, evidenceText } from '../../src/cli/output/events-text.js';
import { linksText, matrices, matrixText } from '../../src/cli/output/links-text.js';
import { colour, paintFor, plain } from '../../src/cli/output/paint.js';
import { degradations, statusDocument } from '../../src/cli/output/status-document.js';
import { statusText } from '../../src/cli/output/status-text.js';
import { table, widthOf } from '../../src/cli/output/table.js';
import { count, span } from '../../src/cli/output/words.js';
import type { DaemonStatus } from '../../src/client/document.js';
import { bareStatus } from './bare-status.js';

const daemon: DaemonStatus = {
  version: '0.1.0',
  pid: 4711,
  uptimeMs: 3_725_000,
  lateness: { p99Ms: 0.31, maxMs: 2.04 },
  shadow: false,
  inputs: 99,
  status: {
    ...bareStatus,
    now: 100_000,
    alarms: [{ since: 88_000, what: 'standby-unfit', text: 'eth2 has MTU 1400, eth0 has 1500' }],
    nics: [
      {
        name: 'eth0',
        net: 'public',
        role: 'primary',
        health: 'down',
        reason: 'carrier',
        since: 97_700,
        carrying: [],
        poller: false,
        rxPackets: 1_234_567,
        txPackets: 89,
        hears: {},
        heardBy: {},
        targets: { '10.77.0.254': { answers: false, agoMs: 2400 } },
      },
      {
        name: 'eth1',
        net: 'public',
        role: 'standby',
        health: 'up',
        since: 40_000,
        carrying: ['10.77.0.1/24', 'fd77::1/64'],
        poller: true,
        rxPackets: 1000,
        txPackets: 1000,
        hears: { 'beta/eth0': 120 },
        heardBy: { 'beta/eth0': 130 },
        targets: { '10.77.0.254': { answers: true, agoMs: 40 } },
        ready: { ok: true, why: [] },
        locked: { owner: 'ann', reason: 'cable work', until: 160_000 },
      },
    ],
    nets: [
      {
        name: 'public',
        polling: 'full',
        carrier: 'eth1',
        switching: false,
        switches: 1,
        hearing: [
          { from: 'beta/eth0', to: 'alpha/eth1', agoMs: 120 },
          { from: 'alpha/eth1', to: 'beta/eth0', agoMs: 130 },
        ],
      },
    ],
    dropped: { 'foreign-cluster': 3 },
  },
};

test('the text, as a golden page', () => {
  expect(statusText(daemon, plain).join('\n')).toMatchInlineSnapshot(`
    "cluster shop, node alpha
    batond 0.1.0, up 1 h 2 min; woke late by 0.3 ms (p99), 2.0 ms (max)

    1 ALARM
       FOR  WHAT
      12 s  standby-unfit  eth2 has MTU 1400, eth0 has 1500

    NET     NIC   ROLE     HEALTH        SINCE   RECEIVED   SENT  CARRIES                  NOTES
    public  eth0  primary  down carrier    2 s  1 234 567     89  -                        target 10.77.0.254 is silent
            eth1  standby  up            1 min      1 000  1 000  10.77.0.1/24 fd77::1/64  locked by ann (cable work, 1 min left), ready, target 10.77.0.254 answers, polls

    NET     CARRIED BY  POLLING  SWITCHES
    public  eth1        full            1"
  `);
});

test('on a narrow terminal the notes stand below each NIC, and what other nodes do wrong is told', () => {
  const narrow = structuredClone(daemon);
  narrow.status.dropped = { 'poll-seal': 1200, 'poll-foreign-incarnation': 3, 'poll-stale': 9 };
  const lines = statusText(narrow, plain, 80);
  expect(lines.slice(6).join('\n')).toMatchInlineSnapshot(`
    "
    NET     NIC   ROLE     HEALTH        SINCE   RECEIVED   SENT  CARRIES
    public  eth0  primary  down carrier    2 s  1 234 567     89  -
              target 10.77.0.254 is silent
            eth1  standby  up            1 min      1 000  1 000  10.77.0.1/24 fd77::1/64
              locked by ann (cable work, 1 min left), ready, target 10.77.0.254 answers, polls

    NET     CARRIED BY  POLLING  SWITCHES
    public  eth1        full            1

    poll frames ignored: 3 of another node with this node's name, 1 200 sealed with another key; ask baton doctor what to do"
  `);
});

test('the links, as a golden page', () => {
  expect(linksText(daemon, plain).join('\n')).toMatchInlineSnapshot(`
    "eth0  primary of public, down carrier for 2 s
      carries   nothing
      received  1 234 567, sent 89
      hears     nobody
      heard by  nobody
      target    10.77.0.254 is silent, last 2 s ago

    eth1  standby of public, up for 1 min, polls
      carries   10.77.0.1/24 fd77::1/64
      received  1 000, sent 1 000
      hears     beta/eth0 120 ms ago
      heard by  beta/eth0 130 ms ago
      target    10.77.0.254 answers, last 40 ms ago
      ready     yes
      locked    by ann: cable work"
  `);
});

test('the matrix: a NIC of the file that nobody heard has its row', () => {
  const [matrix] = matrices(daemon, { public: ['alpha/eth0', 'alpha/eth1', 'beta/eth0', 'beta/eth1'] });
  expect(matrix?.suspicions.map(({ what, nics }) => `${what} ${nics.join()}`)).toEqual([
    'silent alpha/eth0',
    'silent beta/eth1',
  ]);
  expect(matrixText(matrix!, plain).join('\n')).toMatchInlineSnapshot(`
    "net public, full polling
    sends ↓ hears →  alpha/eth0  alpha/eth1  beta/eth0  beta/eth1
    alpha/eth0                -         not        not        not
    alpha/eth1              not           -     130 ms        not
    beta/eth0               not      120 ms          -        not
    beta/eth1               not         not        not          -
    alpha/eth0 neither hears nor is heard: the NIC, its cable or its switch port
    beta/eth1 neither hears nor is heard: the NIC, its cable or its switch port"
  `);
});

test('in light polling nobody is accused', () => {
  const light = structuredClone(daemon);
  light.status.nets[0]!.polling = 'light';
  expect(matrices(light)[0]?.suspicions).toEqual([]);
});

test('the document keeps every field of DESIGN 12', () => {
  const document = statusDocument(daemon, Date.parse('2026-01-01T00:01:40Z'));
  expect(document).toMatchObject({
    cluster: 'shop',
    node: 'alpha',
    coordinator: null,
    term: null,
    quorum: null,
    alarms: [{ since: '2026-01-01T00:01:28.000Z', what: 'standby-unfit', text: 'eth2 has MTU 1400, eth0 has 1500' }],
    lease: { leftMs: null },
    gate: 'off',
    lateness: { p99Ms: 0.3, maxMs: 2 },
    packages: [],
    nodes: [
      {
        name: 'alpha',
        state: 'alive',
        role: 'idle',
        paths: [],
        nics: [
          {
            name: 'eth0',
            net: 'public',
            role: 'primary',
            health: 'down',
            reason: 'carrier',
            carrying: [],
            ready: null,
          },
          {
            name: 'eth1',
            role: 'standby',
            health: 'up',
            reason: null,
            carrying: ['10.77.0.1/24', 'fd77::1/64'],
            ready: { ok: true, why: [] },
            locked: { owner: 'ann', reason: 'cable work', until: '2026-01-01T00:02:40.000Z' },
          },
        ],
      },
    ],
  });
  expect(JSON.parse(JSON.stringify(document))).toEqual(document);
});

test('degraded: alarms, NICs that are not up, addresses away from home', () => {
  expect(degradations(daemon)).toEqual([
    'eth2 has MTU 1400, eth0 has 1500',
    'eth0 is down carrier',
    'net public is carried by eth1, its standby',
  ]);
});

test('an event is one line', () => {
  const text = eventText(
    {
      node: 'alpha',
      time: '2026-01-01T00:00:00.000Z',
      at: 1,
      event: 'nic-health',
      net: 'public',
      nic: 'eth0',
      from: 'up',
      to: 'down carrier',
      cause: 'carrier lost',
      evidence: { carrierChanges: 3 },
    },
    plain,
  );
  expect(text).toBe(
    '2026-01-01T00:00:00.000Z alpha nic-health      public eth0: up → down carrier (carrier lost; carrierChanges 3)',
  );
});

test('evidence is read by people: no brackets, no fractions of a microsecond', () => {
  const evidence = { hears: ['beta/eth0', 'beta/eth1'], heardBy: [], agoMs: 52.09026800002903, at: { nic: 'eth0' } };
  expect(evidenceText(evidence)).toBe('hears beta/eth0 beta/eth1, heardBy none, agoMs 52.09, at {"nic":"eth0"}');
});

test('colour on terminals only', () => {
  expect(paintFor({ isTTY: true }, {})).toBe(colour);
  expect(paintFor({ isTTY: true }, { NO_COLOR: '1' })).toBe(plain);
  expect(paintFor({}, {})).toBe(plain);
});

test('columns are aligned whatever the colour', () => {
  const lines = table(
    [{ title: 'A' }, { title: 'B', align: 'right' }],
    [
      [colour.bad('xyz'), '1'],
      ['x', '22'],
    ],
  );
  expect(lines.map(widthOf)).toEqual([7, 7, 7]);
});

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [61_000, '1 min 1 s'],
  [3_725_000, '1 h 2 min'],
  [90_000_000, '1 d 1 h'],
])('%i ms reads %s', (ms, text) => {
  expect(span(ms)).toBe(text);
});

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1 000'],
  [1_234_567, '1 234 567'],
])('%i reads %s', (value, text) => {
  expect(count(value)).toBe(text);
});

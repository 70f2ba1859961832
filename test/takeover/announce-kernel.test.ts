/** Do real neighbour tables learn from our announcements, at once and against a fresh entry? */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { encodeArp, gratuitousReply, gratuitousRequest } from '../../src/frame/arp.js';
import { encodeEthernet, ETHERTYPE_ARP } from '../../src/frame/ethernet.js';
import { unsolicitedAdvertisement } from '../../src/frame/ndp.js';

const OLD = '02:00:00:00:00:aa';
const NEW = '02:00:00:00:00:bb';
const HOST = `bt-ann-${process.pid}-host`;
const CLIENT = `bt-ann-${process.pid}-client`;

function run(command: string, ...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stderr}`);
  return stdout;
}

const HEARD_WITHIN_MS = 500;

const SEND = 'import socket, sys; s = socket.socket(17, 3); s.bind(("eth0", 0)); s.send(bytes.fromhex(sys.argv[1]))';

/** What the client believes after it heard the frame while its entry was fresh. */
async function learns(address: string, frame: Uint8Array): Promise<string> {
  run('ip', '-n', CLIENT, 'neigh', 'replace', address, 'lladdr', OLD, 'dev', 'eth0', 'nud', 'reachable');
  run('ip', 'netns', 'exec', HOST, 'python3', '-c', SEND, Buffer.from(frame).toString('hex'));
  await vi
    .waitUntil(() => believed(address) !== OLD, { timeout: HEARD_WITHIN_MS, interval: 20 })
    .catch(() => undefined);
  return believed(address);
}

function believed(address: string): string {
  const [entry] = JSON.parse(run('ip', '-n', CLIENT, '-j', 'neigh', 'show', address, 'dev', 'eth0')) as {
    lladdr: string;
  }[];
  return entry?.lladdr ?? '';
}

const cannot = process.getuid?.() !== 0 || spawnSync('python3', ['--version']).status !== 0;

describe.skipIf(cannot)('announcements at a Linux client (needs root for namespaces, and python3)', () => {
  beforeAll(() => {
    run('ip', 'netns', 'add', HOST);
    run('ip', 'netns', 'add', CLIENT);
    run('ip', 'link', 'add', 'eth0', 'netns', HOST, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', CLIENT);
    run('ip', '-n', HOST, 'link', 'set', 'eth0', 'up');
    run('ip', '-n', CLIENT, 'link', 'set', 'eth0', 'up');
    run('ip', '-n', CLIENT, 'addr', 'add', '10.77.0.9/24', 'dev', 'eth0');
    run('ip', '-n', CLIENT, 'addr', 'add', 'fd77::9/64', 'dev', 'eth0', 'nodad');
    // Its entries stay fresh for a minute (in hundredths of a second), so that a slow machine asks the same.
    run('ip', 'netns', 'exec', CLIENT, 'sh', '-c', 'echo 6000 > /proc/sys/net/ipv4/neigh/eth0/locktime');
  });

  afterAll(() => {
    for (const name of [HOST, CLIENT]) spawnSync('ip', ['netns', 'del', name]);
  });

  test('ARP in request form', async () => {
    expect(await learns('10.77.0.1', gratuitousRequest(NEW, '10.77.0.1'))).toBe(NEW);
  });

  test('ARP in reply form', async () => {
    expect(await learns('10.77.0.1', gratuitousReply(NEW, '10.77.0.1'))).toBe(NEW);
  });

  test('neighbour advertisement', async () => {
    expect(await learns('fd77::1', unsolicitedAdvertisement(NEW, 'fd77::1', false))).toBe(NEW);
  });

  test.each(['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff'])(
    'a reply with target %s is what we must not send: not learnt',
    async (tha) => {
      const payload = encodeArp({ op: 'reply', sha: NEW, spa: '10.77.0.1', tha, tpa: '10.77.0.1' });
      const frame = encodeEthernet({
        destination: 'ff:ff:ff:ff:ff:ff',
        source: NEW,
        etherType: ETHERTYPE_ARP,
        payload,
      });
      expect(await learns('10.77.0.1', frame)).toBe(OLD);
    },
  );
});

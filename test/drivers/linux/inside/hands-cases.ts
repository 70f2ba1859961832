/** What hands.test.ts has done inside a namespace. Each builds what it needs, and tells what happened. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync, statSync, writeFileSync, mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Step } from '../../../../src/action.js';
import { HandsThread } from '../../../../drivers/linux/hands.js';
import type { FromHands } from '../../../../drivers/linux/hands-port.js';
import { Memberships } from '../../../../drivers/linux/multicast.js';
import { readRecords } from '../../../../drivers/linux/run-directory.js';
import { address, Bench, buildNics, ip, route, sleep, switchSteps } from './hands.js';

const tables = () =>
  ['-4', '-6']
    .flatMap((f) => ip(`${f} route show table all`).split('\n'))
    .filter((l) => /static/.test(l))
    .sort();
const addressesOf = (nic: string) => ip(`-o addr show dev ${nic} scope global`).match(/inet6? \S+/g) ?? [];
const texts = (seen: { addresses: { local: string }[] }) =>
  seen.addresses.map(({ local }) => local).filter((t) => !t.startsWith('fe80'));

export async function firstLook() {
  buildNics();
  ip('link add br0 type bridge');
  ip('link set eth1 master br0');
  ip('link add mv0 link eth0 type macvlan');
  ip('neigh add 10.7.0.254 lladdr 02:00:00:00:00:fe dev eth0 nud reachable');
  ip('neigh add 10.7.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud stale');
  ip('neigh add 10.7.0.10 lladdr 02:00:00:00:00:0a dev eth0 nud reachable');
  ip('neigh add 10.7.0.11 lladdr 02:00:00:00:00:0b dev eth0 nud permanent');
  const runDir = mkdtempSync(join(tmpdir(), 'bt-hands-'));
  writeFileSync(join(runDir, 'switch.json'), '{"net":"public"}');
  writeFileSync(join(runDir, 'ledger.json'), '{"cut off');
  const bench = new Bench(['eth0', 'eth1', 'eth9'], ['10.7.0.9'], runDir);
  const look = await bench.until((said) => said.kind === 'host-observed' && said);
  const started = bench.said[0];
  const threads = readdirSync('/proc/self/task').map((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim());
  await bench.end();
  return { started, look, threads };
}

export async function wholeSwitch() {
  buildNics();
  const bench = new Bench(['eth0', 'eth1']);
  await bench.until((said) => said.kind === 'host-observed' && said);
  const before = tables();
  const { steps, undo } = switchSteps('eth0', 'eth1');
  const { said, tookMs } = await bench.change(7, steps, undo, { switch: { id: 7 }, ledger: ['x'] });
  const after = tables();
  const seen = (await bench.observed('eth1', (each) => texts(each).length === 2)).seen;
  const order = bench.said.map(({ kind }) => kind);
  const files = readdirSync(bench.runDir).map((name) => [name, statSync(join(bench.runDir, name)).mode & 0o777]);
  const records = readRecords(bench.runDir);
  const again = await bench.change(8, steps, undo);
  bench.post({ kind: 'persist', record: { switch: null } });
  bench.post({ kind: 'settle', id: 3 });
  await bench.until((each) => each.kind === 'settled' && each.id === 3 && each);
  const left = readRecords(bench.runDir);
  const addresses = { eth0: addressesOf('eth0'), eth1: addressesOf('eth1') };
  await bench.end();
  return { said, tookMs, before, after, seen, order, files, records, again: again.said, left, addresses };
}

/** A switch there and back, many times: milliseconds from order to answer, as the engine sees them. */
export async function latency(rounds: number) {
  buildNics();
  const bench = new Bench(['eth0', 'eth1']);
  await bench.until((said) => said.kind === 'host-observed' && said);
  await sleep(300);
  const switches: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const { steps, undo } = i % 2 ? switchSteps('eth1', 'eth0') : switchSteps('eth0', 'eth1');
    switches.push((await bench.change(i, steps, undo, { switch: { steps } })).tookMs);
    await sleep(5);
  }
  const news: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const from = bench.said.length;
    ip(`addr ${i % 2 ? 'del' : 'add'} 10.8.0.1/32 dev eth1`);
    const begin = performance.now();
    const said = await bench.observed('eth1', (seen) => texts(seen).includes('10.8.0.1') === (i % 2 === 0), from);
    news.push(said.at - begin);
  }
  await bench.end();
  return { switches, news };
}

export async function failures() {
  buildNics();
  const bench = new Bench(['eth0', 'eth1']);
  await bench.until((said) => said.kind === 'host-observed' && said);
  const before = [...tables(), ...addressesOf('eth0'), ...addressesOf('eth1')];
  const { steps, undo } = switchSteps('eth0', 'eth1');
  const bad: Step = { do: 'replace-route', route: route('10.66.0.0/16', 'eth1', { gateway: '192.0.2.1' }) };
  const none: Step = { do: 'delete-address', nic: 'eth1', address: address('10.99.0.1/32') };
  const rolledBack = await bench.change(1, [...steps, bad], [...undo, none]);
  const after = [...tables(), ...addressesOf('eth0'), ...addressesOf('eth1')];
  const extra: Step = { do: 'add-address', nic: 'eth1', address: address('10.55.0.1/32') };
  const noUndo = await bench.change(2, [extra, bad]);
  const stuck = await bench.change(3, [extra, bad], [bad, none]);
  const nonsense = await bench.change(4, [
    { do: 'levitate' } as unknown as Step,
    { do: 'add-address' } as unknown as Step,
  ]);
  const badText = await bench.change(5, [{ do: 'add-address', nic: 'eth1', address: address('bogus/24') }]);
  const sysctl = await bench.change(6, [
    { do: 'set-sysctl', nic: 'eth1', name: 'ipv4/conf/eth1/arp_ignore', value: '1' },
    { do: 'set-sysctl', nic: 'eth1', name: 'ipv4/ip_forward', value: '1' },
  ]);
  const noFile = await bench.change(7, [{ do: 'set-sysctl', nic: 'eth1', name: 'ipv4/conf/eth1/nothing', value: '1' }]);
  const seen = await bench.observed('eth1', ({ settings }) => settings['ipv4/conf/{nic}/arp_ignore'] === '1');
  mkdirSync(join(bench.runDir, 'ledger.json'));
  const noRecord = await bench.change(8, [none], undefined, { ledger: {} });
  const note = await bench.until((said) => said.kind === 'noted' && said);
  await bench.end();
  const words = [rolledBack, noUndo, stuck, nonsense, badText, sysctl, noFile, noRecord].map(({ said }) => said);
  return { before, after, words, arpIgnore: seen.seen.settings['ipv4/conf/{nic}/arp_ignore'], note };
}

/** What others do to the NICs, and whether it was seen; with the milliseconds. */
export async function strangers() {
  buildNics();
  const bench = new Bench(['eth0', 'eth1']);
  await bench.until((said) => said.kind === 'host-observed' && said);
  const took: Record<string, number> = {};
  const seenAfter = async (what: string, line: string, nic: string, fits: Parameters<Bench['observed']>[1]) => {
    const from = bench.said.length;
    ip(line);
    const begin = performance.now();
    took[what] = (await bench.observed(nic, fits, from)).at - begin;
  };
  await seenAfter(
    'address removed',
    'addr del 10.7.0.1/24 dev eth0',
    'eth0',
    (seen) => !texts(seen).includes('10.7.0.1'),
  );
  await seenAfter(
    'its routes',
    'addr add 10.7.0.1/24 dev eth0',
    'eth0',
    ({ routes }) => routes.filter((r) => r.family === 4).length === 1,
  );
  await seenAfter('route added', 'route add 10.99.0.0/16 via 10.7.0.254', 'eth0', ({ routes }) =>
    routes.some((r) => r.destination === '10.99.0.0/16'),
  );
  await seenAfter('set down', 'link set eth0 down', 'eth0', ({ admin, routes }) => !admin && routes.length === 0);
  await seenAfter('set up', 'link set eth0 up', 'eth0', ({ admin, routes }) => admin && routes.length > 0);
  await seenAfter('no carrier', 'link set p-eth0 down', 'eth0', ({ carrier }) => !carrier);
  await seenAfter('carrier', 'link set p-eth0 up', 'eth0', ({ carrier }) => carrier);
  ip('link add br0 type bridge');
  await seenAfter(
    'enslaved',
    'link set eth0 master br0',
    'eth0',
    ({ master, masterKind }) => master === 'br0' && masterKind === 'bridge',
  );
  await seenAfter('freed', 'link set eth0 nomaster', 'eth0', ({ master }) => master === undefined);
  await seenAfter('macvlan', 'link add mv0 link eth0 type macvlan', 'eth0', ({ children }) => children[0] === 'mv0');
  await seenAfter(
    'gateway learnt',
    'neigh add 10.7.0.254 lladdr 02:00:00:00:00:fe dev eth0 nud permanent',
    'eth0',
    ({ neighbours }) => neighbours.some((n) => n.address === '10.7.0.254'),
  );
  let from = bench.said.length;
  ip('link set eth0 name other0');
  await bench.missing('eth0', from);
  await seenAfter(
    'renamed back',
    'link set other0 name eth0',
    'eth0',
    ({ nic, addresses }) => nic === 'eth0' && addresses.length > 0,
  );
  from = bench.said.length;
  ip('link del eth0');
  await bench.missing('eth0', from);
  await seenAfter(
    'made anew',
    'link add eth0 index 4000 type veth peer name p-eth0',
    'eth0',
    ({ ifindex }) => ifindex === 4000,
  );
  from = bench.said.length;
  execFileSync('ip', ['-batch', '-'], {
    input:
      'link del eth0\nlink add eth0 index 4000 type veth peer name p-eth0\nlink set eth0 up\naddr add 10.7.0.5/24 dev eth0\n',
  });
  const twin = await bench.observed('eth0', (seen) => texts(seen)[0] === '10.7.0.5', from);
  await bench.end();
  return { took, twin: twin.seen };
}

export async function groups() {
  buildNics();
  const bench = new Bench(['eth0', 'eth1']);
  await bench.until((said) => said.kind === 'host-observed' && said);
  const receiver = new Memberships();
  const eth0 = Number(readFileSync('/sys/class/net/eth0/ifindex', 'utf8'));
  receiver.join(eth0, '239.7.7.7');
  receiver.join(eth0, 'ff15::77');
  const joined = (await bench.observed('eth0', (seen) => seen.groups.length === 2)).seen.groups;
  const many = Array.from({ length: 50 }, (_, i) => `239.1.1.${i}`);
  const steps = [...many, 'ff15::77'].map((group): Step => ({ do: 'join-group', nic: 'eth1', group }));
  const { said } = await bench.change(1, [...steps, ...steps]);
  const moved = (await bench.observed('eth1', (seen) => seen.groups.length === 51)).seen.groups;
  const from = bench.said.length;
  await bench.change(
    2,
    steps.map((step) => ({ ...step, do: 'leave-group' }) as Step),
  );
  const left = (await bench.observed('eth1', (seen) => seen.groups.length === 0, from)).seen.groups;
  receiver.close();
  await bench.end();
  return { joined, said, moved: moved.length, left };
}

/** Sysctls: what the kernel tells at once, and what has to be looked for. */
export async function sysctls() {
  buildNics();
  const bench = new Bench(['eth0', 'eth1']);
  await bench.until((said) => said.kind === 'host-observed' && said);
  const value = async (name: string, setting: string) => {
    const from = bench.said.length;
    execFileSync('sysctl', ['-qw', `net.ipv4.conf.eth0.${name}=2`]);
    const begin = performance.now();
    return (await bench.observed('eth0', ({ settings }) => settings[setting] === '2', from)).at - begin;
  };
  const rpFilter = await value('rp_filter', 'ipv4/conf/{nic}/rp_filter');
  const arpIgnore = await value('arp_ignore', 'ipv4/conf/{nic}/arp_ignore');
  await bench.end();
  return { rpFilter, arpIgnore };
}

/** The gateway's entry changes its state without end: that is no news. */
export async function quiet() {
  buildNics();
  const bench = new Bench(['eth0', 'eth1']);
  await bench.until((said) => said.kind === 'host-observed' && said);
  ip('neigh replace 10.7.0.254 lladdr 02:00:00:00:00:fe dev eth0 nud reachable');
  await bench.observed('eth0', ({ neighbours }) => neighbours.length === 1);
  await sleep(50);
  const before = bench.said.length;
  for (const state of ['stale', 'delay', 'probe', 'reachable', 'stale'])
    ip(`neigh replace 10.7.0.254 lladdr 02:00:00:00:00:fe dev eth0 nud ${state}`);
  ip('link add foreign0 type veth peer name foreign1');
  ip('link set foreign0 up');
  ip('addr add 10.250.0.1/24 dev foreign0');
  await sleep(1500);
  const said = bench.said.slice(before).filter(({ kind }) => kind === 'host-observed').length;
  await bench.end();
  return { said };
}

/** News overflow a socket without room while the thread does not read: nothing is missed in the end. */
export async function overflow() {
  buildNics();
  const said: FromHands[] = [];
  const runDir = mkdtempSync(join(tmpdir(), 'bt-hands-'));
  new HandsThread({ nics: ['eth0'], peers: [], settings: [], runDir }, (message) => said.push(message), 1);
  const lines = Array.from({ length: 600 }, (_, i) => `addr add 10.30.${i >> 8}.${i & 255}/32 dev eth0\n`);
  execFileSync('ip', ['-batch', '-'], { input: lines.join('') });
  await sleep(1000);
  rmSync(runDir, { recursive: true });
  const last = said.at(-1);
  return last?.kind === 'host-observed' ? last.nics[0]?.addresses.length : undefined;
}

/** Hundreds of links go away while a switch is made. */
export async function rtnlBusy(count: number) {
  buildNics();
  const foreign = (i: number) =>
    `link add name f${i} group 7 type veth peer name g${i}\nlink set f${i} up\nlink set g${i} up\n`;
  execFileSync('ip', ['-batch', '-'], { input: Array.from({ length: count }, (_, i) => foreign(i)).join('') });
  const bench = new Bench(['eth0', 'eth1']);
  await bench.until((said) => said.kind === 'host-observed' && said);
  const before = tables();
  const begin = performance.now();
  // In one request, so that rtnl is held as long as it takes.
  const deleting = spawn('ip', ['link', 'del', 'group', '7'], { stdio: 'ignore' });
  const deleted = new Promise<number>((resolve) => deleting.on('close', () => resolve(performance.now() - begin)));
  const took: number[] = [];
  for (let i = 0; i < 10; i++) {
    const { steps, undo } = i % 2 ? switchSteps('eth1', 'eth0') : switchSteps('eth0', 'eth1');
    const { said, tookMs } = await bench.change(i, steps, undo);
    if (said.kind === 'host-changed' && said.failed) throw new Error(JSON.stringify(said));
    took.push(tookMs);
    await sleep(10);
  }
  const heldMs = await deleted;
  const from = bench.said.length;
  bench.post({ kind: 'observe', nics: ['eth0'] });
  const { seen } = await bench.observed('eth0', () => true, from);
  const after = tables();
  await bench.end();
  return { took, heldMs, before, after, seen: texts(seen), links: Number(ip('-o link').split('\n').length) };
}

const ADDRESSES = 400;
const manyAddresses = (): Step[] =>
  Array.from({ length: ADDRESSES }, (_, i) => ({
    do: 'add-address',
    nic: 'eth1',
    address: address(`10.40.${i >> 8}.${i & 255}/32`),
  }));

/** In a process of its own: kills itself in the midst of a switch. */
export async function dieWithin(runDir: string) {
  const bench = new Bench(['eth0', 'eth1'], [], runDir);
  await bench.until((said) => said.kind === 'host-observed' && said);
  bench.post({ kind: 'change-host', id: 1, steps: manyAddresses(), record: { switch: { steps: ADDRESSES } } });
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline)
    if (readFileSync('/proc/net/fib_trie', 'latin1').includes('10.40.0.')) process.kill(process.pid, 'SIGKILL');
}

export async function killed() {
  buildNics();
  const runDir = mkdtempSync(join(tmpdir(), 'bt-hands-'));
  const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const args = [
    '--import',
    here('../typescript.js'),
    here('../inside-call.ts'),
    import.meta.url,
    'dieWithin',
    JSON.stringify([runDir]),
  ];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const signal = await new Promise((resolve) => child.on('close', (_code, name) => resolve(name)));
  const there = addressesOf('eth1').length;
  const record = readRecords(runDir);
  const bench = new Bench(['eth0', 'eth1'], [], runDir);
  const started = await bench.until((said) => said.kind === 'started' && said);
  const finish = await bench.change(1, manyAddresses(), undefined, { switch: null });
  const finished = addressesOf('eth1').length;
  await bench.end();
  return { signal, there, record, started, finish: finish.said, finished };
}

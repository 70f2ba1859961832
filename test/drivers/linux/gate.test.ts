/** The gate on the real kernel: node `a` with floating addresses, a client `b` at the other end of the cable. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FromWriter, ToWriter, WriterSetting } from './inside/gate-process.js';
import { ARP, INET } from '../../../drivers/linux/gate/rules.js';
import { macvlanName } from '../../../src/frame/macvlan.js';
import type { Expression } from '../../../drivers/linux/netlink/nftables-expression.js';
import { asRoot, Namespace } from './inside.js';
import { Process } from './process.js';

const WRITER = new URL('./inside/gate-process.ts', import.meta.url);
const DATAGRAMS = new URL('./inside/datagrams.js', import.meta.url);
const V4 = '10.77.9.200';
const V6 = 'fd77:9::200';
const BOTH = [V4, V6];
const TIMEOUT_MS = 180_000;
/** Repetitions of the directed test for each place. */
const TIMES = Number(process.env['BATON_GATE_STOPS'] ?? 10);
/** Least margin that a cluster file may have: the gate itself may be that late. */
const MARGIN_MIN_MS = 15;

type Writer = Process<ToWriter, FromWriter>;
const is =
  <K extends FromWriter['kind']>(kind: K) =>
  (said: FromWriter): said is Extract<FromWriter, { kind: K }> =>
    said.kind === kind;

let a: Namespace;
let b: Namespace;
let processes: { end(): Promise<void> }[];

function build(): void {
  a = new Namespace('gate', 'a');
  b = new Namespace('gate', 'b');
  processes = [];
  execFileSync('ip', ['link', 'add', 'eth0', 'netns', a.name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', b.name]);
  for (const [ns, n] of [
    [a, 1],
    [b, 2],
  ] as const) {
    ns.ip('link set eth0 up');
    ns.ip(`addr add 10.77.9.${n}/24 dev eth0`);
    ns.ip(`addr add fd77:9::${n}/64 dev eth0 nodad`);
  }
}

async function destroy(): Promise<void> {
  await Promise.all(processes.map((each) => each.end()));
  a.remove();
  b.remove();
}

function start<In, Out>(ns: Namespace, program: URL, ...args: string[]): Process<In, Out> {
  const it = new Process<In, Out>(ns, program, ...args);
  processes.push(it);
  return it;
}

type FromDatagrams = { kind: 'ready' } | { kind: 'asked'; sentAt: number[] };

/** When the questions were sent that were answered since the last time. */
type Asker = () => Promise<number[]>;

async function startServer(role: 'echo' | 'pour', addresses = BOTH): Promise<void> {
  const server = start<never, FromDatagrams>(a, DATAGRAMS, role, JSON.stringify(addresses));
  await server.next((said) => said.kind === 'ready');
}

async function startAsker(address: string): Promise<Asker> {
  const asker = start<object, FromDatagrams>(b, DATAGRAMS, 'ask', JSON.stringify(address));
  await asker.next((said) => said.kind === 'ready');
  return async () => {
    asker.send({});
    return (await asker.next((said): said is FromDatagrams & { kind: 'asked' } => said.kind === 'asked')).sentAt;
  };
}

const setting = (given: Partial<WriterSetting> = {}): string =>
  JSON.stringify({ addresses: BOTH, renewLateMaxMs: 20, owned: true, ...given });

async function startWriter(given: Partial<WriterSetting> = {}): Promise<Writer> {
  const writer = start<ToWriter, FromWriter>(a, WRITER, setting(given));
  await writer.next(is('ready'));
  return writer;
}

let ids = 0;
async function write(writer: Writer, held: string[], forMs: number | null) {
  writer.send({ ask: 'write', id: ++ids, held, forMs });
  return writer.next(is('gate-written'));
}

/** The floating addresses, on the node. */
function addAddresses(addresses = BOTH): void {
  for (const address of addresses)
    a.ip(address.includes(':') ? `addr add ${address}/128 dev eth0 nodad` : `addr add ${address}/32 dev eth0`);
}

/** Clients that know the MAC already: what is measured is not how often they ask for it. */
function makeKnown(): void {
  const mac = /link\/ether (\S+)/.exec(a.ip('link show eth0'))![1]!;
  for (const address of BOTH) b.ip(`neigh replace ${address} lladdr ${mac} dev eth0 nud permanent`);
}

/** Does it answer somebody who must first ask for its MAC? */
function answers(address: string, from = b): boolean {
  from.ip('neigh flush dev eth0');
  try {
    from.run('ping', '-c', '2', '-i', '0.05', '-W', '0.3', address);
    return true;
  } catch {
    return false;
  }
}

/** As `nft --debug=netlink` does. It shows a value by words of this machine. */
function asNftShows(expression: Expression): string {
  switch (expression.do) {
    case 'meta':
      return `[ meta load ${{ 1: 'protocol', 7: 'oifname', 15: 'nfproto', 16: 'l4proto' }[expression.key]} => reg 1 ]`;
    case 'payload': {
      const header = ['link', 'network', 'transport'][expression.base];
      return `[ payload load ${expression.length}b @ ${header} header + ${expression.offset} => reg 1 ]`;
    }
    case 'lookup':
      return `[ lookup reg 1 set ${expression.set} 0x${expression.not ? 1 : 0} ]`;
    case 'equal':
      return `[ cmp eq reg 1 ${wordsOf(expression.bytes).join(' ')} ]`;
    case 'type-of-destination':
      return '[ fib daddr type => reg 1 ]';
    case 'count':
      return '[ counter pkts 0 bytes 0 ]';
    case 'drop':
      return '[ immediate reg 0 drop ]';
    case 'other':
      return expression.name;
  }
}

/** In words of four bytes, as numbers of this machine. */
function wordsOf(hex: string): string[] {
  return (hex.match(/.{1,8}/g) ?? []).map((word) => {
    const number = Buffer.from(word.padEnd(8, '0'), 'hex').readUInt32LE();
    return `0x${number.toString(16).padStart(8, '0')}`;
  });
}

const nft = (ns: Namespace, text: string): string => ns.run('nft', text);
function refusalOf(what: () => unknown): string {
  try {
    what();
    return '';
  } catch (error) {
    return String((error as { stderr?: unknown }).stderr ?? error);
  }
}

describe.skipIf(!asRoot)('gate on this kernel (needs root)', { timeout: TIMEOUT_MS }, () => {
  beforeEach(build);
  afterEach(destroy);

  it('is made closed; opens; closes by itself while the daemon is stopped', async () => {
    const writer = await startWriter();
    addAddresses();
    expect(BOTH.map((address) => answers(address))).toEqual([false, false]);
    expect(answers('10.77.9.1') && answers('fd77:9::1')).toBe(true);
    expect((await write(writer, BOTH, 3000)).outcome).toEqual({ ok: true });
    expect(BOTH.map((address) => answers(address))).toEqual([true, true]);
    expect((await write(writer, BOTH, 500)).outcome).toEqual({ ok: true });
    writer.signal('SIGSTOP');
    await sleep(600);
    expect(BOTH.map((address) => answers(address))).toEqual([false, false]);
    writer.signal('SIGCONT');
    expect((await write(writer, BOTH, 3000)).outcome).toEqual({ ok: true });
    expect(BOTH.map((address) => answers(address))).toEqual([true, true]);
    expect((await write(writer, [], null)).outcome).toEqual({ ok: true });
    expect(BOTH.map((address) => answers(address))).toEqual([false, false]);
  });

  it('G1: lets speak only what is held, and answers for neither ARP nor neighbours otherwise', async () => {
    const writer = await startWriter();
    addAddresses();
    await write(writer, [V6], 60_000);
    expect(BOTH.map((address) => answers(address))).toEqual([false, true]);
    b.ip('neigh flush dev eth0');
    answers(V4);
    expect(b.ip(`neigh show ${V4} dev eth0`)).toMatch(/FAILED|INCOMPLETE/);
    await write(writer, [V4], 60_000);
    expect(BOTH.map((address) => answers(address))).toEqual([true, false]);
    expect(b.ip(`neigh show ${V6} dev eth0`)).toMatch(/FAILED|INCOMPLETE/);
  });

  it('drops what a client with an old neighbour entry sends, and what the node itself would send', async () => {
    await startWriter();
    addAddresses();
    makeKnown();
    for (const address of BOTH) {
      expect(() => b.run('ping', '-c', '2', '-i', '0.05', '-W', '0.3', address)).toThrow();
      const client = address === V4 ? '10.77.9.2' : 'fd77:9::2';
      expect(() => a.run('ping', '-c', '1', '-W', '0.3', '-I', address, client)).toThrow();
    }
  });

  it('holds on a macvlan just the same, and not one frame leaves under its MAC without lease', async () => {
    const writer = await startWriter();
    const mac = '02:ba:73:00:00:64';
    const nic = macvlanName('eth0', mac);
    nft(b, `add table netdev seen`);
    nft(b, `add chain netdev seen in { type filter hook ingress device "eth0" priority 0; }`);
    nft(b, `add rule netdev seen in ether saddr ${mac} counter`);
    const seen = (): number => Number(/packets (\d+)/.exec(b.run('nft', 'list', 'table', 'netdev', 'seen'))![1]);
    a.ip(`link add link eth0 name ${nic} address ${mac} type macvlan mode bridge`);
    for (const [setting, value] of [
      ['ipv4/conf/NIC/arp_ignore', '1'],
      ['ipv4/conf/NIC/rp_filter', '2'],
      ['ipv6/conf/NIC/addr_gen_mode', '1'],
    ] as const)
      a.run('sysctl', '-qw', `net/${setting.replace('NIC', nic)}=${value}`);
    a.ip(`link set ${nic} up`);
    // The kernel tells routers at once which groups it joins for an IPv6 address.
    a.ip(`addr add ${V4}/32 dev ${nic}`);
    a.ip(`addr add ${V6}/128 dev ${nic} nodad`);
    expect(BOTH.map((address) => answers(address))).toEqual([false, false]);
    for (const address of BOTH) b.ip(`neigh replace ${address} lladdr ${mac} dev eth0 nud permanent`);
    for (const address of BOTH) expect(() => b.run('ping', '-c', '2', '-i', '0.05', '-W', '0.3', address)).toThrow();
    await sleep(1200);
    expect(seen()).toBe(0);
    for (const address of BOTH) b.ip(`neigh del ${address} dev eth0`);
    await write(writer, BOTH, 60_000);
    expect(BOTH.map((address) => answers(address))).toEqual([true, true]);
    expect(b.ip(`neigh show ${V6} dev eth0`)).toContain(mac);
    expect(seen()).toBeGreaterThan(0);
    await write(writer, [], null);
    expect(BOTH.map((address) => answers(address))).toEqual([false, false]);
  });

  it('a service behind DNAT goes dark, too, be it on the node or beyond', async () => {
    const writer = await startWriter();
    addAddresses([V4]);
    for (const line of [
      'add table ip nat',
      'add chain ip nat pre { type nat hook prerouting priority -100; }',
      'add rule ip nat pre ip daddr 10.77.9.200 icmp type echo-request dnat to 10.77.9.1',
    ])
      nft(a, line);
    await write(writer, [V4], 60_000);
    expect(answers(V4)).toBe(true);
    await write(writer, [], null);
    expect(answers(V4)).toBe(false);
  });

  it('a service behind DNAT that goes on sending goes dark, too: its source is the floating one only at the end', async () => {
    const writer = await startWriter();
    addAddresses([V4]);
    for (const line of [
      'add table ip nat',
      'add chain ip nat pre { type nat hook prerouting priority -100; }',
      'add rule ip nat pre ip daddr 10.77.9.200 dnat to 10.77.9.1',
    ])
      nft(a, line);
    await startServer('pour', ['10.77.9.1']);
    await write(writer, [V4], 60_000);
    const asker = await startAsker(V4);
    await sleep(300);
    expect((await asker()).length).toBeGreaterThan(50);
    await write(writer, [], null);
    await sleep(100);
    await asker();
    await sleep(300);
    expect(await asker()).toEqual([]);
    await write(writer, [V4], 60_000);
    await sleep(300);
    expect((await asker()).length).toBeGreaterThan(50);
  });

  it('a node that does not hold an address may be its client', async () => {
    await startWriter();
    b.ip(`addr add ${V4}/32 dev eth0`);
    b.ip(`addr add ${V6}/128 dev eth0 nodad`);
    expect(BOTH.map((address) => answers(address, a))).toEqual([true, true]);
  });

  it('of 500 addresses all open with one write, and their renewal is as small as that of one', async () => {
    const many = Array.from({ length: 500 }, (_, i) =>
      i % 2 ? `fd77:9::${(0x1000 + i).toString(16)}` : `10.78.${i >> 8}.${i & 255}`,
    );
    const writer = await startWriter({ addresses: many });
    const some = [many[0]!, many[1]!, many[498]!, many[499]!];
    addAddresses(some);
    b.ip('route add 10.78.0.0/16 dev eth0');
    expect(some.map((address) => answers(address))).toEqual([false, false, false, false]);
    expect((await write(writer, many, 60_000)).outcome).toEqual({ ok: true });
    expect(some.map((address) => answers(address))).toEqual([true, true, true, true]);
    writer.send({ ask: 'inspect' });
    expect((await writer.next(is('inspected'))).held.sort()).toEqual([...many].sort());
  });

  it('nft(8) shows the expressions that were meant', async () => {
    await startWriter();
    const shown = a.run('nft', '--debug=netlink', 'list', 'ruleset').match(/^ {2}\[ .* \]$/gm) ?? [];
    const meant = [ARP, INET].flatMap(({ chains }) => chains.flatMap(({ rules }) => rules.flat().map(asNftShows)));
    expect(shown.map((line) => line.trim()).sort()).toEqual(meant.sort());
  });

  it('touches no table of others, and no rule of theirs ends ours', async () => {
    const foreign = [
      'add table inet filter',
      'add chain inet filter input { type filter hook input priority 0; policy accept; }',
      'add rule inet filter input tcp dport 22 counter accept',
      'add set inet filter seen { type ipv4_addr; flags timeout; timeout 1h; }',
      'add element inet filter seen { 192.0.2.1, 192.0.2.2 }',
      'add table arp other',
      'add table ip baton',
      'add chain ip baton x { type filter hook prerouting priority -401; policy accept; }',
      'add rule ip baton x accept',
    ];
    for (const line of foreign) nft(a, line);
    const portrait = (): string =>
      a
        .run('nft', '-s', '-t', 'list', 'ruleset')
        .split(/^(?=table )/m)
        .filter((table) => !/^table (?:arp|inet) baton /.test(table))
        .join('');
    const before = portrait();
    const elements = a.run('nft', '-s', 'list', 'set', 'inet', 'filter', 'seen').match(/192\.0\.2\.\d/g);
    const writer = await startWriter();
    addAddresses();
    await write(writer, BOTH, 60_000);
    expect(BOTH.map((address) => answers(address))).toEqual([true, true]);
    await write(writer, [], null);
    expect(BOTH.map((address) => answers(address))).toEqual([false, false]);
    expect(portrait()).toBe(before);
    expect(a.run('nft', '-s', 'list', 'set', 'inet', 'filter', 'seen').match(/192\.0\.2\.\d/g)).toEqual(elements);
  });

  it('belongs to its daemon where the kernel knows owners: nobody else flushes or alters it', async () => {
    const writer = await startWriter();
    writer.send({ ask: 'inspect' });
    const { flags } = await writer.next(is('inspected'));
    if (flags.some((each) => (each & 6) !== 6)) return console.log('this kernel has no owner with persist');
    addAddresses();
    await write(writer, BOTH, 60_000);
    nft(a, 'flush ruleset');
    for (const line of ['delete table inet baton', 'flush chain inet baton in', 'add rule arp baton out accept'])
      expect(refusalOf(() => nft(a, line))).toMatch(/Operation not permitted/);
    expect(BOTH.map((address) => answers(address))).toEqual([true, true]);
    const second = start<ToWriter, FromWriter>(a, WRITER, setting());
    expect((await second.next(is('noted'))).text).toMatch(
      /^the gate cannot be made: EPERM: .* belong to another process/,
    );
    await second.next(is('ready'));
    expect((await write(second, BOTH, 1000)).outcome).toMatchObject({ ok: false, why: 'failed' });
    await writer.end();
    // The second daemon takes over what the first left.
    expect((await second.next(is('noted'))).text).toMatch(
      /taken over, open for \d+ ms for 10\.77\.9\.200, fd77:9::200/,
    );
    expect((await write(second, [], null)).outcome).toEqual({ ok: true });
  });

  it.each([
    ['flush ruleset', /table arp baton is missing; table inet baton is missing/],
    ['flush chain inet baton in', /rules of chain inet baton in are others/],
    ['delete element inet baton floating4 { 10.77.9.200 }', /floating addresses are others/],
    ['add rule inet baton out accept', /rules of chain inet baton out are others/],
    ['add chain arp baton more', /chains of table arp baton are others/],
  ])('without owners it is put back, closed, after: %s', async (line, words) => {
    const writer = await startWriter({ owned: false });
    addAddresses();
    await write(writer, BOTH, 60_000);
    expect(answers(V4)).toBe(true);
    nft(a, line);
    expect((await writer.next(is('gate-lost'))).text).toMatch(words);
    writer.send({ ask: 'inspect' });
    expect(await writer.next(is('inspected'))).toMatchObject({ wrong: [], held: [], leftMs: 0 });
    expect(BOTH.map((address) => answers(address))).toEqual([false, false]);
    expect((await write(writer, BOTH, 60_000)).outcome).toEqual({ ok: true });
    expect(BOTH.map((address) => answers(address))).toEqual([true, true]);
  });

  it('N7: a daemon killed and started anew finds its gate open; one with other rules is replaced, closed', async () => {
    addAddresses();
    await startServer('echo');
    const first = await startWriter();
    await write(first, BOTH, 60_000);
    const askers = await Promise.all(BOTH.map(startAsker));
    await sleep(300);
    await first.end();
    const second = await startWriter();
    await sleep(300);
    for (const asker of askers) {
      const sentAt = await asker();
      const pauses = sentAt.slice(1).map((at, i) => at - sentAt[i]!);
      expect(sentAt.length).toBeGreaterThan(100);
      expect(Math.max(...pauses)).toBeLessThan(500);
    }
    await second.end();
    nft(a, 'add rule inet baton out accept');
    const third = await startWriter();
    third.send({ ask: 'inspect' });
    expect(await third.next(is('inspected'))).toMatchObject({ wrong: [], held: [], leftMs: 0 });
  });

  it('N7: another list of floating addresses leaves an open gate open', async () => {
    addAddresses();
    const first = await startWriter({ addresses: [V4, '10.77.9.201'] });
    await write(first, [V4], 60_000);
    expect(BOTH.map((address) => answers(address))).toEqual([true, true]);
    await first.end();
    await startWriter({ addresses: BOTH });
    expect(BOTH.map((address) => answers(address))).toEqual([true, false]);
  });

  it('G3: a lease that leaves too little is not written, and of orders that wait only the newest is', async () => {
    const writer = await startWriter();
    addAddresses();
    expect((await write(writer, BOTH, 20)).outcome).toEqual({ ok: false, why: 'late' });
    expect((await write(writer, BOTH, -1000)).outcome).toEqual({ ok: false, why: 'late' });
    writer.heard();
    const far = Number(process.hrtime.bigint()) / 1e6 + 60_000;
    writer.send({
      ask: 'burst',
      orders: [
        { kind: 'write-gate', id: 901, held: [V4], leaseEnd: far },
        { kind: 'write-gate', id: 902, held: BOTH, leaseEnd: far },
        { kind: 'write-gate', id: 903, held: [V6], leaseEnd: far },
        { kind: 'settle', id: 1 },
        { kind: 'write-gate', id: 904, held: [], leaseEnd: null },
        { kind: 'settle', id: 2 },
      ],
    });
    const order: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      const said = await writer.next((each) => each.kind === 'gate-written' || each.kind === 'settled');
      if ('id' in said) order.push([said.kind, said.id]);
    }
    expect(order).toEqual([
      ['gate-written', 903],
      ['settled', 1],
      ['gate-written', 904],
      ['settled', 2],
    ]);
  });

  it.each(['armed', 'checked', 'acted'] as const)(
    `G2 to G4: stopped where it has %s, ${TIMES} times, the gate never opens beyond the lease`,
    async (place) => {
      addAddresses();
      makeKnown();
      const writer = await startWriter();
      await startServer('echo');
      const asker = await startAsker(V4);
      let [late, open, worst, answered] = [0, 0, -Infinity, 0];
      for (let i = 0; i < TIMES; i++) {
        const stopMs = 5 + Math.random() * 300;
        await write(writer, [], null);
        writer.send({ ask: 'write', id: ++ids, held: BOTH, forMs: 100 + Math.random() * 300, stopAt: place });
        const { leaseEnd } = await writer.next(is('stopping'));
        await sleep(stopMs);
        writer.signal('SIGCONT');
        const { outcome } = await writer.next(is('gate-written'));
        if (outcome.ok) open++;
        else late++;
        const { opensUntil } = await writer.next(is('wrote'));
        expect(opensUntil).toBeLessThanOrEqual(leaseEnd + MARGIN_MIN_MS);
        await sleep(Math.max(0, leaseEnd - Number(process.hrtime.bigint()) / 1e6) + 30);
        const sentAt = await asker();
        answered += sentAt.length;
        if (sentAt.length > 0) worst = Math.max(worst, Math.max(...sentAt) - leaseEnd);
      }
      console.log(
        `stopped ${place}, ${TIMES} times: ${open} written, ${late} late, ${answered} questions answered, the last one sent ${(-worst).toFixed(1)} ms before the end of its lease`,
      );
      expect(worst).toBeLessThan(MARGIN_MIN_MS);
      if (place !== 'armed') expect(answered).toBeGreaterThan(0);
    },
    TIMEOUT_MS + TIMES * 3000,
  );
});

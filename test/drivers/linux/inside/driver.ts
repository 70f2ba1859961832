/** What driver.test.ts has done inside a namespace: a driver over eth0 ── eth1, with hands made of memory. */
import type { Action } from '../../../../src/action.js';
import { encodeEthernet } from '../../../../src/frame/ethernet.js';
import type { Input, NicObservation } from '../../../../src/input.js';
import type { ArbiterAction, ArbiterInput } from '../../../../drivers/arbiter/arbiter-port.js';
import { LinuxDriver, type LinuxDriverOptions } from '../../../../drivers/linux/driver.js';
import type { GateAction, GateInput } from '../../../../drivers/linux/gate-port.js';
import type { Hand } from '../../../../drivers/linux/hand.js';
import type { HandsAction, HandsInput } from '../../../../drivers/linux/hands-port.js';
import { ip, indexOf, sleep, until } from './kernel.js';

const ofFrame = (number: number): Uint8Array =>
  encodeEthernet({
    destination: 'ff:ff:ff:ff:ff:ff',
    source: '02:00:00:00:00:01',
    etherType: 0x88b5,
    payload: new Uint8Array(46).fill(number),
  });

const numberOf = (bytes: Uint8Array): number => bytes[14] ?? -1;

class MemoryHand<A, I> implements Hand<A, I> {
  readonly posted: A[] = [];
  say: (input: I) => void = () => undefined;
  settled: () => void = () => undefined;
  post(action: A): void {
    this.posted.push(action);
  }
  onInput(take: (input: I) => void): void {
    this.say = take;
  }
  settle(done: () => void): void {
    this.settled = done;
  }
}

/** Blocks the thread, as a long collection of garbage does. */
const block = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function open(pollMs = 100, more: Partial<LinuxDriverOptions> = {}) {
  const hands = new MemoryHand<HandsAction, HandsInput>();
  const inputs: Input[] = [];
  const local: string[] = [];
  const notes: string[] = [];
  let during: ((input: Input) => void) | undefined;
  const driver = new LinuxDriver({
    self: { name: 'alpha', nets: [{ net: 'public', primary: 'eth0', standby: ['eth1'], addresses: [] }] },
    timing: { pollMs, carrierPollMs: 10 },
    hands,
    local: (action) => local.push(action.kind),
    note: (text) => notes.push(text),
    ...more,
  });
  const opened = driver.open((input) => {
    inputs.push(input);
    during?.(input);
  });
  const start = async (): Promise<void> => {
    hands.say({ kind: 'started', run: null, durable: null, damaged: false, hostUpMs: 0 });
    await opened;
  };
  return { hands, inputs, local, notes, driver, start, during: (f: (input: Input) => void) => (during = f) };
}

const kinds = (inputs: Input[]): string[] => inputs.map(({ kind }) => kind);

/** What comes before and after `started`, and how many counters in about a second. */
export async function beginning() {
  const { driver, inputs, start, notes } = open();
  driver.wakeAt(driver.now());
  await sleep(100);
  const early = kinds(inputs);
  await start();
  await sleep(1050);
  await driver.close();
  const after = inputs.length;
  await sleep(150);
  return {
    early,
    first: kinds(inputs).slice(0, 1),
    carriers: inputs.flatMap((input) => (input.kind === 'carrier-changed' ? [`${input.nic} ${input.state}`] : [])),
    counters: inputs.filter((input) => input.kind === 'counters-read').length,
    wakes: inputs.filter((input) => input.kind === 'woke').length,
    afterClose: inputs.length - after,
    lateness: driver.lateness(),
    notes,
  };
}

/** A thread that sleeps while frames arrive: what is said when it is back. */
export async function stall() {
  const { driver, inputs, start } = open();
  await start();
  await sleep(50);
  inputs.length = 0;
  driver.perform([1, 2, 3].map((number): Action => ({ kind: 'send-frame', nic: 'eth0', bytes: ofFrame(number) })));
  driver.wakeAt(driver.now() + 100);
  block(300);
  await until(() => kinds(inputs).includes('woke'));
  await driver.close();
  return inputs.map((input) =>
    input.kind === 'frame-received'
      ? numberOf(input.bytes)
      : input.kind === 'stalled'
        ? Math.round(input.forMs)
        : input.kind,
  );
}

/** A thread that falls asleep in the middle of a turn in which a wake-up is due. */
export async function stallWithinTurn() {
  const { driver, inputs, start, during } = open();
  await start();
  await sleep(50);
  let slept = false;
  during((input) => {
    if (slept || input.kind !== 'counters-read') return;
    slept = true;
    inputs.length = 0;
    driver.wakeAt(driver.now() - 5);
    block(300);
  });
  await until(() => slept && kinds(inputs).includes('woke'));
  await driver.close();
  return kinds(inputs).filter((kind) => kind === 'stalled' || kind === 'woke');
}

/** Where actions go, and that `exit` waits for the hands and is the last. */
export async function performing() {
  const { driver, hands, local, inputs, start, during } = open();
  await start();
  let depth = 0;
  let nested = 0;
  during(() => {
    if (depth > 0) nested++;
    depth++;
    // What a new observation brings about is told after this input, not within it.
    if (inputs.length === 1) hands.say({ kind: 'host-observed', nics: [], missing: ['eth9'] });
    depth--;
  });
  inputs.length = 0;
  hands.say({ kind: 'host-changed', id: 1, undone: false });
  driver.perform([
    { kind: 'change-host', id: 7, steps: [] },
    { kind: 'send-frame', nic: 'eth0', bytes: ofFrame(9) },
    { kind: 'persist', record: { switch: null } },
    { kind: 'journal', entry: { at: 0, event: 'node-stopping', cause: 'asked' } },
    { kind: 'exit', code: 0 },
    { kind: 'journal', entry: { at: 0, event: 'settings', cause: 'late' } },
  ]);
  const beforeSettled = [...local];
  await until(() => kinds(inputs).includes('frame-received'));
  hands.settled();
  await driver.close();
  return {
    nested,
    heard: kinds(inputs).slice(0, 2),
    posted: hands.posted.map(({ kind }) => kind),
    beforeSettled,
    local,
  };
}

/** What membership and gate ask for: where it goes, what comes back, and that `exit` waits for the gate too. */
export async function voting(stateDir: string) {
  const gate = new MemoryHand<GateAction, GateInput>();
  const arbiter = new MemoryHand<ArbiterAction, ArbiterInput>();
  const { driver, hands, local, inputs, start } = open(1000, { gate, arbiter, stateDir });
  gate.say({ kind: 'gate-lost', text: 'before the start' });
  await start();
  const first = kinds(inputs).slice(0, 2);
  inputs.length = 0;
  driver.perform([
    { kind: 'store', id: 5, record: { term: 1 } },
    { kind: 'ask-arbiter', id: 6, request: { ask: 'read' }, withinMs: 300 },
    { kind: 'write-gate', id: 7, held: [], leaseEnd: null },
  ]);
  await until(() => inputs.some(({ kind }) => kind === 'persisted'));
  arbiter.say({ kind: 'arbiter-answered', id: 6, answer: { outcome: 'missing' } });
  gate.say({ kind: 'gate-written', id: 7, outcome: { ok: true }, tookMs: 1 });
  driver.perform([{ kind: 'exit', code: 0 }]);
  hands.settled();
  const beforeGate = [...local];
  gate.settled();
  await driver.close();
  const came = inputs.filter(({ kind }) => /^(?:persisted|arbiter|gate)/.test(kind));
  return { first, came, posted: [...gate.posted, ...arbiter.posted], beforeGate, local };
}

/** A cluster without gate, arbiter and durable record. */
export async function alone() {
  const { driver, inputs, start } = open(1000);
  await start();
  let within = 0;
  driver.perform([{ kind: 'write-gate', id: 3, held: ['10.0.0.1'], leaseEnd: driver.now() + 1000 }]);
  within = inputs.filter(({ kind }) => kind === 'gate-written').length;
  driver.perform([
    { kind: 'store', id: 1, record: null },
    { kind: 'ask-arbiter', id: 2, request: { ask: 'read' }, withinMs: 300 },
  ]);
  await until(() => inputs.some(({ kind }) => kind === 'gate-written'));
  await driver.close();
  return { within, came: inputs.filter(({ kind }) => kind === 'gate-written'), drops: driver.dropped() };
}

/** A datagram to the own address of the other NIC: sent with the first observation, and heard before `woke`. */
export async function heartbeat() {
  ip('address add 10.7.0.1/24 dev eth0');
  const addresses = [{ address: '10.7.0.1', nics: ['eth0'] }];
  const { driver, hands, inputs, start, during } = open(1000, { heartbeat: { port: 7789, addresses } });
  during((input) => {
    if (input.kind !== 'host-observed') return;
    driver.perform([
      { kind: 'send-datagram', nic: 'eth0', from: '10.7.0.1', to: '10.7.0.1', bytes: new Uint8Array([7]) },
    ]);
  });
  await start();
  const observed = { nic: 'eth0', ifindex: indexOf('eth0'), addresses: [{ local: '10.7.0.1' }] };
  hands.say({ kind: 'host-observed', nics: [observed as unknown as NicObservation], missing: [] });
  await sleep(50);
  await driver.close();
  ip('address del 10.7.0.1/24 dev eth0');
  return {
    heard: inputs.flatMap((input) => (input.kind === 'datagram-received' ? [[...input.bytes]] : [])),
    drops: driver.dropped(),
  };
}

/** From the moment asked for to `woke`, for some moments in the future. */
export async function waking(times: number) {
  const { driver, inputs, start, during } = open(1000);
  const late: number[] = [];
  let asked = 0;
  during((input) => {
    if (input.kind !== 'woke') return;
    late.push(driver.now() - asked);
    if (late.length < times) driver.wakeAt((asked = driver.now() + 7.3));
  });
  await start();
  driver.wakeAt((asked = driver.now() + 7.3));
  await until(() => late.length >= times, 10_000);
  await driver.close();
  return {
    late: late.sort((a, b) => a - b),
    stalls: kinds(inputs).filter((kind) => kind === 'stalled').length,
    lateness: driver.lateness(),
  };
}

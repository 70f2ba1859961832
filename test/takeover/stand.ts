/** The local switch on a test stand: the model kernel below it, verdicts set by hand, hands that can be stopped, refused or killed. */
import { BARE, BARE_NET } from '../bare-cluster.js';
import { KEY_ID, noCipher } from '../no-cipher.js';
import type { Action, RunRecord, Step } from '../../src/action.js';
import type { Cluster } from '../../src/config/cluster.js';
import { profiles } from '../../src/config/timing.js';
import type { Verdict } from '../../src/health/state.js';
import type { Input, Ms } from '../../src/input.js';
import type { HealthReason, JournalEntry, NicHealth, OperatorAnswer, OperatorRequest } from '../../src/status.js';
import * as takeover from '../../src/takeover/local-switch.js';
import { startState, type TakeoverState } from '../../src/takeover/state.js';
import { takeTurn } from '../../src/takeover/turn.js';
import type { World } from '../../src/world.js';
import { KernelError, ModelKernel } from './model-kernel.js';

export const SETTINGS_AT_BOOT: Record<string, string> = {
  'ipv4/conf/{nic}/arp_ignore': '0',
  'ipv4/conf/{nic}/arp_announce': '0',
  'ipv4/conf/{nic}/rp_filter': '1',
  'ipv6/conf/{nic}/keep_addr_on_down': '0',
  'ipv6/conf/{nic}/accept_ra': '1',
  'ipv6/conf/{nic}/autoconf': '1',
  'ipv6/conf/{nic}/disable_ipv6': '0',
};

const RANK: Record<NicHealth, number> = { up: 0, suspect: 3, down: 4 };

export interface StandOptions {
  addresses?: string[];
  standby?: string[];
  autoSwitchBack?: boolean;
  mac?: 'follow';
  targets?: string[];
}

export class Killed extends Error {}

export function cluster({
  addresses = ['10.77.0.1/24', 'fd77::1/64'],
  standby = ['eth1'],
  autoSwitchBack = true,
  mac,
  targets = [],
}: StandOptions): Cluster {
  const prefixes = addresses.map((text) => {
    const [address = '', length] = text.split('/');
    return { family: address.includes(':') ? (6 as const) : (4 as const), address, prefixLength: Number(length) };
  });
  return {
    ...BARE,
    nets: [
      {
        ...BARE_NET,
        name: 'public',
        autoSwitchBack,
        ...(mac && { mac }),
        targets: targets.map((address) => ({ family: 4, address })),
      },
    ],
    nodes: [{ name: 'alpha', nets: [{ net: 'public', primary: 'eth0', standby, addresses: prefixes }] }],
    timing: profiles.default,
  };
}

/** As the first node of that file. */
export function worldOf(file: Cluster): World {
  return {
    cluster: file,
    self: file.nodes[0]!,
    incarnation: '0123456789abcdef',
    keys: [KEY_ID],
    seal: (bytes) => bytes,
    random: () => 0.5,
    host: {},
    moving: {},
    cipher: noCipher,
    heard: [],
    jobs: {},
  };
}

/** As the node does before any stage takes the input. */
export function noteHost(world: World, input: Input): void {
  if (input.kind !== 'host-observed') return;
  const host = world.host as Record<string, unknown>;
  for (const nic of input.missing) delete host[nic];
  for (const seen of input.nics) host[seen.nic] = seen;
}

/** One step, by a kernel that is let to refuse it. */
export function attempt({ kernel, refuses }: Pick<Stand, 'kernel' | 'refuses'>, step: Step): void {
  if (refuses(step)) throw new KernelError('EPERM', 'Operation not permitted');
  kernel.apply(step);
}

/** A host with an ordinary configuration on eth0, and eth1 (and eth2) idle. */
export function ordinaryKernel(): ModelKernel {
  const kernel = new ModelKernel();
  for (const [i, nic] of ['eth0', 'eth1', 'eth2', 'mgmt0'].entries())
    kernel.addNic(nic, i + 2, { ...SETTINGS_AT_BOOT });
  const steps: Step[] = [
    {
      do: 'add-address',
      nic: 'eth0',
      address: { family: 4, local: '10.77.0.1', prefixLength: 24, scope: 0, flags: 0, label: 'eth0' },
    },
    {
      do: 'add-address',
      nic: 'eth0',
      address: { family: 4, local: '10.77.0.5', prefixLength: 24, scope: 0, flags: 0, label: 'eth0:5' },
    },
    { do: 'add-address', nic: 'eth0', address: { family: 6, local: 'fd77::1', prefixLength: 64, scope: 0, flags: 0 } },
  ];
  for (const step of steps) kernel.apply(step);
  for (const address of kernel.nics['eth0']!.addresses) address.flags &= ~0x40;
  const common = { table: 254, protocol: 4, scope: 0, type: 1, tos: 0, nic: 'eth0', flags: 0 };
  kernel.apply({
    do: 'append-route',
    route: { family: 4, destination: '0.0.0.0/0', gateway: '10.77.0.254', metric: 100, ...common },
  });
  kernel.apply({
    do: 'append-route',
    route: { family: 4, destination: '10.9.0.0/16', gateway: '10.77.0.9', preferredSource: '10.77.0.5', ...common },
  });
  kernel.apply({
    do: 'append-route',
    route: { family: 6, destination: '::/0', gateway: 'fd77::fe', metric: 1024, ...common },
  });
  kernel.nics['eth0']!.neighbours.push({
    family: 4,
    address: '10.77.0.254',
    mac: '02:00:00:00:00:fe',
    state: 0x02,
    flags: 0,
  });
  kernel.nics['eth0']!.groups.push('239.1.2.3');
  return kernel;
}

export class Stand {
  now: Ms = 10_000;
  state: TakeoverState;
  readonly world: World;
  readonly verdicts: Record<string, Verdict> = {};
  readonly journal: JournalEntry[] = [];
  readonly answers: Record<number, OperatorAnswer> = {};
  readonly frames: { nic: string; at: Ms }[] = [];
  /** Every step done, over all runs. */
  readonly done: Step[] = [];
  run: RunRecord = {};
  exited: number | null = null;
  /** The hands are killed when this many steps more were done. */
  killAfter = Infinity;
  /** Steps that the kernel refuses. */
  refuses: (step: Step) => boolean = () => false;
  /** Do the hands answer? Else their work waits. */
  idle = true;
  readonly waiting: Extract<Action, { kind: 'change-host' }>[] = [];

  constructor(
    readonly kernel: ModelKernel = ordinaryKernel(),
    readonly options: StandOptions = {},
  ) {
    const file = cluster(options);
    this.world = worldOf(file);
    for (const nic of ['eth0', 'eth1', 'eth2']) this.health(nic, 'up');
    this.state = startState(this.world, this.now);
  }

  health(nic: string, health: NicHealth, reason?: HealthReason, holdUntil: Ms = -1e15): void {
    this.verdicts[nic] = {
      health,
      since: this.now,
      rank: RANK[health] + (reason === 'unproven' ? 1 : 0),
      holdUntil,
      ...(reason && { reason }),
    };
  }

  /** A new run of the daemon over what the last one left. */
  start(): this {
    this.state = startState(this.world, this.now);
    this.exited = null;
    for (const nic of Object.keys(this.world.host)) delete (this.world.host as Record<string, unknown>)[nic];
    const { switch: left, ledger } = this.run;
    const run =
      left === undefined
        ? null
        : (JSON.parse(JSON.stringify({ switch: left, ledger: ledger ?? null })) as {
            switch: unknown;
            ledger: unknown;
          });
    this.give({ kind: 'started', run, durable: null, damaged: false, hostUpMs: 0 });
    this.observe();
    return this;
  }

  /** The cable of that NIC: the verdict follows it at once, unless `health` says otherwise. */
  carrier(nic: string, carrier: boolean, health: NicHealth = 'up', holdUntil?: Ms): void {
    this.kernel.nics[nic]!.carrier = carrier;
    if (carrier) this.health(nic, health, undefined, holdUntil);
    else this.health(nic, 'down', 'carrier');
    this.observe();
  }

  observe(): void {
    const mine = ['eth0', ...(this.options.standby ?? ['eth1'])];
    this.give(this.kernel.look(mine));
  }

  /** The operator's answer, or undefined while it is not there. */
  ask(request: OperatorRequest): OperatorAnswer | undefined {
    const id = Object.keys(this.answers).length + 100;
    this.give({ kind: 'operator-asked', id, request });
    return this.answers[id];
  }

  /** Time passes; the stage is woken whenever it wants to be. */
  pass(ms: Ms): void {
    const until = this.now + ms;
    for (let i = 0; i < 10_000; i++) {
      const at = takeover.deadline(this.world, this.state);
      if (at > until) break;
      if (at < this.now) throw new Error(`deadline ${at} is behind ${this.now}`);
      this.now = Math.max(at, this.now);
      this.give({ kind: 'woke' });
    }
    if (takeover.deadline(this.world, this.state) <= this.now) throw new Error('the deadline does not move');
    this.now = until;
  }

  give(input: Input): void {
    const actions: Action[] = [];
    noteHost(this.world, input);
    takeTurn(
      {
        world: this.world,
        state: this.state,
        now: this.now,
        verdict: (nic) => this.verdicts[nic]!,
        mandate: { may: {}, leaseEnd: null, document: null, departed: true },
        peers: { askable: () => [], tell: () => undefined, nodeOf: () => null, mayServe: () => false },
        out: actions,
      },
      input,
    );
    this.state = JSON.parse(JSON.stringify(this.state)) as TakeoverState;
    for (const action of actions) this.perform(action);
  }

  /** Lets hands that were held up do what waits. */
  work(): void {
    this.idle = true;
    for (const action of this.waiting.splice(0)) this.change(action);
  }

  events(...names: string[]): string[] {
    return this.journal.filter((x) => names.includes(x.event)).map((x) => `${x.event} ${x.cause}`);
  }

  addresses(nic: string): string[] {
    return this.kernel.nics[nic]!.addresses.map((x) => x.local)
      .filter((x) => !x.startsWith('fe80'))
      .sort();
  }

  private perform(action: Action): void {
    switch (action.kind) {
      case 'change-host':
        if (this.idle) this.change(action);
        else this.waiting.push(action);
        return;
      case 'persist':
        this.run = { ...this.run, ...action.record };
        return;
      case 'observe':
        this.observe();
        return;
      case 'journal':
        this.journal.push(action.entry);
        return;
      case 'answer-operator':
        this.answers[action.id] = action.answer;
        return;
      case 'send-datagram':
      case 'send-serial':
      case 'store':
      case 'ask-arbiter':
      case 'run-agent':
      case 'end-agent':
      case 'write-gate':
        return;
      case 'send-frame':
        this.frames.push({ nic: action.nic, at: this.now });
        return;
      case 'exit':
        this.exited = action.code;
        return;
      case 'send-echo':
        return;
    }
  }

  private change(action: Extract<Action, { kind: 'change-host' }>): void {
    this.run = { ...this.run, ...action.record };
    const done = this.kernel.change(action, (step) => {
      if (this.killAfter-- <= 0) throw new Killed();
      attempt(this, step);
      this.done.push(step);
    });
    this.give(done);
    this.observe();
  }
}

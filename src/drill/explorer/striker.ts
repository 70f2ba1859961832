/** Lets drawn blows fall: names in the place of words, nothing that has lost its sense, and a list of what really happened. */
import type { SimulatorLab } from '../../../drivers/simulator/lab.js';
import type { Ms } from '../../input.js';
import type { MembershipState } from '../../membership/member.js';
import { commandOf } from '../operate.js';
import { parseFault } from '../scenario.js';
import type { Cast } from './cast.js';
import { AWAKE, COORDINATOR, HOLDER } from './kinds.js';
import { isTornForGood, mayForget, mayLoseDisk, mayTear } from './losses.js';
import type { Blow } from './schedule.js';
import type { Act } from './story.js';
import type { Drawn } from './topology.js';

const UNPLUGGED_MS: Ms = 100;

export class Striker {
  readonly #lab: SimulatorLab;
  readonly #drawn: Drawn;
  readonly #cast: Cast;
  readonly #acts: Act[] = [];
  /** Fault → which blow of all it was. */
  readonly #inForce = new Map<string, number>();
  #due: { at: number; fault: string }[] = [];
  #struck = 0;

  constructor(lab: SimulatorLab, drawn: Drawn, cast: Cast) {
    this.#lab = lab;
    this.#drawn = drawn;
    this.#cast = cast;
  }

  /** All that happened, by time: as a scenario of its own it is the same story. */
  get acts(): readonly Act[] {
    return [...this.#acts].sort((a, b) => a.at - b.at);
  }

  /** When the next heal is due. */
  get dueAt(): number {
    return Math.min(Infinity, ...this.#due.map(({ at }) => at));
  }

  async healDue(): Promise<void> {
    const now = this.#lab.now();
    const due = this.#due.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    this.#due = this.#due.filter(({ at }) => at > now);
    for (const { fault } of due) await this.#heal(fault);
  }

  async healAll(): Promise<void> {
    this.#due = [];
    for (const fault of [...this.#inForce.keys()]) await this.#heal(fault);
  }

  async strike(blow: Blow): Promise<void> {
    switch (blow.do) {
      case 'ask': {
        const node = this.#named(blow.node);
        if (this.#lab.network.daemons.get(node)!.awake) this.ask(node, commandOf(this.#cast.asked(blow.request)));
        return;
      }
      case 'command':
        return this.ask(this.#named(blow.node), blow.command);
      case 'slow-disk':
        return this.#inflict(`disk-slow ${this.#named(blow.node)} ${blow.times}`, Infinity);
      case 'inflict': {
        const fault = this.#resolved(blow.fault);
        const makesSense = fault !== null && (blow.evenIfOff === true || this.#makesSense(fault));
        if (makesSense) await this.#inflict(fault, blow.healAfterMs);
      }
    }
  }

  ask(node: string, command: string): void {
    this.#lab.ask(node, command.split(' '));
    this.#note({ ask: `${node}: ${command}` }, ++this.#struck);
  }

  /**
   * The plug of each that is off is pulled and put in again, where `node unfence` can do nothing: there is no coordinator, or
   * a package stays placed on the node.
   */
  async switchOnByHand(names: readonly string[]): Promise<void> {
    const { hosts } = this.#lab.network;
    const placements = this.#led()?.record.document?.placements;
    const isStuck = (name: string): boolean =>
      placements === undefined || Object.values(placements).some(({ node }) => node === name);
    for (const name of names)
      if (!hosts.get(name)!.powered && isStuck(name)) await this.#inflict(`power-off ${name}`, UNPLUGGED_MS);
  }

  /** `baton arbiter init --force`, where the manual asks for it. */
  async makeDiskAnew(): Promise<void> {
    const { network } = this.#lab;
    if (isTornForGood(network) && mayForget(network)) await this.#inflict('arbiter-forget', null);
  }

  /** Of each that is off, and that no fence agent could shut so far, somebody who has looked says that it is off. */
  async vouchByHand(names: readonly string[]): Promise<void> {
    const fences = this.#led()?.fencing.nodes ?? {};
    for (const name of names) {
      const { does, failures, phase } = fences[name] ?? { does: 'fence', failures: 0, phase: 'done' };
      if (this.#lab.network.hosts.get(name)!.powered || does !== 'fence' || failures === 0 || phase === 'done')
        continue;
      await this.strike({ at: this.#lab.now(), do: 'command', node: COORDINATOR, command: `node fenced ${name}` });
    }
  }

  /** What the coordinator knows of the cluster; absent: there is none. */
  #led(): MembershipState | undefined {
    const all = [...this.#lab.network.daemons.values()].flatMap(({ node }) => node?.state.membership ?? []);
    return all.find(({ post }) => post.role === 'coordinator');
  }

  /** The daemon of that node stood still before its n-th effect since that moment. */
  notePause(at: number, fault: string): void {
    this.#acts.push({ at, blow: ++this.#struck, fault });
  }

  /** `Infinity`: when all is healed; null: it ends by itself. */
  async #inflict(fault: string, healAfterMs: number | null): Promise<void> {
    if (this.#inForce.has(fault)) return;
    const parsed = parseFault(fault);
    await this.#lab.inflict(parsed);
    const blow = ++this.#struck;
    this.#note({ fault }, blow);
    if (healAfterMs === null) {
      this.#lab.forget(parsed);
      return;
    }
    this.#inForce.set(fault, blow);
    if (healAfterMs !== Infinity) this.#due.push({ at: Math.round(this.#lab.now() + healAfterMs), fault });
  }

  async #heal(fault: string): Promise<void> {
    const blow = this.#inForce.get(fault);
    if (blow === undefined) return;
    this.#inForce.delete(fault);
    await this.#lab.heal(parseFault(fault));
    this.#note({ heal: fault }, blow);
  }

  #note(act: Pick<Act, 'fault' | 'heal' | 'ask'>, blow: number): void {
    this.#acts.push({ at: Math.round(this.#lab.now()), blow, ...act });
  }

  #named(text: string): string {
    const { daemons } = this.#lab.network;
    const leader = [...daemons.values()].find((daemon) => daemon.node?.state.membership.post.role === 'coordinator');
    const [holder] = this.#lab.watcher.answering(this.#drawn.addresses[0]!);
    const awake = this.#drawn.nodes.find((name) => daemons.get(name)!.awake);
    return this.#cast
      .named(text)
      .replace(AWAKE, awake ?? this.#drawn.nodes[0]!)
      .replace(COORDINATOR, leader?.host.name ?? this.#drawn.nodes[0]!)
      .replace(HOLDER, holder ?? this.#drawn.nodes.at(-1)!);
  }

  /** Null: the blow has lost its sense with the names. */
  #resolved(drawn: string): string | null {
    const fault = this.#named(drawn);
    const [verb, one, other] = fault.split(' ');
    if (verb === 'block' && one === other) return null;
    if (verb !== 'isolate') return fault;
    const others = [
      ...this.#drawn.nodes.filter((name) => name !== one),
      ...(this.#drawn.hasArbiter ? ['arbiter'] : []),
    ];
    return others.length === 0 ? null : `split ${one}|${others.join(',')}`;
  }

  /** A blow at a kernel that has no power, or at an address that is not there, is none. */
  #makesSense(fault: string): boolean {
    const [verb = '', where = '', what = ''] = fault.split(' ');
    const { network } = this.#lab;
    const host = network.hosts.get(where.split('.')[0]!);
    if (host && !host.powered) return false;
    if (verb === 'disk-lost' || verb === 'disk-torn') return mayLoseDisk(network, where);
    if (verb === 'arbiter-torn') return mayTear(network, where);
    if (verb === 'arbiter-forget') return network.sharedDisk === null && mayForget(network);
    if (verb === 'restart') return network.daemons.get(where)!.runs;
    return verb !== 'remove-address' || host?.owns(what) === true;
  }
}

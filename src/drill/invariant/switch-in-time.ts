import { Port } from '../../../drivers/simulator/bridge.js';
import type { SimulatorLab } from '../../../drivers/simulator/lab.js';
import type { Nic } from '../../../drivers/simulator/nic.js';
import type { NodeNet } from '../../config/cluster.js';
import type { Ms } from '../../input.js';
import type { Node } from '../../node.js';
import { switchMs } from './bounds.js';
import type { Facts, Invariant, Told } from './invariant.js';
import { Overdue } from './overdue.js';

/** Windows of polling after a start in which links come up and verdicts are reached. */
const START_WINDOWS = 5;

/**
 * L2: a local switch is done within its bound; L6: addresses are never left on a NIC without carrier while a better one is
 * there. Better: a standby with carrier whose cable and switch pass frames both ways, and has been so for as long as a
 * verdict takes. Not judged: nets that an operator locked or put where they are, a standby that a switch to it has just failed on, and where the
 * MAC moves along, which is tried out first. Cables and switches are facts of the simulator only.
 */
export class SwitchInTime implements Invariant {
  readonly name = 'L2';
  readonly #facts: Facts;
  readonly #lab: SimulatorLab;
  readonly #overdue: Overdue;
  readonly #machines = new Map<string, Node>();
  /** Nodes whose daemon has something else to go by. */
  readonly #excused = new Set<string>();
  readonly #nets: { node: string; own: NodeNet }[] = [];

  constructor(facts: Facts, lab: SimulatorLab) {
    this.#facts = facts;
    this.#lab = lab;
    const { timing, nets, nodes } = facts.cluster;
    const upDelayMs = Math.max(0, ...nets.map((net) => net.upDelayMs));
    const startMs: Ms = START_WINDOWS * timing.pollMs * timing.pollMisses;
    this.#overdue = new Overdue(facts, switchMs(timing) + upDelayMs + startMs);
    const follow = new Set(nets.flatMap(({ name, mac }) => (mac === 'follow' ? [name] : [])));
    for (const { name, nets: owned } of nodes)
      for (const own of owned)
        if (own.standby.length > 0 && own.addresses.length > 0 && !follow.has(own.net))
          this.#nets.push({ node: name, own });
  }

  journalled({ event, node, cause }: Told, machine: Node): void {
    this.#machines.set(node, machine);
    const excuses =
      event === 'switch-failed' || event === 'link-locked' || (event === 'switch-started' && cause === 'operator');
    if (excuses || (event === 'switch-refused' && cause === 'unsuitable')) this.#excused.add(node);
    if (event === 'node-started') this.#excused.delete(node);
  }

  changed(): void {
    for (const { node, own } of this.#nets) {
      const host = this.#lab.network.hosts.get(node)!;
      const [address] = own.addresses;
      const nics = [own.primary, ...own.standby].flatMap((nic) => host.nics.get(nic) ?? []);
      const on = nics.find((nic) => nic.has(address!.address));
      const isDead = on !== undefined && host.powered && !(on.admin && on.carrier);
      const isLeft = isDead && nics.some((nic) => nic !== on && isSound(nic)) && !this.#excused.has(node);
      this.#overdue.note(node, `${node} ${own.net}`, isLeft, () => this.#tell(node, own, on?.name ?? ''));
    }
  }

  #tell(node: string, own: NodeNet, on: string): void {
    const state = this.#machines.get(node)?.state.takeover;
    if (state?.stopping != null || Object.keys(state?.locks ?? {}).length > 0) return;
    this.#facts.violated(
      'L2',
      `${own.net} of ${node} is left on ${on}, which has no carrier, beside a standby that has`,
    );
  }
}

function isSound(nic: Nic): boolean {
  const { cable } = nic;
  if (!nic.admin || !nic.carrier || !cable?.passes(0) || !cable.passes(1)) return false;
  return cable.ends.every((end) => !(end instanceof Port) || (end.bridge.powered && !end.bridge.mute));
}

import type { Action } from '../../action.js';
import type { Input } from '../../input.js';
import { addressesOf } from '../../takeover/floating-address.js';
import type { Job } from '../../world.js';
import type { Facts, Invariant, Told } from './invariant.js';

type JobState = Job['state'];

/** What a package may become. From halting there is no way back but by halted: a start beside a halt would run two at a time. */
const NEXT: Readonly<Record<JobState, readonly JobState[]>> = {
  halted: ['starting'],
  starting: ['running', 'halting', 'suspended', 'starting'],
  running: ['halting', 'suspended', 'running'],
  suspended: ['starting', 'halting'],
  halting: ['halted'],
};

/**
 * S11: one script of a package at a time; start only after halt, or lease end, and after the fence where one is configured. Packages have addresses
 * only as yet, so it is their jobs that are looked at: each goes through its states in order, and none begins to start while
 * another node still answers for one of its addresses under a gate, or says that it has it and holds a lease. Of the programs
 * that are run, the fence agents: no node is shut and opened at one time, nor by two agents of one daemon. A lease of a node
 * that an agent has shut since the job began there is worth nothing (MEMBERSHIP C6c); that it answers no more is still looked at.
 */
export class ScriptsExclusive implements Invariant {
  readonly name = 'S11';
  readonly #facts: Facts;
  /** `alpha web` → as its daemon said last. */
  readonly #jobs = new Map<string, JobState>();
  /** Node → id of a program → which node it works on, and whether it shuts it. */
  readonly #agents = new Map<string, Map<string, { target: string; shuts: boolean }>>();
  /** Shut with success, and nothing was begun there or done to it since. */
  readonly #shut = new Set<string>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  stepped(node: string, input: Input, actions: readonly Action[]): void {
    if (input.kind === 'started') {
      this.#agents.set(node, new Map());
      this.#shut.delete(node);
      for (const { name } of this.#facts.cluster.packages) this.#jobs.delete(`${node} ${name}`);
    }
    if (input.kind === 'agent-exited') this.#exited(node, input);
    for (const action of actions) if (action.kind === 'run-agent') this.#run(node, action);
  }

  #run(node: string, { id, environment }: Extract<Action, { kind: 'run-agent' }>): void {
    const target = environment['BATON_NODE'];
    const action = environment['BATON_ACTION'];
    if (target === undefined || action === 'monitor' || action === 'status') return;
    const running = this.#agents.get(node) ?? new Map<string, { target: string; shuts: boolean }>();
    this.#agents.set(node, running);
    for (const [other, busy] of running)
      if (busy.target === target) this.#facts.violated('S11', `${node} runs ${id} on ${target} beside ${other}`);
    running.set(id, { target, shuts: action !== 'on' });
    this.#shut.delete(target);
  }

  #exited(node: string, { id, outcome }: Extract<Input, { kind: 'agent-exited' }>): void {
    const agent = this.#agents.get(node)?.get(id);
    this.#agents.get(node)?.delete(id);
    if (agent?.shuts === true && outcome.how === 'exited' && outcome.code === 0) this.#shut.add(agent.target);
  }

  journalled({ event, node, package: name = '', from, to, cause }: Told): void {
    if (event !== 'package' || to === undefined) return;
    const key = `${node} ${name}`;
    const was = this.#jobs.get(key) ?? 'halted';
    const is = to as JobState;
    if (from !== undefined && from !== was)
      this.#facts.violated('S11', `${node} says that ${name} was ${from}, and it had been ${was}`);
    if (was !== is && !NEXT[was].includes(is))
      this.#facts.violated('S11', `${name} on ${node} goes from ${was} to ${is}: ${cause}`);
    this.#jobs.set(key, is);
    if (is !== 'starting' || was === 'starting') return;
    this.#shut.delete(node);
    this.#mayStart(node, name);
  }

  #mayStart(node: string, name: string): void {
    const { cluster, nodes } = this.#facts;
    if (cluster.quorum === 'none' || cluster.fence !== 'gate') return;
    const addresses = addressesOf(cluster, name).map(({ prefix }) => prefix.address);
    for (const other of nodes) {
      const host = this.#facts.host(other);
      if (other === node || !host.gateStands) continue;
      const answered = addresses.find((address) => this.#facts.answering(address).includes(other));
      if (answered !== undefined)
        this.#facts.violated('S11', `${node} starts ${name} while ${other} answers for ${answered}`);
      if (this.#shut.has(other)) continue;
      const job = this.#jobs.get(`${other} ${name}`) ?? 'halted';
      const speaks = addresses.some((address) => host.lets(address));
      if (speaks && (job === 'starting' || job === 'running' || job === 'halting'))
        this.#facts.violated('S11', `${node} starts ${name}, which is ${job} on ${other} under a lease`);
    }
  }
}

/**
 * What shuts nodes from outside: a power switch, or the ports of bridges. Programs called `/lab/NAME` on every host reach
 * it, with the action and the node as last words, as commands of `fenceAgents` are run.
 */
import type { FenceFault, Scenario } from '../../src/drill/scenario.js';
import type { AgentOutcome, Ms } from '../../src/input.js';
import type { AgentAction, AgentInput, AgentLine, RunAgent } from '../agent/agent-port.js';
import type { Cable } from './cable.js';
import type { Network } from './network.js';
import { powerOff, type Heal } from './node-faults.js';

type Plan = Scenario['topology']['fences'][string];

/** `lie`: says that it is done, and does nothing. */
export type FenceTrouble = { how: 'hang' | 'fail' | 'lie' } | { how: 'slow'; forMs: Ms };

const FOLDER = '/lab/';

export class FenceDevice {
  readonly #network: Network;
  readonly #plan: Plan;
  readonly #shut = new Map<string, Heal>();
  trouble: FenceTrouble | null = null;

  constructor(network: Network, plan: Plan) {
    this.#network = network;
    this.#plan = plan;
  }

  /** From the command to its end; null: it never ends by itself. */
  get tookMs(): Ms | null {
    if (this.trouble?.how === 'hang') return null;
    return this.#plan.takes + (this.trouble?.how === 'slow' ? this.trouble.forMs : 0);
  }

  /** Does it; the exit code. */
  act(action: string, node: string): number {
    const { trouble } = this;
    if (trouble?.how === 'fail' || !this.#network.hosts.has(node)) return 1;
    if (trouble?.how === 'lie') return 0;
    if (action === 'off' || action === 'reboot') this.#close(node);
    if (action === 'on' || action === 'reboot') this.#open(node);
    return 0;
  }

  #close(node: string): void {
    const network = this.#network;
    if (this.#plan.shuts === 'power') {
      const daemon = network.daemons.get(node)!;
      // One that it shut before may have been switched on by hand.
      if (daemon.host.powered) this.#shut.set(node, powerOff(network, daemon));
      return;
    }
    if (this.#shut.has(node)) return;
    const cables = this.#cables(node);
    for (const cable of cables) cable.closed = true;
    this.#shut.set(node, () => {
      for (const cable of cables) cable.closed = false;
    });
  }

  #cables(node: string): Cable[] {
    const { switches } = this.#plan;
    const bridges = switches.length === 0 ? [...this.#network.bridges.keys()] : switches;
    const ports = [...this.#network.ports].filter(([name]) => name.startsWith(`${node}.`)).map(([, port]) => port);
    const closed = bridges.flatMap((name) => this.#network.bridges.get(name)?.ports ?? []);
    return ports.filter((port) => closed.includes(port)).flatMap((port) => port.cable ?? []);
  }

  #open(node: string): void {
    this.#shut.get(node)?.();
    this.#shut.delete(node);
  }
}

export function strikeFence(network: Network, fault: FenceFault): Heal {
  const device = network.fences.get(fault.device);
  if (!device) throw new Error(`the topology has no fence device "${fault.device}"`);
  device.trouble = troubleOf(fault);
  return () => (device.trouble = null);
}

function troubleOf(fault: FenceFault): FenceTrouble {
  switch (fault.fault) {
    case 'fence-slow':
      return { how: 'slow', forMs: fault.forMs };
    case 'fence-hang':
      return { how: 'hang' };
    case 'fence-fail':
      return { how: 'fail' };
    case 'fence-lie':
      return { how: 'lie' };
  }
}

interface Run {
  action: RunAgent;
  begunAt: Ms;
}

/** The programs of one run of a daemon. They outlive it; what they say is then heard by nobody. */
export class FencePrograms implements AgentLine {
  readonly #network: Network;
  readonly #runs = new Map<string, Run>();
  #take: (input: AgentInput) => void = () => undefined;

  constructor(network: Network) {
    this.#network = network;
  }

  onInput(take: (input: AgentInput) => void): void {
    this.#take = take;
  }

  post(action: AgentAction): void {
    const { clock } = this.#network.world;
    if (action.kind === 'end-agent') return void this.#over(action.id, { how: 'ended' });
    const { command, withinMs } = action;
    const [program, verb, node] = [command[0]!, command.at(-2) ?? '', command.at(-1) ?? ''];
    const device = program.startsWith(FOLDER) ? this.#network.fences.get(program.slice(FOLDER.length)) : undefined;
    this.#runs.set(action.id, { action, begunAt: clock.now });
    if (!device) {
      clock.after(0, () => this.#over(action.id, { how: 'refused', text: `${program} cannot be looked at: ENOENT` }));
      return;
    }
    const { tookMs } = device;
    if (tookMs !== null && tookMs < withinMs)
      clock.after(tookMs, () => {
        if (this.#runs.has(action.id)) this.#over(action.id, { how: 'exited', code: device.act(verb, node) });
      });
    clock.after(withinMs, () => this.#over(action.id, { how: 'timed-out' }));
  }

  #over(id: string, outcome: AgentOutcome): void {
    const run = this.#runs.get(id);
    if (!run) return;
    this.#runs.delete(id);
    const tookMs = this.#network.world.clock.now - run.begunAt;
    this.#take({ kind: 'agent-exited', id, outcome, output: '', tookMs });
  }
}

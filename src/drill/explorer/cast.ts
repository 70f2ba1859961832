/** Who plays which part in an aimed schedule: drawn blows name parts, the world has nodes. */
import type { SimulatorLab } from '../../../drivers/simulator/lab.js';
import type { OperatorRequest } from '../../status.js';

/**
 * `first` is the coordinator, `second` the holder of the first address if that is another node, the others follow in the
 * order of the cluster file. Dealt when a blow first names a part, and kept from then on.
 */
export const PARTS = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth'] as const;

const PART = new RegExp(`\\b(?:${PARTS.join('|')})\\b`, 'g');

export class Cast {
  readonly #lab: SimulatorLab;
  readonly #nodes: readonly string[];
  readonly #address: string | undefined;
  #dealt: readonly string[] | null = null;

  constructor(lab: SimulatorLab, { nodes, addresses }: { nodes: readonly string[]; addresses: readonly string[] }) {
    this.#lab = lab;
    this.#nodes = nodes;
    this.#address = addresses[0];
  }

  /** With nodes in the place of parts. */
  named(text: string): string {
    return text.replace(PART, (part) => this.#nodeOf(part));
  }

  asked(request: OperatorRequest): OperatorRequest {
    return JSON.parse(this.named(JSON.stringify(request))) as OperatorRequest;
  }

  #nodeOf(part: string): string {
    this.#dealt ??= this.#deal();
    return this.#dealt[PARTS.findIndex((it) => it === part)] ?? this.#nodes.at(-1)!;
  }

  #deal(): string[] {
    const { daemons } = this.#lab.network;
    const leads = (name: string): boolean => daemons.get(name)?.node?.state.membership.post.role === 'coordinator';
    const holds = (name: string): boolean =>
      this.#address !== undefined && this.#lab.watcher.answering(this.#address).includes(name);
    const rank = (name: string): number => (leads(name) ? 0 : holds(name) ? 1 : 2);
    return [...this.#nodes].sort((a, b) => rank(a) - rank(b));
  }
}

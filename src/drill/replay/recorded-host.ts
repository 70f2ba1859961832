/** A node as its recordings show it: the kernel by what it told its daemon, the gate by what was written to it. */
import type { Action, Step } from '../../action.js';
import type { Input, Ms, NicObservation, Route } from '../../input.js';
import type { HostFacts, NicFacts } from '../invariant/invariant.js';

const SYSCTL = /^(ipv[46]\/(?:conf|neigh)\/)([^/]+)(\/\w+)$/;

export class RecordedHost implements HostFacts {
  runsSince: Ms = Infinity;
  awakeSince: Ms = Infinity;
  readonly powered = true;
  readonly powerLosses = 0;
  readonly heldMs = 0;
  readonly #now: () => Ms;
  readonly #hasGate: boolean;
  readonly #seen = new Map<string, NicObservation>();
  #routes: Route[] = [];
  #held: ReadonlySet<string> = new Set();
  #endsAt: Ms = -Infinity;
  readonly #writes = new Map<number, { held: readonly string[]; endsAt: Ms }>();
  readonly #changes = new Map<number, { steps: readonly Step[]; undo: readonly Step[] }>();
  /** Made, and not looked at since. */
  #made: Step[] = [];
  #lastAt: Ms = -Infinity;

  constructor(hasGate: boolean, now: () => Ms) {
    this.#hasGate = hasGate;
    this.#now = now;
  }

  get gateStands(): boolean {
    return this.#hasGate;
  }

  get leaseLeftMs(): Ms {
    return this.#endsAt - this.#now();
  }

  lets(address: string): boolean {
    return !this.#hasGate || (this.#held.has(address) && this.#now() < this.#endsAt);
  }

  *nics(): Iterable<NicFacts> {
    for (const { nic, admin, carrier, addresses } of this.#seen.values())
      yield { name: nic, admin, carrier, addresses };
  }

  routes(): readonly Route[] {
    return this.#routes;
  }

  setting(name: string): string | undefined {
    const [, before, nic, after] = SYSCTL.exec(name) ?? [];
    return nic === undefined ? undefined : this.#seen.get(nic)?.settings[`${before!}{nic}${after!}`];
  }

  has(address: string): boolean {
    for (const { admin, addresses } of this.#seen.values())
      if (admin && addresses.some(({ local }) => local === address)) return true;
    return false;
  }

  /** Before the machine takes it. Returns the changes of its hands that can be seen now. */
  take(input: Input): Step[] {
    switch (input.kind) {
      case 'started':
        this.#begin(input.hostUpMs);
        break;
      case 'stalled':
        this.awakeSince = this.#now();
        break;
      case 'host-observed':
        this.#observe(input.nics, input.missing);
        return this.#made.splice(0);
      case 'host-changed':
        this.#change(input);
        break;
      case 'gate-written':
        this.#gate(input.id, input.outcome.ok);
        break;
      case 'gate-lost':
        this.#held = new Set();
        this.#endsAt = -Infinity;
        break;
      default:
    }
    this.#lastAt = this.#now();
    return [];
  }

  /** `own`: of the node's clock, from which the common one is `apartMs` away. */
  ask(actions: readonly Action[], apartMs: Ms): void {
    for (const action of actions) {
      if (action.kind === 'write-gate') {
        const endsAt = action.leaseEnd === null ? -Infinity : action.leaseEnd + apartMs;
        this.#writes.set(action.id, { held: action.held, endsAt });
      } else if (action.kind === 'change-host')
        this.#changes.set(action.id, { steps: action.steps, undo: action.undo ?? [] });
    }
  }

  /** Its daemon is gone; the kernel stays. */
  end(): void {
    this.runsSince = this.awakeSince = Infinity;
    this.#writes.clear();
    this.#changes.clear();
    this.#made = [];
  }

  /** When the gate closes by itself, in the common clock. */
  get closesAt(): Ms {
    return this.#endsAt;
  }

  #begin(hostUpMs: Ms): void {
    this.runsSince = this.awakeSince = this.#now();
    if (this.#now() - hostUpMs <= this.#lastAt) return;
    // Another kernel than that of the run before.
    this.#held = new Set();
    this.#endsAt = -Infinity;
    this.#seen.clear();
    this.#routes = [];
  }

  #observe(nics: readonly NicObservation[], missing: readonly string[]): void {
    for (const name of missing) this.#seen.delete(name);
    for (const seen of nics) this.#seen.set(seen.nic, seen);
    // A route over several NICs is shown at each of them.
    const known = new Map(this.#routes.map((route) => [JSON.stringify(route), route]));
    const routes = new Map<string, Route>();
    for (const { routes: shown } of this.#seen.values())
      for (const route of shown) {
        const text = JSON.stringify(route);
        const key = route.nextHops === undefined ? text : JSON.stringify({ ...route, nic: '' });
        if (!routes.has(key)) routes.set(key, known.get(text) ?? route);
      }
    this.#routes = [...routes.values()];
  }

  #change({ id, failed, undone }: Extract<Input, { kind: 'host-changed' }>): void {
    const change = this.#changes.get(id);
    this.#changes.delete(id);
    if (change === undefined) return;
    const done = failed === undefined ? change.steps : change.steps.slice(0, failed.step);
    this.#made.push(...done, ...(undone ? change.undo.slice(0, done.length).reverse() : []));
  }

  #gate(id: number, isDone: boolean): void {
    const write = this.#writes.get(id);
    for (const known of [...this.#writes.keys()]) if (known <= id) this.#writes.delete(known);
    if (!isDone || write === undefined) return;
    this.#held = new Set(write.held);
    this.#endsAt = write.endsAt;
  }
}

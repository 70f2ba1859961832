import type { Action } from '../../action.js';
import type { Input, Ms } from '../../input.js';
import type { Post } from '../../membership/state.js';
import type { Node } from '../../node.js';
import type { Facts, Invariant } from './invariant.js';

/** What a daemon began with. */
interface Standing {
  digest: string;
  keys: readonly string[];
  until: Ms;
}

/**
 * S12: another key or cluster file never counts to a quorum. Looked at where counting happens: whenever a coordinator counts
 * an answer, or a candidate a vote, that voter's daemon reads the same file and shares a key, or did so within the time that a
 * lease lives.
 */
export class ConfigGuard implements Invariant {
  readonly name = 'S12';
  readonly #facts: Facts;
  /** Node → the newest last. */
  readonly #standings = new Map<string, Standing[]>();
  /** What each post has counted so far: voter → of when. */
  readonly #counted = new WeakMap<Post, Map<string, Ms>>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  stepped(node: string, input: Input, _actions: readonly Action[], machine: Node): void {
    switch (input.kind) {
      case 'started':
        this.#note(node, machine.options.cluster.digest, machine.options.keys);
        break;
      case 'keys-read':
        if (input.keys.length > 0) this.#note(node, machine.options.cluster.digest, input.keys);
        break;
      case 'datagram-received':
      case 'serial-received':
        this.#count(node, machine.state.membership.post);
        break;
      default:
    }
  }

  #note(node: string, digest: string, keys: readonly string[]): void {
    const now = this.#facts.now();
    const known = this.#standings.get(node) ?? [];
    const last = known.at(-1);
    if (last) last.until = now;
    const oldest = now - this.#facts.cluster.timing.nodeTimeoutMs;
    const kept = known.filter(({ until }) => until >= oldest);
    this.#standings.set(node, [...kept, { digest, keys, until: Infinity }]);
  }

  #count(node: string, post: Post): void {
    if (post.role === 'follower') return;
    const known = this.#counted.get(post) ?? new Map<string, Ms>();
    this.#counted.set(post, known);
    const counted = post.role === 'coordinator' ? post.acked : post.role === 'candidate' ? post.votes : post.yes;
    for (const voter in counted) {
      const what = counted[voter]!;
      const at = typeof what === 'object' ? what.sentAt : Number(what);
      if (known.get(voter) === at) continue;
      known.set(voter, at);
      this.#judge(node, voter.split('/')[0]!, post.role);
    }
  }

  #judge(node: string, other: string, role: string): void {
    if (other === node || !this.#facts.nodes.includes(other)) return;
    const oldest = this.#facts.now() - this.#facts.cluster.timing.nodeTimeoutMs;
    const recent = (name: string): Standing[] =>
      (this.#standings.get(name) ?? []).filter(({ until }) => until >= oldest);
    const theirs = recent(other);
    if (theirs.length === 0) return;
    const agrees = recent(node).some((mine) =>
      theirs.some(({ digest, keys }) => digest === mine.digest && keys.some((key) => mine.keys.includes(key))),
    );
    if (!agrees)
      this.#facts.violated('S12', `${node} as ${role} counts ${other}, which has another key or cluster file`);
  }
}

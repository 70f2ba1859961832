/** Frames that batond dropped and that tell of a mistake somewhere else: the counts of `dropped` as an administrator reads them. */
export interface Strangers {
  who: 'namesake' | 'other-key' | 'other-cluster' | 'unreadable';
  /** Frames since batond started. */
  count: number;
  text: string;
}

const READ_AS: readonly { who: Strangers['who']; reasons: readonly string[]; text: string }[] = [
  { who: 'namesake', reasons: ['poll-foreign-incarnation'], text: "of another node with this node's name" },
  { who: 'other-key', reasons: ['poll-key', 'poll-seal'], text: 'sealed with another key' },
  { who: 'other-cluster', reasons: ['poll-cluster'], text: 'of another cluster' },
  {
    who: 'unreadable',
    reasons: ['poll-short', 'poll-version', 'poll-length', 'poll-malformed'],
    text: 'that cannot be read',
  },
];

/** Gravest first. */
export function strangers(dropped: Readonly<Record<string, number>>): Strangers[] {
  return READ_AS.map(({ who, reasons, text }) => {
    const count = reasons.reduce((sum, reason) => sum + (dropped[reason] ?? 0), 0);
    return { who, count, text };
  }).filter(({ count }) => count > 0);
}

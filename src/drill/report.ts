/** What a drill tells when it is over: its timeline, what clients felt, who held what, and whether all was as it should be. */
import type { Hold, Lab, Overlap } from '../../drivers/lab.js';
import type { Ms } from '../input.js';
import type { JournalEntry } from '../status.js';
import { floatingAddresses } from './floating.js';
import type { Scenario } from './scenario.js';
import { settingOf, type Setting } from './setting.js';

const ANSWERED_LATE_MS = 1000;

export interface TimelineLine {
  at: Ms;
  what: 'say' | 'fault' | 'heal' | 'do' | 'journal' | 'met' | 'unmet' | 'outage';
  text: string;
  /** Of `journal`: the entry itself, with its evidence; `at` is the drill's. */
  entry?: JournalEntry & { node: string };
}

/** Of an invariant. */
export interface Violation {
  /** `S1`; `crash`: the machine itself failed. */
  invariant: string;
  /** Of the drill. */
  at: Ms;
  text: string;
}

/** What was to come true after a blow, and when that was judged. */
export interface Judged {
  from: Ms;
  at: Ms;
  label: string;
  /** Empty: it did. */
  wrong: string[];
}

export interface DrillReport {
  scenario: string;
  title: string;
  lab: 'simulator' | 'kernel';
  verdict: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped. */
  reason?: string;
  failures: string[];
  timeline: TimelineLine[];
  /** `gaps`: as in `ProbeReport`. */
  outages: {
    client: string;
    address: string;
    longestMs: Ms;
    sent: number;
    answered: number;
    gaps: { fromMs: Ms; toMs: Ms }[];
  }[];
  /** Package → node that answers for all its addresses at the end; null: nobody does. */
  holders: Record<string, string | null>;
  connections: { client: string; address: string; alive: boolean; pauseMaxMs: Ms }[];
  /** Two nodes answered for one floating address; null: the scenario has none. */
  twoHolders: { totalMs: Ms; overlaps: Overlap[] } | null;
  /** Each blow, and what clients felt from it to the next: the longest gap that ended meanwhile; 0: none above 5 ms. */
  acts: {
    at: Ms;
    kind: 'fault' | 'heal' | 'do';
    /** `cut alpha.eth0`; `alpha: package move web`. */
    what: string;
    label: string;
    felt: { client: string; address: string; longestMs: Ms }[];
  }[];
  judged: Judged[];
  setting: Setting;
  /** Faults in force before the daemons started. */
  before: string[];
  /** Who answered for floating addresses, from when to when. */
  holds: Hold[];
  /** The drill's last moment; its first one, when all daemons answered, is 0. */
  endedAt: Ms;
  /** Wall time that the drill took. */
  tookMs: Ms;
}

export function skipped(scenario: Scenario, lab: Lab['name'], reason: string): DrillReport {
  const { name, title } = scenario;
  return {
    scenario: name,
    title,
    lab,
    verdict: 'skipped',
    reason,
    failures: [],
    timeline: [],
    outages: [],
    holders: {},
    connections: [],
    twoHolders: null,
    acts: [],
    judged: [],
    setting: settingOf(scenario),
    before: scenario.before,
    holds: [],
    endedAt: 0,
    tookMs: 0,
  };
}

/** On a busy machine its last answers may be on their way yet. */
function lastHolder(lab: Lab, address: string): string | null {
  const holder = lab.holder(address);
  if (holder !== null || lab.name === 'simulator') return holder;
  const since = lab.now() - ANSWERED_LATE_MS;
  const late = lab.holds().filter((hold) => hold.address === address && hold.toMs > since);
  return late.sort((a, b) => b.toMs - a.toMs)[0]?.node ?? null;
}

/** Package → node that answers for all its addresses now; null: nobody does. */
export function holdersOf(lab: Lab, scenario: Scenario): DrillReport['holders'] {
  const floating = floatingAddresses(scenario);
  const names = [...new Set(floating.map((one) => one.package))];
  return Object.fromEntries(
    names.map((name) => {
      const [first, ...others] = floating
        .filter((one) => one.package === name)
        .map(({ address }) => lastHolder(lab, address));
      return [name, others.every((node) => node === first) ? first! : null];
    }),
  );
}

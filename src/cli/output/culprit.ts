/**
 * Whom the hearing accuses. The matrix of full polling says for each pair who heard whom; what is broken leaves a
 * pattern in it:
 *
 *        a  b  c  d          an empty row    a is heard by nobody: it is mute
 *     a  ·  .  .  .          an empty column nobody reaches it: it is deaf
 *     b  x  ·  x  x          both            it is silent
 *     c  x  x  ·  x          two blocks      the trunk between two switches
 *     d  x  x  x  ·          (row sends, column hears)
 */

export interface Heard {
  /** `node/nic` that sent. */
  from: string;
  /** `node/nic` that heard it. */
  to: string;
}

export interface Suspicion {
  what: 'silent' | 'deaf' | 'mute' | 'switch' | 'trunk' | 'trunk-one-way' | 'one-way' | 'nothing-heard';
  /** Whom it is about. */
  nics: string[];
  text: string;
}

/** Switch → its NICs, as `node/nic`: hints of the cluster file. */
export type SwitchHints = Readonly<Record<string, readonly string[]>>;

class Hearing {
  readonly #pairs: Set<string>;
  constructor(
    readonly nics: readonly string[],
    heard: readonly Heard[],
  ) {
    this.#pairs = new Set(heard.map(({ from, to }) => `${from} ${to}`));
  }

  has(from: string, to: string): boolean {
    return this.#pairs.has(`${from} ${to}`);
  }

  /** How many of the others hear this one. */
  heardBy(nic: string): number {
    return this.nics.filter((other) => other !== nic && this.has(nic, other)).length;
  }

  hears(nic: string): number {
    return this.nics.filter((other) => other !== nic && this.has(other, nic)).length;
  }

  without(gone: readonly string[]): Hearing {
    const heard = [...this.#pairs].map((pair) => pair.split(' ')).map(([from, to]) => ({ from: from!, to: to! }));
    return new Hearing(
      this.nics.filter((nic) => !gone.includes(nic)),
      heard,
    );
  }

  /** NICs joined by hearing in either direction. */
  groups(both: boolean): string[][] {
    const groups: string[][] = [];
    const left = new Set(this.nics);
    for (const first of this.nics) {
      if (!left.delete(first)) continue;
      const group = [first];
      for (const one of group) {
        for (const other of left) {
          const [there, back] = [this.has(one, other), this.has(other, one)];
          if (both ? there && back : there || back) {
            left.delete(other);
            group.push(other);
          }
        }
      }
      groups.push(group.sort());
    }
    return groups;
  }
}

function ends(nics: readonly string[], hearing: Hearing): Suspicion[] {
  const found: Suspicion[] = [];
  for (const nic of nics) {
    const [hears, heardBy] = [hearing.hears(nic) > 0, hearing.heardBy(nic) > 0];
    if (hears && heardBy) continue;
    if (!hears && !heardBy) {
      found.push({
        what: 'silent',
        nics: [nic],
        text: `${nic} neither hears nor is heard: the NIC, its cable or its switch port`,
      });
    } else if (!hears) {
      found.push({
        what: 'deaf',
        nics: [nic],
        text: `${nic} is heard but hears nobody: its inbound direction (NIC, cable or switch port)`,
      });
    } else {
      found.push({
        what: 'mute',
        nics: [nic],
        text: `${nic} hears but nobody hears it: its outbound direction (NIC, cable or switch port)`,
      });
    }
  }
  return found;
}

/** All NICs of one hinted switch silent at once: the switch rather than each of them. */
function atOneSwitch(silent: readonly string[], hints: SwitchHints): Suspicion | null {
  if (silent.length < 2) return null;
  for (const [name, ports] of Object.entries(hints)) {
    if (ports.every((port) => silent.includes(port)) && silent.every((nic) => ports.includes(nic))) {
      return {
        what: 'switch',
        nics: [...silent],
        text: `${silent.join(', ')} are silent, all on switch ${name}: the switch`,
      };
    }
  }
  return null;
}

const list = (nics: readonly string[]): string => nics.join(', ');

function between(hearing: Hearing): Suspicion[] {
  const apart = hearing.groups(false);
  if (apart.length > 1) {
    const text = `${apart.map(list).join(' | ')}: the sides do not hear each other: the trunk between their switches`;
    return [{ what: 'trunk', nics: [...hearing.nics], text }];
  }
  const mutual = hearing.groups(true);
  if (mutual.length === 2) {
    const [one, other] = mutual as [string[], string[]];
    const crossing = (from: string[], to: string[]) => from.flatMap((a) => to.map((b) => hearing.has(a, b)));
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      if (from.length < 2 || to.length < 2) continue;
      if (crossing(from, to).every((it) => !it) && crossing(to, from).every((it) => it)) {
        const text = `nothing goes from ${list(from)} to ${list(to)}, but everything back: the trunk between their switches, in that direction`;
        return [{ what: 'trunk-one-way', nics: [...hearing.nics], text }];
      }
    }
  }
  return hearing.nics.flatMap((from) =>
    hearing.nics
      .filter((to) => to !== from && !hearing.has(from, to))
      .map((to): Suspicion => ({
        what: 'one-way',
        nics: [from, to],
        text: `${to} does not hear ${from}; no third NIC says whose fault it is`,
      })),
  );
}

/**
 * Most certain first; empty if everybody hears everybody, or if there are not enough NICs to compare.
 * `nics`: all NICs of the net. `heard`: what was heard within the last window of full polling.
 */
export function culprits(nics: readonly string[], heard: readonly Heard[], hints: SwitchHints = {}): Suspicion[] {
  const hearing = new Hearing(nics, heard);
  if (nics.length < 2) return [];
  if (heard.length === 0) {
    return [
      {
        what: 'nothing-heard',
        nics: [...nics],
        text: 'nobody hears anybody: the whole net, or a fabric that does not carry EtherType 0x88B5',
      },
    ];
  }
  if (nics.length === 2) {
    return between(hearing).map((it) => ({
      ...it,
      text: `${it.text}${it.what === 'one-way' ? '' : ' or either NIC'}`,
    }));
  }
  const bad = ends(nics, hearing);
  const silent = bad.filter(({ what }) => what === 'silent').flatMap((it) => it.nics);
  const atSwitch = atOneSwitch(silent, hints);
  const named = atSwitch ? [atSwitch, ...bad.filter(({ what }) => what !== 'silent')] : bad;
  const rest = hearing.without(bad.flatMap((it) => it.nics));
  return [...named, ...(rest.nics.length > 1 ? between(rest) : [])];
}

/**
 * Plays flight recordings through the machine again: same inputs, same decisions, same journal. Those of several nodes are merged
 * by one clock, and what must hold is looked at as it was in the drill, as far as recordings tell it.
 *
 *   files ─▶ tapes ─▶ common clock ─▶ merged inputs ─▶ players ─▶ journal, compared with the recorded one
 *                                                        └─▶ recorded scene ─▶ invariants
 */
import type { Hold } from '../../../drivers/lab.js';
import type { RecordedInput } from '../../daemon/recording.js';
import type { Ms } from '../../input.js';
import type { JournalEntry, OperatorRequest } from '../../status.js';
import type { Setting } from '../setting.js';
import type { InvariantName } from '../invariant/invariant.js';
import { commonClock, type CommonClock } from './clock.js';
import { journalOf, Player, type Difference } from './player.js';
import { RecordedScene } from './recorded-scene.js';
import { recordedSetting } from './recorded-setting.js';
import { openTape, readTape, RecordingError, type Tape } from './tape.js';

export { RecordingError } from './tape.js';

export interface ReplayOptions {
  /** Since the first recording's start: nothing later is played. */
  untilMs?: Ms;
  /** Each journal line as it is written anew. */
  onLine?: (line: ReplayLine) => void;
  /** Inputs played so far, now and then. */
  onProgress?: (inputs: number) => void;
}

export interface ReplayLine {
  /** Milliseconds since the first recording's start, in the clock of all. */
  at: Ms;
  node: string;
  entry: JournalEntry;
}

/** A run of a daemon, as far as it was played: one recording, or several that go on from each other. */
export interface ReplayedRun {
  node: string;
  fromMs: Ms;
  toMs: Ms;
}

export interface ReplayedTape {
  path: string;
  node: string;
  /** Of baton, which wrote it. */
  version: string;
  inputs: number;
  cutShort: boolean;
  /** Where the journal that came of it first differs from the recorded one; absent: identical. */
  differs?: Difference;
}

export interface ReplayReport {
  cluster: string;
  recordings: ReplayedTape[];
  /** How the recordings were set beside each other, and how far their times may be apart. */
  clock: Pick<CommonClock, 'kind' | 'uncertaintyMs'>;
  /** What was looked at. */
  invariants: InvariantName[];
  timeline: ReplayLine[];
  /** Times of all that follows are as those of the timeline. */
  runs: ReplayedRun[];
  /** What operators asked of that node's daemon. */
  asked: { at: Ms; node: string; request: OperatorRequest }[];
  /** Who held floating addresses, by what kernels showed and gates were told. */
  holds: Hold[];
  setting: Setting;
  /** It was played to here; the first thing that must hold and does not ends it. */
  endedAt: Ms;
  violation?: { invariant: InvariantName; at: Ms; text: string };
}

const PROGRESS_EACH = 10_000;

/** Throws a RecordingError with what is wrong with the files, a `NodeJS.ErrnoException` if one cannot be read. */
export async function replay(paths: readonly string[], options: ReplayOptions = {}): Promise<ReplayReport> {
  const tapes: Tape[] = [];
  for (const path of paths) tapes.push(await openTape(path));
  mustFit(tapes);
  return new Replay(tapes, await commonClock(tapes), options).run();
}

/** Of one cluster, and each run of a daemon once. */
function mustFit(tapes: readonly Tape[]): void {
  const [first, ...others] = tapes as [Tape, ...Tape[]];
  const seen = new Map<string, Tape>();
  for (const tape of [first, ...others]) {
    const { cluster, node, incarnation, at } = tape.start;
    if (cluster.name !== first.start.cluster.name)
      throw new RecordingError(
        `${tape.path} is of cluster ${cluster.name}, ${first.path} of cluster ${first.start.cluster.name}; replay each by itself`,
      );
    const same = seen.get(`${node} ${incarnation} ${at}`);
    if (same !== undefined)
      throw new RecordingError(`${tape.path} and ${same.path} are the same recording; name it once`);
    seen.set(`${node} ${incarnation} ${at}`, tape);
  }
}

/** One recording under way. */
interface Voice {
  tape: Tape;
  player: Player;
  entries: AsyncGenerator<RecordedInput>;
  next: RecordedInput | null;
  at: Ms;
}

class Replay {
  readonly #tapes: readonly Tape[];
  readonly #clock: CommonClock;
  readonly #options: ReplayOptions;
  readonly #scene: RecordedScene;
  readonly #from: Ms;
  readonly #timeline: ReplayLine[] = [];
  readonly #players: Player[] = [];
  /** By node and incarnation. */
  readonly #runs = new Map<string, ReplayedRun>();
  readonly #asked: ReplayReport['asked'] = [];
  #violation: ReplayReport['violation'];
  #inputs = 0;

  constructor(tapes: readonly Tape[], clock: CommonClock, options: ReplayOptions) {
    this.#tapes = tapes;
    this.#clock = clock;
    this.#options = options;
    this.#from = Math.min(...tapes.map((tape) => clock.of(tape, tape.start)));
    const clusters = tapes.map(({ start }) => start.cluster);
    const violated = (invariant: InvariantName, text: string): void => {
      this.#violation ??= { invariant, at: this.#scene.now() - this.#from, text };
    };
    this.#scene = new RecordedScene(clusters, this.#from, violated, { isEstimated: clock.uncertaintyMs > 0 });
  }

  async run(): Promise<ReplayReport> {
    const until = this.#from + (this.#options.untilMs ?? Infinity);
    const voices: Voice[] = [];
    for (const tape of this.#tapes) {
      const player = new Player(tape);
      this.#players.push(player);
      const voice: Voice = { tape, player, entries: readTape(tape), next: null, at: this.#clock.of(tape, tape.start) };
      if (await this.#read(voice)) voices.push(voice);
    }
    while (voices.length > 0 && this.#violation === undefined) {
      const voice = voices.reduce((first, other) => (other.at < first.at ? other : first));
      if (voice.at > until) break;
      this.#scene.advance(voice.at);
      if (this.#violation !== undefined) break;
      this.#play(voice);
      if (await this.#read(voice)) continue;
      voices.splice(voices.indexOf(voice), 1);
      // Another one of the same daemon goes on where this one ends.
      const { node, incarnation } = voice.tape.start;
      const goesOn = voices.some(({ tape: { start } }) => start.node === node && start.incarnation === incarnation);
      if (!goesOn) this.#scene.end(node);
    }
    for (const { entries } of voices) await entries.return(undefined);
    return this.#report();
  }

  async #read(voice: Voice): Promise<boolean> {
    const read = await voice.entries.next();
    if (read.done === true) return false;
    voice.next = read.value;
    // An estimated clock may not run back.
    voice.at = Math.max(voice.at, this.#clock.of(voice.tape, read.value));
    return true;
  }

  #play({ player, next, at, tape }: Voice): void {
    const { node, incarnation } = tape.start;
    const told = at - this.#from;
    const run = this.#runs.get(`${node} ${incarnation}`) ?? { node, fromMs: told, toMs: told };
    this.#runs.set(`${node} ${incarnation}`, { ...run, toMs: told });
    const { input } = next!;
    if (input.kind === 'operator-asked') this.#asked.push({ at: told, node, request: input.request });
    const actions = this.#scene.play(player, next!);
    for (const entry of journalOf(actions)) {
      const line = { at: told, node, entry };
      this.#timeline.push(line);
      this.#options.onLine?.(line);
    }
    if (++this.#inputs % PROGRESS_EACH === 0) this.#options.onProgress?.(this.#inputs);
  }

  #report(): ReplayReport {
    const { kind, uncertaintyMs } = this.#clock;
    return {
      cluster: this.#scene.cluster.name,
      recordings: this.#players.map(({ tape, inputs, differs }) => ({
        path: tape.path,
        node: tape.start.node,
        version: tape.start.version,
        inputs,
        cutShort: tape.cutShort,
        ...(differs && { differs }),
      })),
      clock: { kind, uncertaintyMs },
      invariants: this.#scene.invariants.names,
      timeline: this.#timeline,
      runs: [...this.#runs.values()],
      asked: this.#asked,
      holds: this.#scene.holds.all(),
      setting: recordedSetting(this.#scene.cluster),
      endedAt: this.#scene.now() - this.#from,
      ...(this.#violation && { violation: this.#violation }),
    };
  }
}

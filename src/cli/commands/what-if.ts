import { Flags } from '@oclif/core';
import type { Blow } from '../../drill/foresight/blow.js';
import type { Prediction } from '../../drill/foresight/prediction.js';
import { duration } from '../../drill/scenario.js';
import { EXIT, Failure } from '../command.js';
import { writePictures } from '../drill-files.js';
import { paintFor } from '../output/paint.js';
import { predictionText } from '../output/prediction-text.js';
import { ProgressLine, SituationCommand } from '../situation-command.js';

export default class WhatIf extends SituationCommand {
  static override summary = 'say what faults would do to this cluster as it is now';
  static override description =
    'Restores the live cluster into the simulator (packages, holders, dead NICs, lost nodes, locks), deals the faults in virtual time, and tells what follows, the outage that clients would see, and who holds what in the end. Touches nothing. With --config on the command line it takes that cluster file, with all well. Faults are those of scenarios.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> "power-off alpha"',
    '<%= config.bin %> <%= command.id %> "cut alpha.eth0" "switch-off right" --at 0s,2s',
    '<%= config.bin %> <%= command.id %> "kill beta" "arbiter-off" --config ./cluster.yaml',
    '<%= config.bin %> <%= command.id %> "client-off 10.77.0.254" --json',
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override usage = ['what-if FAULT... [--at TIMES] [--rehearsals N] [--config FILE]'];
  static override flags = {
    at: Flags.string({ description: 'when each fault falls, such as 0s,2s (default: all at once)' }),
    rehearsals: Flags.integer({
      description: 'so many, each at another moment of polls and heartbeats; the first one is told',
      default: 3,
      min: 1,
      max: 1000,
    }),
    html: Flags.string({ description: 'a picture of the first one, as one HTML page', helpValue: '<file>' }),
  };

  async run(): Promise<Prediction> {
    const { argv, flags } = await this.parse(WhatIf);
    const faults = this.faults(argv as string[], flags.at);
    const situation = await this.situation(flags);
    const { predict } = await import('../../drill/foresight/prediction.js');
    const progress = new ProgressLine();
    const prediction = await this.rehearsing((signal) =>
      predict(situation, faults, {
        rehearsals: flags.rehearsals,
        onRehearsed: (count) => progress.show(`rehearsal ${count} of ${flags.rehearsals}`),
        signal,
      }),
    ).finally(() => progress.end());
    for (const line of predictionText(prediction, paintFor(process.stdout))) this.log(line);
    if (flags.html !== undefined) this.log(`picture: ${await writePictures([prediction.drill], flags.html)}`);
    return prediction;
  }

  private faults(words: string[], at: string | undefined): Blow[] {
    if (words.length === 0)
      throw new Failure('which fault? Name one or more, each in quotes: baton what-if "power-off alpha"', EXIT.usage);
    const times = at === undefined ? words.map(() => 0) : at.split(',').map((text) => this.moment(text));
    if (times.length !== words.length)
      throw new Failure(`--at names ${times.length} times for ${words.length} faults; name one for each`, EXIT.usage);
    const first = Math.min(...times);
    return words.map((fault, i) => ({ at: times[i]! - first, fault }));
  }

  private moment(text: string): number {
    const read = duration.safeParse(text.trim());
    if (read.success) return read.data;
    throw new Failure(`--at: "${text}" is no time; write a duration such as 2s or 500ms`, EXIT.usage);
  }
}

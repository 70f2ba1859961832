import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Flags } from '@oclif/core';
import type { Finding } from '../../../drill/explorer/finding.js';
import { BatonCommand, EXIT, Failure } from '../../command.js';
import { interruptible } from '../../interruption.js';
import { ExplorationTally } from '../../output/exploration-text.js';

const SEEDS = /^(\d+)(?:\.\.(\d+))?$/;
const TOLD_EVERY_MS = 5000;

export default class ScenarioExplore extends BatonCommand {
  static override summary = 'try drawn clusters under drawn blows in the simulator, and check what must always hold';
  static override description =
    'Each seed draws a cluster, its wiring and a schedule of blows; then nodes that can serve are healed, and must come to peace. The same seed is the same story. What breaks a rule is made small and written as a scenario that breaks it the same way.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --seeds 1..100 --jobs 2',
    '<%= config.bin %> <%= command.id %> --minutes 5',
    '<%= config.bin %> <%= command.id %> --seeds 17 --trace',
    '<%= config.bin %> <%= command.id %> --seeds 1..50 --aim coordinator-cut-off',
  ];
  static override flags = {
    seeds: Flags.string({ description: 'from..to, or one', exclusive: ['minutes'] }),
    minutes: Flags.integer({ description: 'new seeds for so long', min: 1 }),
    aim: Flags.string({ description: 'with that aim only; a fifth of all seeds has one by itself' }),
    jobs: Flags.integer({ description: 'side by side', default: 1, min: 1 }),
    shrink: Flags.integer({ description: 'seconds for making a violation small; 0: not at all', default: 60, min: 0 }),
    out: Flags.string({ description: 'directory for the scenarios of violations', default: '.' }),
    trace: Flags.boolean({ description: 'print what was drawn and all that happened', default: false }),
    json: Flags.boolean({ description: 'one line of JSON a seed', default: false, exclusive: ['trace'] }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ScenarioExplore);
    const { from, to } = this.range(flags.seeds, flags.minutes);
    const { explore } = await import('../../../drill/explorer/jobs.js');
    const aim = await this.aimNamed(flags.aim);
    const tally = new ExplorationTally(Date.now());
    const told = (found: Finding): void => {
      tally.count(found);
      this.tell(found, flags.json, flags.out, flags.aim);
    };
    const progress = setInterval(() => process.stderr.write(`${tally.text(Date.now())}\n`), TOLD_EVERY_MS);
    const shrinkMs = flags.shrink * 1000;
    try {
      await interruptible(async (signal) => {
        if (flags.trace) return this.tellAll(from, to, aim.aim, signal, told);
        const deadline = flags.minutes === undefined ? Infinity : Date.now() + flags.minutes * 60_000;
        await explore({ from, to, deadline, jobs: flags.jobs, shrinkMs, ...aim, onSeed: told, signal });
      });
    } finally {
      clearInterval(progress);
    }
    if (!flags.json) this.log(tally.text(Date.now()));
    if (tally.violated > 0) process.exitCode = EXIT.refused;
  }

  private async aimNamed(name: string | undefined): Promise<{ aim?: string }> {
    if (name === undefined) return {};
    const { AIMS } = await import('../../../drill/explorer/aimed.js');
    if (name in AIMS) return { aim: name };
    const known = Object.entries(AIMS).map(([aim, { tries }]) => `${aim} (${tries})`);
    throw new Failure(`there is no aim "${name}"; there are ${known.join(', ')}`, EXIT.usage);
  }

  private async tellAll(
    from: number,
    to: number,
    aim: string | undefined,
    signal: AbortSignal,
    told: (found: Finding) => void,
  ): Promise<void> {
    const { exploreSeed } = await import('../../../drill/explorer/exploration.js');
    const { findingOf } = await import('../../../drill/explorer/finding.js');
    for (let seed = from; seed <= to && !signal.aborted; seed++) {
      const explored = await exploreSeed(seed, aim);
      this.log(explored.text);
      told({ ...(await findingOf(explored, 0)), around: [] });
    }
  }

  private range(seeds: string | undefined, minutes: number | undefined): { from: number; to: number } {
    if (seeds === undefined) {
      if (minutes === undefined) return { from: 1, to: 20 };
      return { from: Math.floor(Math.random() * 1e9), to: Infinity };
    }
    const match = SEEDS.exec(seeds);
    if (!match) throw new Failure(`"${seeds}" are no seeds; write 1..100, or one number`, EXIT.usage);
    const from = Number(match[1]);
    const to = match[2] === undefined ? from : Number(match[2]);
    if (to < from) throw new Failure(`--seeds ${seeds} is empty; write the smaller number first`, EXIT.usage);
    return { from, to };
  }

  private tell(found: Finding, json: boolean, out: string, aim: string | undefined): void {
    const { seed, traceHash, simulatedMs, violations, around, scenario } = found;
    const file = scenario === null ? null : join(out, `${aim === undefined ? '' : `${aim}-`}seed-${seed}.yaml`);
    if (file !== null) {
      mkdirSync(out, { recursive: true });
      writeFileSync(file, scenario!);
    }
    if (json) return this.log(JSON.stringify({ seed, traceHash, simulatedMs, violations }));
    if (violations.length === 0) return;
    for (const line of around) this.log(`  ${line}`);
    for (const { invariant, at, text } of violations)
      this.log(`seed ${seed}: ${invariant} at ${at.toFixed(3)} ms: ${text}`);
    this.log(`  again: baton scenario explore --seeds ${seed}${aim === undefined ? '' : ` --aim ${aim}`} --trace`);
    if (file !== null) this.log(`  small: baton scenario run ${file} --on simulator`);
  }
}

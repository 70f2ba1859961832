/** The serial line of a drill's cluster: two pseudo terminals joined by `line/line.c`, at the baud rate of its file. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Scenario, SerialFault } from '../../src/drill/scenario.js';
import { packageRoot } from '../../src/version.js';
import { attempt } from './shell.js';
import type { Undo } from './wire-faults.js';

interface Plan {
  nodes: string[];
  devices: string[];
  baud: number;
}

/** Of the cluster file, whose paths below `/lab/` are the lab's own by now. Null: it has no line. */
function planOf(scenario: Scenario): Plan | null {
  const nodes = (scenario.cluster['nodes'] ?? {}) as Record<string, { serial?: { device: string; baud?: number } }>;
  const lines = Object.entries(nodes).flatMap(([node, { serial }]) => (serial ? [{ node, ...serial }] : []));
  if (lines.length !== 2) return null;
  return {
    nodes: lines.map(({ node }) => node),
    devices: lines.map(({ device }) => device),
    baud: lines[0]!.baud ?? 115_200,
  };
}

/** Path of the program, compiled when there is none of this source. Throws an Error that says what is missing. */
async function compile(): Promise<string> {
  const source = fileURLToPath(new URL('drivers/namespaces/line/line.c', packageRoot()));
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12);
  const program = fileURLToPath(new URL(`build/line-${hash}`, packageRoot()));
  if (existsSync(program)) return program;
  await mkdir(dirname(program), { recursive: true });
  const unfinished = `${program}.${process.pid}`;
  const { code, stderr } = await attempt('cc', ['-O2', '-o', unfinished, source]);
  if (code === 127)
    throw new Error('the kernel lab needs a C compiler for its serial line: apt-get install gcc libc6-dev');
  if (code !== 0) throw new Error(`the serial line does not compile:\n${stderr}`);
  await rename(unfinished, program);
  return program;
}

export class SerialLine {
  readonly #plan: Plan;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  /** Of what was told, each is answered by one line. */
  readonly #waiting: (() => void)[] = [];

  private constructor(plan: Plan, child: ChildProcess) {
    this.#plan = plan;
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()));
    void this.#ended.then(() => this.#waiting.splice(0).forEach((done) => done()));
    createInterface({ input: child.stdout! }).on('line', () => this.#waiting.shift()?.());
  }

  /** Between the devices that the scenario's cluster file names; null if it names none. */
  static async start(scenario: Scenario): Promise<SerialLine | null> {
    const plan = planOf(scenario);
    return plan === null ? null : SerialLine.open(plan.nodes, plan.devices, plan.baud);
  }

  /** `devices`: where the terminals are to be found, in the order of the nodes. */
  static async open(nodes: string[], devices: string[], baud: number): Promise<SerialLine> {
    for (const device of devices) await mkdir(dirname(device), { recursive: true, mode: 0o755 });
    const child = spawn(await compile(), [String(baud), ...devices], { stdio: ['pipe', 'pipe', 'inherit'] });
    const line = new SerialLine({ nodes, devices, baud }, child);
    await new Promise<void>((resolve) => line.#waiting.push(resolve));
    if (child.exitCode !== null) throw new Error('the serial line does not start');
    return line;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async strike(fault: SerialFault): Promise<Undo> {
    switch (fault.fault) {
      case 'serial-cut':
        await this.#tell('cut');
        return () => this.#tell('join');
      case 'serial-unplug': {
        const side = this.#plan.nodes.indexOf(fault.node);
        if (side < 0) throw new Error(`no serial line ends at "${fault.node}"`);
        await this.#tell(`unplug ${side}`);
        return () => this.#tell(`plug ${side}`);
      }
      case 'serial-noise':
        await this.#tell(`noise ${fault.percent / 100}`);
        return () => this.#tell('noise 0');
    }
  }

  #tell(words: string): Promise<void> {
    const done = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#child.stdin!.write(`${words}\n`);
    return done;
  }

  async stop(): Promise<void> {
    this.#child.stdin!.end();
    await this.#ended;
  }
}

/**
 * batond: the daemon's main thread. It may stall without harm: all that must be on time is in the engine.
 *
 *   main (this) ── control socket, log, journal, recording, programs that are run (drivers/agent)
 *     └─ engine ── the machine, packet and heartbeat sockets, timer, sysfs counters, state store   (engine.ts)
 *          ├─ hands ── rtnetlink, sysctls, records of the run directory     (drivers/linux/hands.ts)
 *          ├─ gate ── nftables; only with packages and `fence: gate`        (drivers/linux/gate/hand.ts)
 *          └─ arbiter ── only with packages and an arbiter                  (drivers/arbiter/hand.ts)
 */
import type bunyan from 'bunyan';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AgentRunner } from '../../drivers/agent/runner.js';
import { raiseProcess } from '../../drivers/linux/priority.js';
import type { DaemonStatus } from '../client/document.js';
import { SOCKET_NAME } from '../client/protocol.js';
import { packageVersion } from '../version.js';
import type { OperatorAnswer, OperatorRequest } from '../status.js';
import { ControlServer } from './control-server.js';
import type { EngineSettings, FromEngine, ToEngine } from './engine-port.js';
import { heapLimits } from './heap.js';
import { fenceReadiness } from './fence-readiness.js';
import { Journal } from './journal.js';
import { watchKeyFile } from './key-file.js';
import { openLog } from './log.js';
import { preflight } from './preflight.js';
import { Recorder } from './recorder.js';
import { tellService } from './service.js';

export interface DaemonOptions {
  config: string;
  runDir: string;
  stateDir: string;
  /** Default: the host's name. */
  node?: string;
  shadow: boolean;
}

/** Orders to stop are given this long; then main ends the process, and the next start adopts what is there. */
const STOP_TIMEOUT_MS = 10_000;

/** Runs until a signal ends it. Resolves with the process's exit code; throws what preflight finds. */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  const ready = await preflight(options);
  const log = openLog(ready.cluster.log, ready.node);
  for (const warning of ready.warnings) log.warn(warning);
  raiseProcess();
  const trouble = (what: string) => (error: Error) => log.error({ err: error }, what);
  const journal = new Journal(
    options.stateDir,
    ready.node,
    trouble('the journal cannot be written to the state directory; it goes on in memory'),
  );
  const settings: EngineSettings = {
    cluster: ready.cluster,
    node: ready.node,
    keys: ready.keys,
    incarnation: randomBytes(8).toString('hex'),
    seed: randomBytes(4).readInt32LE(),
    runDir: options.runDir,
    stateDir: options.stateDir,
    shadow: options.shadow,
    record: ready.cluster.record,
    version: packageVersion(),
    ...bootOf(),
  };
  const engine = new EngineHandle(settings, journal, log);
  const recorder = new Recorder(
    options.stateDir,
    () => engine.send({ ask: 'snapshot' }),
    trouble('the recording cannot be written'),
  );
  engine.onRecording = (start) => {
    const file = recorder.begin(start);
    if (file !== null) log.info({ file }, 'recording');
  };
  engine.onRecorded = (lines) => recorder.add(lines);

  const server = await ControlServer.open(
    options.runDir,
    {
      status: () => engine.status(options.shadow),
      clusterFile: () => ready.file,
      ask: (request) => engine.ask(request),
      last: (count) => journal.last(count),
      follow: (onLine) => journal.follow(onLine),
    },
    ready.gid,
  );
  const endWatch = watchKeyFile(ready.cluster.key, ready.keys, (found) => engine.send({ ask: 'keys', ...found }));
  const stop = (how: 'stop' | 'restart') => (): void => {
    log.info({ how }, 'asked to end');
    tellService('STOPPING=1');
    engine.send({ ask: 'stop', how });
    setTimeout(() => {
      log.error(`the engine did not end within ${STOP_TIMEOUT_MS} ms`);
      engine.end(1);
    }, STOP_TIMEOUT_MS).unref();
  };
  const onStop = stop('stop');
  const onRestart = stop('restart');
  process.on('SIGTERM', onStop).on('SIGINT', onStop).on('SIGHUP', onRestart);
  log.info(
    {
      version: settings.version,
      cluster: ready.cluster.name,
      digest: ready.cluster.digest.slice(0, 12),
      shadow: options.shadow,
    },
    'batond starts',
  );

  // Agents take their time to tell of themselves; nothing waits for it.
  void fenceReadiness(ready.cluster).then(({ findings }) => {
    for (const { text, fix } of findings) log.warn(`${text}; ${fix}`);
  });

  const code = await engine.exited;
  process.off('SIGTERM', onStop).off('SIGINT', onStop).off('SIGHUP', onRestart);
  log.info({ code }, 'batond ends');
  endWatch();
  await server.close();
  rmSync(join(options.runDir, SOCKET_NAME), { force: true });
  await Promise.all([journal.close(), recorder.close()]);
  return code;
}

/** Of the kernel; recordings of one boot have one clock. */
function bootOf(): { boot?: string } {
  try {
    return { boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() };
  } catch {
    return {};
  }
}

/** Main's side of the engine thread: numbered questions out, answers and news in. */
class EngineHandle {
  readonly exited: Promise<number>;
  onRecording: (start: string) => void = () => {};
  onRecorded: (lines: string) => void = () => {};
  readonly #worker: Worker;
  readonly #settings: EngineSettings;
  readonly #waiting = new Map<number, (message: FromEngine) => void>();
  readonly #startedAt = performance.now();
  readonly #agents = new AgentRunner((input) => this.send({ ask: 'take', input }));
  #nextId = 1;
  #end: (code: number) => void = () => {};

  constructor(settings: EngineSettings, journal: Journal, log: bunyan) {
    this.#settings = settings;
    const resourceLimits = heapLimits('engine', settings.cluster, settings.node);
    const url = new URL('./engine.js', import.meta.url);
    this.#worker = new Worker(url, { workerData: settings, name: 'engine', resourceLimits });
    this.exited = new Promise((resolve) => {
      this.#end = (code) => {
        this.#agents.close();
        resolve(code);
      };
    });
    this.#worker.on('message', (message: FromEngine) => this.#hear(message, journal, log));
    this.#worker.on('error', (error) => {
      log.fatal({ err: error }, 'the engine failed');
      this.#end(1);
    });
    this.#worker.on('exit', (code) => this.#end(code));
  }

  send(message: ToEngine): void {
    this.#worker.postMessage(message);
  }

  end(code: number): void {
    this.#end(code);
  }

  async status(shadow: boolean): Promise<DaemonStatus> {
    const answer = await this.#question((id) => ({ ask: 'status', id }));
    if (answer.say !== 'status') throw new Error('the engine is ending');
    return {
      version: this.#settings.version,
      pid: process.pid,
      uptimeMs: Math.round(performance.now() - this.#startedAt),
      lateness: answer.lateness,
      shadow,
      inputs: answer.inputs,
      status: answer.status,
    };
  }

  async ask(request: OperatorRequest): Promise<OperatorAnswer> {
    const answer = await this.#question((id) => ({ ask: 'operator', id, request }));
    return answer.say === 'operator' ? answer.answer : { ok: false, text: 'the daemon is ending' };
  }

  #question(make: (id: number) => ToEngine): Promise<FromEngine> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.send(make(id));
    });
  }

  #hear(message: FromEngine, journal: Journal, log: bunyan): void {
    switch (message.say) {
      case 'journal':
        for (const entry of message.entries) {
          const { at, event, ...rest } = entry;
          const grave = event === 'alarm-raised' || event === 'switch-failed' || event === 'clash';
          log[grave ? 'warn' : 'info']({ event, ...rest }, event);
          journal.add({ at, event, ...rest });
        }
        break;
      case 'status':
      case 'operator':
        this.#waiting.get(message.id)?.(message);
        this.#waiting.delete(message.id);
        break;
      case 'recording':
        this.onRecording(message.start);
        break;
      case 'recorded':
        this.onRecorded(message.lines);
        break;
      case 'note':
        log.warn(message.text);
        break;
      case 'ready':
        log.info('ready');
        tellService('READY=1');
        break;
      case 'agent':
        if (message.action.kind === 'run-agent') this.#agents.run(message.action);
        else this.#agents.end(message.action.id);
        break;
      case 'exit':
        this.#end(message.code);
        break;
    }
  }
}

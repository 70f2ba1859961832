/** `baton demo`: the scenario `demo` told as it happens, on this machine's kernel as root, else on the simulator. */
import { runDrill } from './drill.js';
import type { DrillReport, TimelineLine } from './report.js';
import { openLab } from './labs.js';
import { loadScenario } from './load.js';

export interface DemoOptions {
  /** One line of the story; `kind` is for its colour. */
  say: (text: string, kind: TimelineLine['what'] | 'title') => void;
  signal?: AbortSignal;
  /** Not the kernel, even as root. */
  simulator?: boolean;
}

const INDENT = ' '.repeat(10);

export async function runDemo(options: DemoOptions): Promise<DrillReport> {
  const scenario = loadScenario('demo');
  const kernel = options.simulator === true ? 'asked for the simulator' : await openLab('kernel');
  const lab = typeof kernel === 'string' ? await openLab('simulator') : kernel;
  if (typeof lab === 'string') throw new Error(lab);
  if (typeof kernel === 'string')
    options.say(`On the simulator, in virtual time (${kernel}): the same daemon's decisions, no kernel.`, 'title');
  else
    options.say(
      'On this kernel: switches, two servers, a client and an arbiter as network namespaces, real daemons, real packets.',
      'title',
    );
  return runDrill(scenario, lab, {
    onLine: (line) => {
      const time = `${(line.at / 1000).toFixed(3).padStart(8)}s `;
      if (line.what === 'say') options.say(`\n${time}${line.text}`, 'say');
      else if (line.what === 'met' || line.what === 'unmet' || (line.what === 'journal' && !isAside(line.text)))
        options.say(wrap(`${time}  ${line.text}`), line.what);
    },
    ...(options.signal ? { signal: options.signal } : {}),
  });
}

/** True, and not the story: how the daemons come to agree, and what they look at meanwhile. */
const ASIDE =
  / (polling|readiness|settings|path|role|committed|adopted|formed|node-started|state-lost|alarm-raised|alarm-cleared|lease over|nic-health \S+ (up|suspect)) /;

export function isAside(text: string): boolean {
  return ASIDE.test(text);
}

/** Long outage lists go on under their first line. */
function wrap(text: string): string {
  return text.replace(/; /g, `;\n${INDENT}    `);
}

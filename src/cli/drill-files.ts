/** Reports of drills as files: pictures for people, JUnit XML for machines. */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DrillReport } from '../drill/report.js';
import { Failure } from './command.js';

export const HTML_HELP =
  'a picture of the drill, as one HTML page that needs no other; of several drills: a folder with an index';

/** Several drills, or a folder that is there already: a page each in that folder, and an index. */
export async function writePictures(reports: readonly DrillReport[], path: string): Promise<string> {
  const { pictureOfDrill } = await import('../drill/picture/drill-page.js');
  const [only] = reports;
  if (only && reports.length === 1 && !path.endsWith('/') && !(await isFolder(path)))
    return written(path, pictureOfDrill(only));
  const { indexOfDrills } = await import('../drill/picture/index-page.js');
  await madeFolder(path);
  const counts = new Map<string, number>();
  const drills = reports.map((report) => {
    const count = (counts.get(report.scenario) ?? 0) + 1;
    counts.set(report.scenario, count);
    return { report, file: `${report.scenario}${count === 1 ? '' : `-${count}`}.html` };
  });
  for (const { report, file } of drills) await written(join(path, file), pictureOfDrill(report));
  return written(join(path, 'index.html'), indexOfDrills(drills));
}

export async function writeJunit(reports: readonly DrillReport[], path: string): Promise<string> {
  const { drillJunit } = await import('./output/drill-junit.js');
  return written(path, drillJunit(reports));
}

/** Its path. Throws a Failure. */
export async function written(path: string, text: string): Promise<string> {
  try {
    await writeFile(path, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? `there is no folder ${dirname(path)}` : (code ?? String(error));
    throw new Failure(`cannot write ${path}: ${why}`);
  }
  return path;
}

/** Its parent must be there. */
async function madeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  await mkdir(path).catch(({ code }: NodeJS.ErrnoException) => {
    throw new Failure(`cannot make the folder ${path}: ${code ?? 'it fails'}`);
  });
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

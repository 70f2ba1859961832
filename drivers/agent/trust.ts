/** Is a program root's alone (DESIGN 13)? Else whoever may write it, or a directory above it, is root as soon as we run it. */
import { lstat, readlink } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';

const WRITABLE_BY_OTHERS = 0o002;
const WRITABLE_BY_GROUP = 0o020;
const EXECUTABLE = 0o111;
/** As the kernel's own limit (path_resolution(7)). */
const LINKS_MAX = 40;

/** Why that program must not be run; null: it may. Every directory, link and file on the way to it is looked at. */
export async function distrust(program: string): Promise<string | null> {
  if (!isAbsolute(program)) return `${program} is not an absolute path`;
  try {
    return await walk(resolve(program), 0);
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    return `${path ?? program} cannot be looked at: ${code ?? String(error)}`;
  }
}

async function walk(path: string, links: number): Promise<string | null> {
  if (links > LINKS_MAX) return `${path} is behind too many links`;
  const names = path.split('/').slice(1);
  let at = '';
  for (const [i, name] of ['', ...names].entries()) {
    at = i === 0 ? '/' : `${at === '/' ? '' : at}/${name}`;
    const { uid, gid, mode, isLink, isDirectory, isFile } = await look(at);
    if (uid !== 0) return `${at} belongs to user ${uid}, not to root`;
    if (isLink) {
      const target = resolve(dirname(at), await readlink(at));
      return walk(resolve(target, ...names.slice(i)), links + 1);
    }
    if ((mode & WRITABLE_BY_OTHERS) !== 0) return `${at} may be written by everybody`;
    if ((mode & WRITABLE_BY_GROUP) !== 0 && gid !== 0) return `${at} may be written by group ${gid}`;
    const isLast = i === names.length;
    if (!isLast && !isDirectory) return `${at} is not a directory`;
    if (isLast && !isFile) return `${at} is not a file`;
    if (isLast && (mode & EXECUTABLE) === 0) return `${at} is not executable`;
  }
  return null;
}

async function look(path: string) {
  const found = await lstat(path);
  return {
    uid: found.uid,
    gid: found.gid,
    mode: found.mode,
    isLink: found.isSymbolicLink(),
    isDirectory: found.isDirectory(),
    isFile: found.isFile(),
  };
}

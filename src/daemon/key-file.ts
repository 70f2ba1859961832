/** Looks after the key file, so that a rotation needs no restart: once a second whether it is another one. */
import { stat } from 'node:fs/promises';
import { keyId, readKeys } from '../config/key.js';

const LOOK_EVERY_MS = 1000;

export interface FoundKeys {
  /** The newest last; none: the file cannot be used. */
  keys: Uint8Array[];
  trouble?: string;
}

/** Tells each change, and each new trouble, once. Returns what ends it. */
export function watchKeyFile(
  path: string,
  present: readonly Uint8Array[],
  onFound: (found: FoundKeys) => void,
): () => void {
  let told = present.map(keyId).join();
  let seen = '';
  const look = async (): Promise<void> => {
    const now = await stampOf(path);
    if (now === seen) return;
    seen = now;
    const found = read(path);
    const tells = found.trouble ?? found.keys.map(keyId).join();
    if (tells === told) return;
    told = tells;
    onFound(found);
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Changes when the file does: a file that was renamed over it has another inode. */
async function stampOf(path: string): Promise<string> {
  try {
    const { ino, mtimeNs, ctimeNs, size } = await stat(path, { bigint: true });
    return [ino, mtimeNs, ctimeNs, size].join();
  } catch (error) {
    return String(error);
  }
}

function read(path: string): FoundKeys {
  try {
    return { keys: readKeys(path) };
  } catch (error) {
    return { keys: [], trouble: (error as Error).message };
  }
}

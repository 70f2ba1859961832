/** A node's key file in a drill, and what seals and opens with the keys in it: numbers stand for keys. */
import type { KeyId } from '../../src/world.js';
import { Keyring } from '../keyring.js';
import type { CommandResult } from '../lab.js';
import type { Daemon } from './daemon.js';
import { plainCipher, plainSeal } from './plain-cipher.js';

export class SimulatedKeys {
  readonly ring = new Keyring();
  /** The newest last. */
  #keys: readonly number[] = [];

  constructor(key: number) {
    this.put([key]);
  }

  get keys(): readonly number[] {
    return this.#keys;
  }

  get ids(): KeyId[] {
    return this.#keys.map(idOf);
  }

  /** As a daemon does that starts. */
  holdAlone(): void {
    this.put(this.#keys);
    this.ring.keepOnly(this.ids);
  }

  put(keys: readonly number[]): void {
    this.#keys = keys;
    for (const key of keys) this.ring.hold(idOf(key), () => ({ seal: plainSeal(key), cipher: plainCipher(key) }));
  }
}

/** Keys that follow each other differ in the first byte, too. */
function idOf(key: number): KeyId {
  return (Math.imul(key, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
}

/** `baton keygen --rotate` and `--rotate --finish` on that node. */
export function makeKey(daemon: Daemon, command: readonly string[]): CommandResult {
  const { keys } = daemon.keys;
  const refused = (text: string): CommandResult => ({ code: 1, stdout: '', stderr: `${text}\n` });
  const written = (next: readonly number[]): CommandResult => {
    daemon.writeKeys(next);
    return { code: 0, stdout: '', stderr: '' };
  };
  if (!command.includes('--rotate')) return refused('the key file exists and is left as it is');
  if (!command.includes('--finish'))
    return keys.length > 1 ? refused('a rotation is under way') : written([...keys, keys[0]! + 1000]);
  if (keys.length < 2) return refused('no rotation is under way');
  if (!command.includes('--force')) {
    const status = daemon.status();
    if (status === null) return { code: 3, stdout: '', stderr: 'no batond answers\n' };
    const { lacking, unheard, file } = status.keys;
    if (file.length < 2) return refused('batond has not read the file yet');
    if (lacking.length + unheard.length > 0) return refused(`not known everywhere: ${[...lacking, ...unheard].join()}`);
  }
  return written(keys.slice(-1));
}

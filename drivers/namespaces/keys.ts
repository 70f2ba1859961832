/** The key files of a drill's nodes, each node its own, as on machines of their own. */
import { randomBytes } from 'node:crypto';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export class DrillKeys {
  readonly #folder: string;
  readonly #keys = { own: randomBytes(32), other: randomBytes(32) };

  /** `folder`: in it each node has its own, which is there. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `isOther`: not the one that the others have. Returns the file's path. */
  async place(node: string, isOther: boolean): Promise<string> {
    const key = isOther ? this.#keys.other : this.#keys.own;
    await writeFile(this.#pathOf(node), key.toString('hex') + '\n', { mode: 0o600 });
    return this.#pathOf(node);
  }

  /** As rsync does it: a new file takes the place of the old one. */
  async copy(from: string, to: string): Promise<void> {
    const draft = `${this.#pathOf(to)}.copied`;
    await copyFile(this.#pathOf(from), draft);
    await rename(draft, this.#pathOf(to));
  }

  #pathOf(node: string): string {
    return join(this.#folder, node, 'cluster.key');
  }
}

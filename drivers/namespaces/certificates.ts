/** Certificates of a drill: an authority, the etcd's own, and one with which the nodes come to it; each may be over by its date. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scenario } from '../../src/drill/scenario.js';
import { run } from './shell.js';

export type Holder = 'server' | 'client';

const GOOD_DAYS = 30;
/** It ended before it began. */
const OVER_DAYS = -1;
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export class Certificates {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** `addresses`: of the members, without prefix length. */
  static async make(folder: string, addresses: readonly string[]): Promise<Certificates> {
    await mkdir(folder, { mode: 0o700 });
    const made = new Certificates(folder);
    const days = ['-days', `${GOOD_DAYS}`];
    await made.#openssl('req', '-x509', ...EC, ...made.#files('authority'), '-subj', '/CN=authority', ...days);
    const names = `subjectAltName=${['127.0.0.1', ...addresses].map((address) => `IP:${address}`).join(',')}`;
    for (const holder of ['server', 'client'] as const) {
      const files = ['-keyout', made.path(`${holder}.key`), '-out', made.path(`${holder}.csr`)];
      await made.#openssl('req', ...EC, ...files, '-subj', `/CN=${holder}`, '-addext', names);
      await made.#issue(holder, GOOD_DAYS);
    }
    return made;
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** In the files that are named, from now on. */
  expire(holder: Holder): Promise<void> {
    return this.#issue(holder, OVER_DAYS);
  }

  renew(holder: Holder): Promise<void> {
    return this.#issue(holder, GOOD_DAYS);
  }

  async #issue(holder: Holder, days: number): Promise<void> {
    const authority = ['-CA', this.path('authority.pem'), '-CAkey', this.path('authority.key'), '-CAcreateserial'];
    const files = ['-in', this.path(`${holder}.csr`), '-out', this.path(`${holder}.pem`)];
    await this.#openssl('x509', '-req', ...files, ...authority, '-copy_extensions', 'copy', '-days', `${days}`);
  }

  #files(name: string): string[] {
    return ['-keyout', this.path(`${name}.key`), '-out', this.path(`${name}.pem`)];
  }

  async #openssl(...words: string[]): Promise<void> {
    await run('openssl', words);
  }
}

/** The cluster file with the paths of the nodes' certificates. */
export function withCertificates(cluster: Scenario['cluster'], certificates: Certificates | null): Scenario['cluster'] {
  if (certificates === null) return cluster;
  const { quorum, ...rest } = cluster as { quorum?: { arbiter?: { etcd?: object } } };
  const files = {
    ca: certificates.path('authority.pem'),
    cert: certificates.path('client.pem'),
    key: certificates.path('client.key'),
  };
  const arbiter = { etcd: { ...quorum?.arbiter?.etcd, ...files } };
  return { ...rest, quorum: { ...quorum, arbiter } };
}

/** AES-256-GCM over heartbeats (NIST SP 800-38D), each channel under a key of its own by HKDF-SHA-256 (RFC 5869). */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

const TAG_LENGTH = 16;
const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
/** A restarted peer is a new channel; the oldest is forgotten. */
const CHANNELS_MAX = 1000;

/** As `Cipher`, under one key. */
export interface KeyedCipher {
  seal(channel: string, counter: number, plain: Uint8Array, associated: Uint8Array): Uint8Array;
  open(channel: string, counter: number, sealed: Uint8Array, associated: Uint8Array): Uint8Array | null;
}

export function cipherWith(key: Uint8Array): KeyedCipher {
  const secret = createSecretKey(key);
  const keys = new Map<string, KeyObject>();
  const keyOf = (channel: string): KeyObject =>
    keys.get(channel) ?? createSecretKey(new Uint8Array(hkdfSync('sha256', secret, 'baton', channel, KEY_LENGTH)));
  // Only a channel that was spoken on: whoever makes up incarnations drives none out.
  const keep = (channel: string, key: KeyObject): void => {
    if (keys.has(channel)) return;
    if (keys.size >= CHANNELS_MAX) keys.delete(keys.keys().next().value!);
    keys.set(channel, key);
  };
  return {
    seal(channel, counter, plain, associated) {
      const key = keyOf(channel);
      keep(channel, key);
      const cipher = createCipheriv('aes-256-gcm', key, nonceOf(counter)).setAAD(associated);
      return new Uint8Array(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
    },
    open(channel, counter, sealed, associated) {
      if (sealed.length < TAG_LENGTH) return null;
      const end = sealed.length - TAG_LENGTH;
      const key = keyOf(channel);
      const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(counter))
        .setAAD(associated)
        .setAuthTag(sealed.subarray(end));
      try {
        const plain = Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
        keep(channel, key);
        return new Uint8Array(plain);
      } catch {
        return null;
      }
    },
  };
}

function nonceOf(counter: number): Uint8Array {
  const nonce = Buffer.alloc(NONCE_LENGTH);
  nonce.writeUIntBE(counter, NONCE_LENGTH - 6, 6);
  return nonce;
}

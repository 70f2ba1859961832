/** AES-256-GCM over heartbeats (NIST SP 800-38D), each channel under a key of its own by HKDF-SHA-256 (RFC 5869). */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Cipher } from '../src/world.js';

const TAG_LENGTH = 16;
const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
/** A restarted peer is a new channel; the oldest is forgotten. */
const CHANNELS_MAX = 1000;

export function cipherWith(key: Uint8Array): Cipher {
  const secret = createSecretKey(key);
  const keys = new Map<string, KeyObject>();
  const keyOf = (channel: string): KeyObject => {
    let found = keys.get(channel);
    if (found === undefined) {
      found = createSecretKey(new Uint8Array(hkdfSync('sha256', secret, 'baton', channel, KEY_LENGTH)));
      if (keys.size >= CHANNELS_MAX) keys.delete(keys.keys().next().value!);
      keys.set(channel, found);
    }
    return found;
  };
  return {
    seal(channel, counter, plain, associated) {
      const cipher = createCipheriv('aes-256-gcm', keyOf(channel), nonceOf(counter)).setAAD(associated);
      return new Uint8Array(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
    },
    open(channel, counter, sealed, associated) {
      if (sealed.length < TAG_LENGTH) return null;
      const end = sealed.length - TAG_LENGTH;
      const decipher = createDecipheriv('aes-256-gcm', keyOf(channel), nonceOf(counter))
        .setAAD(associated)
        .setAuthTag(sealed.subarray(end));
      try {
        return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]));
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

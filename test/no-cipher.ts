/** For tests of stages that seal no heartbeats: whoever uses it fails. */
import type { Cipher } from '../src/world.js';

export const noCipher: Cipher = {
  seal: () => {
    throw new Error('this test has no cipher');
  },
  open: () => {
    throw new Error('this test has no cipher');
  },
};

/** Where there is one key, and its name does not matter. */
export const KEY_ID = '00000000';

import { describe, expect, it } from 'vitest';
import { openLog } from '../../src/daemon/log.js';

describe('log', () => {
  it('tells what an error was', () => {
    const log = openLog({ level: 'info', keep: 1 }, 'alpha') as unknown as {
      serializers: Record<string, (error: Error) => unknown>;
    };
    expect(log.serializers['err']?.(new Error('the engine slipped'))).toMatchObject({ message: 'the engine slipped' });
  });

  it('outlives a full disk behind standard output and standard error', () => {
    for (const stream of [process.stdout, process.stderr]) {
      const before = stream.rawListeners('error');
      const throws = (error: Error): void => {
        throw error;
      };
      stream.on('error', throws);
      openLog({ level: 'info', keep: 1 }, 'alpha');
      expect(() => stream.emit('error', new Error('ENOSPC: no space left on device, write'))).not.toThrow();
      stream.removeAllListeners('error');
      for (const listener of before) stream.on('error', listener as () => void);
    }
  });
});

/** Which part a fault strikes, and what is left of it at the end. */
import { describe, expect, it } from 'vitest';
import { parseFault } from '../../../src/drill/fault.js';
import { marksOf, partKey, partsStruck, strokes, type Act } from '../../../src/drill/picture/part.js';

describe('parts struck', () => {
  it.each([
    ['cut alpha.eth0', ['cable alpha.eth0']],
    ['drop in alpha.eth0', ['cable alpha.eth0']],
    ['loss 20% alpha.eth0', ['cable alpha.eth0']],
    ['loss 20%', []],
    ['admin-down alpha.eth0', ['nic alpha.eth0']],
    ['delete alpha.eth0', ['nic alpha.eth0']],
    ['trunk left-right', ['trunk left-right']],
    ['switch-off left', ['switch left']],
    ['switch-mute left', ['switch left']],
    ['client-off router', ['client router']],
    ['power-off alpha', ['node alpha']],
    ['freeze-for alpha 1s', ['node alpha']],
    ['split alpha|beta,arbiter', ['node alpha', 'node beta', 'arbiter']],
    ['block alpha beta', ['node alpha', 'node beta']],
    ['arbiter-off', ['arbiter']],
    ['arbiter-off two', ['arbiter two']],
    ['arbiter-slow 10s', ['arbiter']],
    ['serial-cut', ['serial']],
    ['serial-unplug alpha', ['serial']],
    ['claim client 10.77.0.100', ['client client']],
    ['cpu-busy 4', []],
  ])('%s', (text, expected) => {
    expect(partsStruck(parseFault(text)).map(partKey)).toEqual(expected);
  });
});

describe('marks', () => {
  const act = (at: number, kind: Act['kind'], what: string): Act => ({ at, kind, what });

  it('a part that is healed was broken; one that is not still is; commands have numbers, too', () => {
    const marks = marksOf(
      strokes(
        [],
        [
          act(1, 'fault', 'cut alpha.eth0'),
          act(2, 'do', 'alpha: package move web'),
          act(3, 'fault', 'power-off beta'),
          act(4, 'heal', 'cut  alpha.eth0'),
        ],
      ),
    );
    expect(marks.get('cable alpha.eth0')).toMatchObject({ state: 'mended', badges: ['1'] });
    expect(marks.get('node beta')).toMatchObject({ state: 'broken', badges: ['3'] });
  });

  it('struck twice and healed once it is broken still, whichever came first', () => {
    const marks = marksOf(
      strokes(
        [],
        [act(1, 'fault', 'freeze alpha'), act(2, 'heal', 'freeze alpha'), act(3, 'fault', 'power-off alpha')],
      ),
    );
    expect(marks.get('node alpha')).toMatchObject({ state: 'broken', badges: ['1', '3'] });
  });

  it('what ends by itself is not broken at the end', () => {
    expect(marksOf(strokes([], [act(1, 'fault', 'restart alpha')])).get('node alpha')?.state).toBe('mended');
    expect(marksOf(strokes([], [act(1, 'fault', 'flap alpha.eth0 50ms 50ms 3')])).get('cable alpha.eth0')?.state).toBe(
      'mended',
    );
  });

  it('in force from before the start', () => {
    expect(marksOf(strokes(['cut alpha.eth0'], [])).get('cable alpha.eth0')).toMatchObject({
      state: 'broken',
      badges: ['from the start'],
    });
  });
});

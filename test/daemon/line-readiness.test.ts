import { expect, test } from 'vitest';
import { lineFindings } from '../../src/daemon/line-readiness.js';

const found = (device?: string): string[] =>
  lineFindings({ name: 'alpha', nets: [], ...(device !== undefined && { serial: { device, baud: 115_200 } }) }).map(
    ({ text, fix }) => `${text}; ${fix}`,
  );

test('no line, or one that can be used, is nothing to tell', () => {
  expect(found()).toEqual([]);
  expect(found('/dev/null')).toEqual([]);
});

test.each([
  ['/dev/baton-no-such-line', /^the serial line .* is not there; plug its adapter in/],
  ['/etc/hostname', /^\/etc\/hostname is no serial line; name the device/],
])('%s', (device, expected) => expect(found(device)[0]).toMatch(expected));

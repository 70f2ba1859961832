/** Text of anybody's making stays text, wherever it is put. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeText, markup, trusted } from '../../../src/drill/picture/markup.js';

describe('markup', () => {
  it.each([
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['" onload="x', '&quot; onload=&quot;x'],
    ["' onload='x", '&#39; onload=&#39;x'],
    ['a & b', 'a &amp; b'],
    ['&lt;', '&amp;lt;'],
    ['a\u0000b\u001bc\u007fd', 'a\ufffdb\ufffdc\ufffdd'],
    ['lone \ud800 surrogate', 'lone \ufffd surrogate'],
    ['whole 😀 stays, ä too', 'whole 😀 stays, ä too'],
    ['tab\tand\nline', 'tab\tand\nline'],
  ])('%j', (text, escaped) => {
    expect(escapeText(text)).toBe(escaped);
    expect(markup`<p title="${text}">${text}</p>`.source).toBe(`<p title="${escaped}">${escaped}</p>`);
  });

  it('takes markup as it is, a list one after another, null as nothing, numbers to a hundredth', () => {
    const inner = markup`<b>${'<'}</b>`;
    expect(markup`${inner}|${[inner, 'x', [null, 1.23456]]}|${null}|${trusted('<i>')}`.source).toBe(
      '<b>&lt;</b>|<b>&lt;</b>x1.23||<i>',
    );
  });

  it('what is escaped twice is not what was escaped once, and nothing that opens a tag or ends a value comes out', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = escapeText(text);
        expect(escaped).not.toMatch(/[<>"']/);
        expect(escaped.replace(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
      }),
    );
  });
});

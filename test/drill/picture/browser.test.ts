/**
 * Pictures in a real browser, Debian's chromium: no complaint, no request, words that can be read, nothing beyond the edge,
 * nothing that axe finds. Skipped where there is no chromium; it is a package of that name.
 */
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pictureOfDrill } from '../../../src/drill/picture/drill-page.js';
import { pictureOfReplay } from '../../../src/drill/picture/replay-page.js';
import { drawnDrill, HOSTILE } from './drawn-drill.js';
import { drawnReplay } from './drawn-replay.js';

const program = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };
/** A4 across, less its margins, at 96 dots an inch. */
const PAPER = { width: Math.floor(((297 - 24) / 25.4) * 96), height: 700 };

/** What axe answers, as far as it is asked. */
interface Found {
  passes: unknown[];
  violations: { id: string; nodes: { html: string }[] }[];
}

describe.skipIf(program === undefined)(
  `a picture in a browser${program === undefined ? ', skipped: no chromium' : ''}`,
  () => {
    let browser: Browser;
    let folder: string;
    let address: string;
    let ofRecordings: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'baton-picture-'));
      const path = join(folder, 'drill.html');
      writeFileSync(path, pictureOfDrill(drawnDrill()));
      address = pathToFileURL(path).href;
      const replayed = join(folder, 'replay.html');
      writeFileSync(replayed, pictureOfReplay(drawnReplay()));
      ofRecordings = pathToFileURL(replayed).href;
      browser = await chromium.launch({
        executablePath: program!,
        args: ['--no-sandbox', '--disable-crash-reporter', '--disable-breakpad'],
        env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder },
      });
    });

    afterAll(async () => {
      await browser?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    async function opened(
      options: BrowserContextOptions,
      of = address,
    ): Promise<{ page: Page; complaints: string[]; requests: string[] }> {
      const page = await (await browser.newContext({ viewport: WIDE, ...options })).newPage();
      const complaints: string[] = [];
      const requests: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('dialog', (dialog) => {
        complaints.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('request', (request) => requests.push(request.url()));
      await page.goto(of);
      return { page, complaints, requests };
    }

    /** `page` bypasses its policy, which lets no script in. */
    async function complaintsOfAxe(page: Page): Promise<string[]> {
      const content = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
      await page.addScriptTag({ content });
      const { passes, violations } = await page.evaluate<Found>('axe.run()');
      expect(passes.length).toBeGreaterThan(15);
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 80)).join(' ')}`);
    }

    it('opens without a complaint and asks nobody for anything', async () => {
      const { page, complaints, requests } = await opened({});
      await page.waitForTimeout(100);
      expect(complaints).toEqual([]);
      expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([address]);
      expect(await page.locator('img').count()).toBe(0);
      await page.context().close();
    });

    it('shows all nodes, NICs, lanes and blows, and names as they are written', async () => {
      const { page } = await opened({ javaScriptEnabled: false });
      const setting = drawnDrill().setting;
      expect(await page.locator('.topology .node').count()).toBe(setting.nodes.length);
      expect(await page.locator('.topology .nic').count()).toBe(setting.nodes.flatMap(({ nics }) => nics).length);
      expect(await page.locator('.topology .switch').count()).toBe(setting.switches.length);
      const figure = page.locator('figure .chart').first();
      expect(await figure.locator('.labels .group').allTextContents()).toEqual([
        'Who answered',
        'Outages',
        'Cluster',
        'alpha',
        'beta',
      ]);
      expect(await figure.locator('.flag').count()).toBe(4);
      expect(await figure.locator('.away').count()).toBe(1);
      expect(await page.locator('h1').textContent()).toBe(`A story ${HOSTILE}`);
      await page.context().close();
    });

    it.each([
      ['wide', WIDE],
      ['narrow', NARROW],
    ])('%s: nothing lies beyond the edge of the page', async (_, viewport) => {
      const { page } = await opened({ viewport });
      const [content, window] = await page.evaluate<[number, number]>(
        '[document.documentElement.scrollWidth, innerWidth]',
      );
      expect(content).toBeLessThanOrEqual(window);
      const font = await page.evaluate<string>(`getComputedStyle(document.querySelector('.lane')).fontSize`);
      expect(parseFloat(font)).toBeGreaterThanOrEqual(11);
      await page.context().close();
    });

    it.each([
      ['light', 'rgb(255, 255, 255)'],
      ['dark', 'rgb(20, 23, 28)'],
    ] as const)('%s: the ground is of that scheme, and axe finds nothing', async (colorScheme, ground) => {
      const { page } = await opened({ colorScheme, bypassCSP: true });
      await page.evaluate(`document.querySelector('.closer').open = true`);
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(ground);
      expect(await complaintsOfAxe(page)).toEqual([]);
      await page.context().close();
    });

    it('on paper it is light whatever the screen is, scrolls nothing away, and shows no search', async () => {
      const { page } = await opened({ colorScheme: 'dark', viewport: PAPER });
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
      expect(await page.evaluate(`getComputedStyle(document.querySelector('.plot')).overflowX`)).toBe('visible');
      expect(await page.locator('.search').isVisible()).toBe(false);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(PAPER.width);
      const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
      expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
      await page.context().close();
    });

    it('is worked by keys: the lanes scroll, a blow opens, the search narrows the timeline', async () => {
      const { page } = await opened({ viewport: NARROW });
      await page.locator('.plot').first().focus();
      await page.keyboard.press('ArrowRight');
      await expect.poll(() => page.evaluate<number>(`document.querySelector('.plot').scrollLeft`)).toBeGreaterThan(0);
      await page.locator('.closer summary').first().focus();
      await page.keyboard.press('Enter');
      expect(await page.evaluate(`document.querySelector('.closer').open`)).toBe(true);
      const all = await page.locator('.timeline li:visible').count();
      await page.locator('#search').fill('BETA package');
      expect(await page.locator('.timeline li:visible').allTextContents()).toEqual([
        expect.stringContaining('beta package'),
      ]);
      expect(await page.locator('.search output').textContent()).toBe(`1 of ${all} lines`);
      await page.context().close();
    });

    it('of recordings opens without a complaint, and axe finds nothing', async () => {
      const { page, complaints, requests } = await opened({ bypassCSP: true }, ofRecordings);
      expect(await page.locator('figure .chart').first().locator('.flag').count()).toBe(3);
      expect(await page.locator('figure .chart').first().locator('.away').count()).toBe(1);
      await page.locator('.closer summary').last().click();
      expect(await complaintsOfAxe(page)).toEqual([]);
      expect(complaints).toEqual([]);
      expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([ofRecordings]);
      await page.context().close();
    });

    it('tells the time under the pointer', async () => {
      const { page } = await opened({});
      const plot = page.locator('.plot svg').first();
      const box = (await plot.boundingBox())!;
      await page.mouse.move(box.x + box.width / 2, box.y + 60);
      expect(await page.locator('.cursor text').first().textContent()).toMatch(/^5\.9\d\d s$/);
      await page.context().close();
    });
  },
);

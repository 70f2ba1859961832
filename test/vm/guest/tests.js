/** `node tests.js FILE [PATTERN]`: runs the tests of one compiled file in the guest. */
import { runTests } from 'vitest';

const [file, pattern = ''] = process.argv.slice(2);
await import(file);
process.exit((await runTests(new RegExp(pattern))) === 0 ? 0 : 1);

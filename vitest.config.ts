import { defineConfig } from 'vitest/config';

const ON_THE_MACHINE = ['test/{bench,cli,daemon,drivers}/**/*.test.ts', 'test/**/*-kernel.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 90_000,
    hookTimeout: 90_000,
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'memory',
          include: ['test/**/*.test.ts'],
          exclude: ON_THE_MACHINE,
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      // Sockets, namespaces and daemons with clocks of milliseconds: one file at a time, and no computation beside it.
      {
        extends: true,
        test: { name: 'machine', include: ON_THE_MACHINE, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});

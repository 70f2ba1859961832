/** Other half of `inside.ts`: `inside-call.ts MODULE NAME ARGUMENTS` calls that function and sends its value to the parent. */
const [module, name, text] = process.argv.slice(2) as [string, string, string];
const exported = (await import(module)) as Record<string, (...given: unknown[]) => unknown>;
const called = exported[name];
if (called === undefined) throw new Error(`${module} exports no ${name}`);
const value = await called(...(JSON.parse(text) as unknown[]));
process.send?.(value ?? null, () => process.exit(0));

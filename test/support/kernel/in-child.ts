/** Runs code in a process of its own, which may give up what the tests' process needs. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../../', import.meta.url);

/** The address of a file of the checkout, for `import` in the child. */
export function checkoutUrl(path: string): string {
  return new URL(path, ROOT).href;
}

/**
 * What the child has given to `answer`, a function that it finds there. `text` is that of a module; `imports`: a file's path in
 * the checkout → what is imported of it.
 */
export function inChild(imports: Readonly<Record<string, readonly string[]>>, text: string): unknown {
  const code = [
    ...Object.entries(imports).map(
      ([path, names]) => `import { ${names.join(', ')} } from '${checkoutUrl(path)}';`,
    ),
    "import { writeSync } from 'node:fs';",
    'const answer = (value) => void writeSync(1, JSON.stringify(value));',
    "const errorOf = (action) => { try { action(); return 'none'; } catch ({ message, code, remedy }) { return { message, code, remedy }; } };",
    text,
  ].join('\n');
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: fileURLToPath(ROOT),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the child ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

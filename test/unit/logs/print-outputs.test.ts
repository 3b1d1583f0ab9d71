/** What commands write, printed as logs are. */
import { expect, it } from 'vitest';
import { type Output, printOutputs } from '../../../controller/logs/print-outputs.ts';

const shell = (node: string, line: string) => ({ node, words: ['sh', '-c', line] });

async function printed(outputs: readonly Output[], how: { readonly follow: boolean }) {
  let out = '';
  const code = await printOutputs(outputs, how, async (bytes) => {
    out += Buffer.from(bytes).toString();
    return true;
  });
  return { out, code };
}

it('of one command is what it writes, also to stderr', async () => {
  const { out, code } = await printed([shell('a.0', 'echo one; echo two >&2')], { follow: false });
  expect(out.split('\n').sort()).toEqual(['', 'one', 'two']);
  expect(code).toBe(0);
});

it('of several has the name before each line, one after the other', async () => {
  const both = [shell('a.0', 'sleep 0.1; echo one; printf rest'), shell('bb.0', 'echo two')];
  expect(await printed(both, { follow: false })).toEqual({
    out: 'a.0  | one\na.0  | rest\nbb.0 | two\n',
    code: 0,
  });
});

it('of several that are followed comes as it is written', async () => {
  const both = [shell('a.0', 'sleep 0.5; echo late'), shell('b.0', 'echo early')];
  expect((await printed(both, { follow: true })).out).toBe('b.0 | early\na.0 | late\n');
});

it('ends a command that nobody reads, and tells the code of one that failed', async () => {
  const endless = shell('a.0', 'while echo x; do :; done');
  expect(await printOutputs([endless], { follow: false }, async () => false)).not.toBe(0);
  expect((await printed([shell('a.0', 'exit 3'), shell('b.0', 'exit 0')], { follow: false })).code).toBe(3);
});

it('rejects where a command can not be started', async () => {
  await expect(
    printed([{ node: 'a.0', words: ['/nowhere/docker'] }], { follow: false }),
  ).rejects.toMatchObject({
    code: 'ENOENT',
  });
});

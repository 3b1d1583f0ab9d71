/** Commands about files that a request brings: real processes of netfold's, which need no rights. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { localExperiments } from '../../../controller/api/local-experiments.ts';
import type { AnswerOf } from '../../../proto/api/v1/routes.ts';
import { TOOLS, toolRequestSchema } from '../../../proto/api/v1/tools.ts';

const TEXT = `services: { a: {}, b: {} }
links: [{ from: a, to: b, latency: 5ms, bandwidth: 10Mbps }]
`;
const PODS = TEXT.replaceAll('{}', '{ image: "nginx:1" }');
const FILES = { 'lab.yaml': TEXT, 'pods.yaml': PODS };
const HOSTS = 'hosts: { one: { address: 10.0.0.1 }, two: { address: 10.0.0.2 } }\n';

type Tool = (typeof TOOLS)[number];

const experiments = localExperiments();
function run(
  tool: Tool,
  words: string[],
  files: Record<string, string> = FILES,
  signal = new AbortController().signal,
): Promise<AnswerOf<'runTool'>> {
  return experiments.tool(tool, toolRequestSchema.parse({ words, files }), signal);
}

describe('a command about files', () => {
  const commands: readonly (readonly [Tool, string[], RegExp])[] = [
    ['check', ['lab.yaml', '--json'], /"valid": true/],
    ['paths', ['lab.yaml', '--json'], /"latencyMs":5/],
    ['share', ['lab.yaml', '--flows', 'a.0>b.0'], /a\.0 +b\.0 +10Mbps/],
    ['timeline', ['lab.yaml', '--json'], /^\[/],
    ['explain', ['a', 'b', 'lab.yaml'], /latency 5ms/],
    ['graph', ['lab.yaml'], /^flowchart/],
    ['generate', ['ring', '--nodes', '4'], /links:/],
    ['convert', ['lab.yaml', '--to', 'mermaid'], /^%% From lab\.yaml/],
    ['fmt', ['lab.yaml'], /latency: 5ms/],
    ['place', ['lab.yaml', '--inventory', 'in/hosts.yaml'], /one/],
    ['deploy', ['pods.yaml', '--kubernetes', '-o', 'made'], /./],
  ];

  it('is each of those that the API names', () => {
    expect(commands.map(([tool]) => tool)).toEqual([...TOOLS]);
  });

  it.each(commands)('%s prints what it prints at the command line', async (tool, words, printed) => {
    const { code, stdout, stderr, timedOut } = await run(tool, words, { ...FILES, 'in/hosts.yaml': HOSTS });
    expect({ code, timedOut }, stderr).toEqual({ code: 0, timedOut: false });
    expect(stdout + stderr).toMatch(printed);
    expect(stdout + stderr).not.toContain(tmpdir());
  });

  it('gives what it has written, and leaves nothing', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('netfold-start-'));
    const made = await run('deploy', ['pods.yaml', '--kubernetes', '-o', 'made']);
    expect(Object.keys(made.files)).toContain('made/kustomization.yaml');
    const written = await run('fmt', ['lab.yaml', '--write'], { 'lab.yaml': 'services: {a: {}}\n' });
    expect(written.files).toEqual({ 'lab.yaml': 'services: { a: {} }\n' });
    expect((await run('fmt', ['lab.yaml', '--write'], { ...written.files })).files).toEqual({});
    const after = readdirSync(tmpdir()).filter((name) => name.startsWith('netfold-start-'));
    expect(after).toEqual(before);
  });

  it('has the other files that its own names', async () => {
    const including = { 'lab.yaml': 'include: [parts/more.yaml]\n', 'parts/more.yaml': TEXT };
    expect((await run('paths', ['lab.yaml', '--json'], including)).stdout).toContain('"from":"a.0"');
  });

  it('says what is wrong as at the command line', async () => {
    const wrong = await run('check', ['lab.yaml'], { 'lab.yaml': 'services: { a: { replicas: x } }\n' });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr + wrong.stdout).toContain('lab.yaml:1');
  });
});

describe('what a request may not', () => {
  /** Of the server's machine, readable for all. */
  function foreign(): string {
    const folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'secret.yaml'), 'services: { treasure: {} }\n');
    return join(folder, 'secret.yaml');
  }

  it('read a file of the machine: named, included, or asked for by another option', async () => {
    const secret = foreign();
    const ways: readonly (readonly [Tool, string[], Record<string, string>])[] = [
      ['check', [secret], FILES],
      ['paths', ['lab.yaml', '--include-outside'], { 'lab.yaml': `include: [${secret}]\n` }],
      ['place', ['lab.yaml', '--inventory', secret], FILES],
      ['timeline', ['lab.yaml', '--events', secret], FILES],
    ];
    for (const [tool, words, files] of ways) {
      const { code, stdout, stderr } = await run(tool, words, files);
      expect(code, stderr).not.toBe(0);
      expect(stderr).toContain(`${secret} is not among the files of the request`);
      expect(stdout + stderr).not.toContain('treasure');
      expect(stderr).not.toContain('bug');
    }
  });

  it('write one there', async () => {
    const target = join(tmpdir(), `netfold-test-${process.pid}.yaml`);
    const { code, stderr } = await run('convert', ['lab.yaml', '-o', target]);
    expect(code, stderr).not.toBe(0);
    expect(readdirSync(tmpdir())).not.toContain(`netfold-test-${process.pid}.yaml`);
  });

  it('start a program, or look at experiments', async () => {
    const applied = await run('deploy', ['pods.yaml', '--swarm', '--apply', '-o', 'made']);
    expect(applied.code, applied.stdout).not.toBe(0);
    expect(applied.stderr).not.toContain('bug');
    const live = await run('paths', ['--live']);
    expect(live.code, live.stdout).not.toBe(0);
    expect(live.stderr).not.toContain('bug');
  });

  it('ask another server, or have files outside of its folder', () => {
    const said = (request: object): string | undefined =>
      toolRequestSchema.safeParse(request).error?.issues[0]?.message;
    expect(said({ words: ['a', '--api', 'http://10.0.0.1'] })).toMatch('asks no other server');
    expect(said({ words: ['a', '--api=http://10.0.0.1'] })).toMatch('asks no other server');
    expect(said({ words: ['a\0b'] })).toMatch('null character');
    expect(said({ files: { 'a.b': '', 'a.b/c': '' } })).toMatch('a folder of others');
    for (const path of ['/etc/x', '../x', 'a/../../x', '.x', 'a//b', ''])
      expect(toolRequestSchema.safeParse({ files: { [path]: '' } }).success, path).toBe(false);
  });

  it('go on when nobody waits for it any more', async () => {
    const asking = new AbortController();
    const running = run('generate', ['scale-free', '--nodes', '100000'], {}, asking.signal);
    asking.abort();
    expect((await running).code).not.toBe(0);
  });
});

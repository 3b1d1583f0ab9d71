/** deploy/ci: the commands of its files exist, with the options that they use. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../../../deploy/setup/processes.mjs';
import { netfold } from '../../support/lab/cli.ts';

interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string }>>;
  readonly runs: {
    readonly using: string;
    readonly steps: readonly {
      readonly shell: string;
      readonly run: string;
      readonly env?: Record<string, string>;
    }[];
  };
}

interface Job {
  readonly variables: Readonly<Record<string, string>>;
  readonly before_script: readonly string[];
  readonly script: readonly string[];
  readonly artifacts: { readonly reports: { readonly junit: string } };
}

const read = (name: string): unknown => parse(readFileSync(join(ROOT, 'deploy/ci', name), 'utf8'));
const action = read('action.yml') as Action;
const job = (read('gitlab.yml') as Record<string, Job>)['.netfold-test']!;

const scripts = {
  'action.yml': action.runs.steps.map(({ run }) => run),
  'gitlab.yml': [...job.before_script, ...job.script],
};

/** `netfold COMMAND …` to the end of the line, of several lines that a backslash joins. */
function commandsOf(script: string): string[][] {
  return script
    .replace(/\\\n/g, ' ')
    .split('\n')
    .flatMap((line) => {
      const found = /(?:^|[\s/"])netfold"?\s+([a-z]+\b.*)$/.exec(line.trim());
      return found && !line.trim().startsWith('#') ? [found[1]!.split(/\s+/)] : [];
    });
}

describe.each(Object.entries(scripts))('deploy/ci/%s', (_, lines) => {
  const commands = lines.flatMap(commandsOf);

  it('runs tests', () => {
    expect(commands.map(([name]) => name)).toContain('test');
  });
  it('uses commands and options that exist', { timeout: 60_000 }, async () => {
    for (const [name, ...words] of commands) {
      const { code, stdout } = await netfold(name!, '--help');
      expect(code).toBe(0);
      for (const option of words.flatMap((word) => /^--[a-z-]+/.exec(word) ?? []))
        expect(stdout, `netfold ${name} ${option}`).toContain(`${option} `);
    }
  });
});

describe('deploy/ci/action.yml', () => {
  it('is a composite action, whose inputs reach scripts as variables only', () => {
    expect(action.runs.using).toBe('composite');
    for (const { shell, run } of action.runs.steps) {
      expect(shell).toBe('bash');
      expect(run).not.toContain('${{');
    }
    const used = action.runs.steps.flatMap(({ env = {} }) => Object.values(env));
    expect(used.sort()).toEqual(
      Object.keys(action.inputs)
        .map((name) => `\${{ inputs.${name} }}`)
        .sort(),
    );
  });
});

describe('deploy/ci/gitlab.yml', () => {
  it('gives the results to the pipeline', () => {
    expect(job.script.join()).toContain(`--junit ${job.artifacts.reports.junit}`);
  });
});

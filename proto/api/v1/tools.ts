/** Commands that read files and write text: what `netfold` does with a topology, before and beside experiments. */
import { z } from 'zod';
import { executedSchema } from './endpoints.ts';
import { duration } from './names.ts';

/** None of them needs a machine with rights, an experiment, or a network. */
export const TOOLS = [
  ...['check', 'paths', 'share', 'timeline', 'explain', 'graph'],
  ...['generate', 'convert', 'fmt', 'place', 'deploy'],
] as const;

const MOST_FILES = 100;
/** Below the folder in which the command runs. */
const filePath = z
  .string()
  .max(200)
  .regex(/^[\w-][\w.-]*(?:\/[\w-][\w.-]*){0,7}$/, 'such as shop.yaml, or tables/rtt.csv');
const hasFileAsFolder = (paths: readonly string[]): boolean =>
  paths.some((path) => paths.some((other) => other.startsWith(`${path}/`)));

/** They lead to other servers, with the rights of this one. */
const ELSEWHERE = /^--(?:api|ca)(?:=|$)/;

export const toolParams = z.strictObject({ tool: z.enum(TOOLS) });

export const toolRequestSchema = z
  .strictObject({
    words: z
      .array(
        z
          .string()
          .max(4096)
          .refine((word) => !word.includes('\0'), 'a null character is in no word')
          .refine((word) => !ELSEWHERE.test(word), 'a command that is run here asks no other server'),
      )
      .max(256)
      .default([])
      .describe('After its name, as at the command line: ["shop.yaml", "--json"].'),
    files: z
      .record(filePath, z.string())
      .refine((files) => Object.keys(files).length <= MOST_FILES, `at most ${MOST_FILES}`)
      .refine((files) => !hasFileAsFolder(Object.keys(files)), 'one path is a file, and a folder of others')
      .default({})
      .describe('By their paths in the folder where the command runs. It can read no others.'),
    timeout: duration.default('1m').describe('It is ended after this time, at most 10m.'),
  })
  .describe('A command of netfold’s about files, with these files.');

export const toolAnswerSchema = executedSchema
  .extend({
    files: z
      .record(z.string(), z.string())
      .describe('What it has written into the folder, by paths: files that are new, or not as they came.'),
  })
  .describe('Its outputs, its exit code, and what it has written.');

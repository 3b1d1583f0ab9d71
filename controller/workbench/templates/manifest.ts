/** The files and parameters of a version, as they are kept. */
import { z } from 'zod';
import type { Definition } from './definition.ts';
import { TemplateError } from './errors.ts';

const fileSchema = z.object({
  path: z.string().regex(/^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$)).+$/s),
  /** Bytes. */
  size: z.number().optional(),
  hash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  executable: z.boolean().optional(),
  /** Of a symbolic link: what it says. */
  link: z.string().optional(),
});
export type ManifestFile = z.infer<typeof fileSchema>;

const manifestSchema = z.object({
  topology: z.string(),
  parameters: z.record(z.string(), z.looseObject({})),
  files: z.array(fileSchema),
  /** Of the repository that the folder is in. */
  git: z.object({ commit: z.string(), isChanged: z.boolean() }).optional(),
});

export interface Manifest {
  readonly topology: string;
  readonly parameters: Definition['parameters'];
  readonly files: readonly ManifestFile[];
  readonly git?: { readonly commit: string; readonly isChanged: boolean } | undefined;
}

/** The same manifest has the same text. */
export function manifestText({ topology, parameters, files, git }: Manifest): string {
  return `${JSON.stringify({ topology, parameters, files, ...(git && { git }) }, null, 1)}\n`;
}

/** Throws `TemplateError` (`TEMPLATE_DAMAGED`). */
export function readManifest(text: string): Manifest {
  try {
    return manifestSchema.parse(JSON.parse(text)) as unknown as Manifest;
  } catch (error) {
    throw new TemplateError(
      'TEMPLATE_DAMAGED',
      'what is kept of a version is damaged',
      'restore the folder of templates from a backup',
      error,
    );
  }
}

export interface Difference {
  readonly path: string;
  readonly what: 'added' | 'removed' | 'changed';
}

/** Files and parameters that differ, in the order of their names. */
export function differences(before: Manifest, after: Manifest): Difference[] {
  const keysOf = ({ files, parameters, topology }: Manifest): Map<string, string> =>
    new Map([
      ...files.map(({ path, ...rest }) => [path, JSON.stringify(rest)] as const),
      ...Object.entries(parameters).map(([name, one]) => [`parameter ${name}`, JSON.stringify(one)] as const),
      ['topology', topology] as const,
    ]);
  const [old, now] = [keysOf(before), keysOf(after)];
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  return paths.flatMap((path): Difference[] => {
    if (old.get(path) === now.get(path)) return [];
    return [{ path, what: !old.has(path) ? 'added' : now.has(path) ? 'changed' : 'removed' }];
  });
}

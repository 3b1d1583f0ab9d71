/** What an experiment has to know of its containers later on: /run/netfold/NAME/docker.json, or cri.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PRIVATE_FILE, replaceFile } from '../../../agent/files/own-files.ts';
import { experimentFolder } from '../../names.ts';
import type { EngineName } from './sandbox.ts';
import { selectorSchema } from './selectors.ts';

const settingsSchema = z.strictObject({
  /** The engine's. */
  socket: z.string(),
  selectors: z.array(selectorSchema).min(1),
  /** As the user has it: a network's name or a range of addresses. */
  network: z.string().optional(),
  /** Names of the networks in which the endpoints were at the start. */
  networks: z.array(z.string()),
  /** Names of all endpoints, by number. */
  endpoints: z.array(z.string()),
  /** Whether the topology's names resolve in the containers. */
  names: z.boolean().optional(),
  /** Other endpoints are on other machines: containers are endpoints by the numbers that their orchestrator gives them. */
  here: z.boolean().optional(),
  /** Whether the containers are netfold's own, and end with the experiment. */
  made: z.boolean().optional(),
});

export type ContainerSettings = Readonly<z.infer<typeof settingsSchema>>;

const fileOf = (platform: EngineName, experiment: string): string =>
  join(experimentFolder(experiment), `${platform}.json`);

/** The experiment's folder exists. */
export function keepContainerSettings(
  platform: EngineName,
  experiment: string,
  settings: ContainerSettings,
): void {
  replaceFile(fileOf(platform, experiment), JSON.stringify(settings, null, 2), { mode: PRIVATE_FILE });
}

/** `undefined` if the file is missing or damaged. */
export function readContainerSettings(
  platform: EngineName,
  experiment: string,
): ContainerSettings | undefined {
  try {
    return settingsSchema.parse(JSON.parse(readFileSync(fileOf(platform, experiment), 'utf8')));
  } catch {
    return undefined;
  }
}

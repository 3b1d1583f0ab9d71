/** All platforms. */
import { ControllerError } from '../errors.ts';
import type { Platform } from './port/platform.ts';

/** By name; each is loaded on demand, since commands that only look must start at once. */
const PLATFORMS: Readonly<Record<string, () => Promise<Platform>>> = {
  lab: async () => (await import('./lab/lab.ts')).lab,
  site: async () => (await import('./site/site.ts')).site,
  docker: async () => (await import('./docker/docker.ts')).docker,
  cri: async () => (await import('./cri/cri.ts')).cri,
};

export const PLATFORM_NAMES: readonly string[] = Object.keys(PLATFORMS);

/** Throws `PLATFORM_UNKNOWN`. */
export async function openPlatform(name: string): Promise<Platform> {
  if (Object.hasOwn(PLATFORMS, name)) return PLATFORMS[name]!();
  throw new ControllerError(
    'PLATFORM_UNKNOWN',
    `there is no platform "${name}"`,
    `there are: ${PLATFORM_NAMES.join(' ')}; another version of netfold may know more`,
  );
}

export function openPlatforms(): Promise<Platform[]> {
  return Promise.all(PLATFORM_NAMES.map(openPlatform));
}

/** The platform of an experiment; all, if it is not known. */
export async function platformsFor(name: string | undefined): Promise<Platform[]> {
  return name !== undefined && PLATFORM_NAMES.includes(name) ? [await openPlatform(name)] : openPlatforms();
}

/** `--api`: an experiment of another machine, whose `netfold serve` is asked. */
import type { ApiClient } from '../../../sdk/client.ts';
import { connectClient } from '../../../sdk/connect.ts';
import { suggest } from '../../../topology/model/names.ts';
import { ControllerError } from '../../errors.ts';

/** Throws `ADDRESS_INVALID`. */
export const connectApi = (url: string): ApiClient => connectClient(url);

/** The named experiment of that machine, or the only one. Throws `EXPERIMENT_UNKNOWN`, `EXPERIMENT_AMBIGUOUS`. */
export async function experimentAt(client: ApiClient, name: string | undefined): Promise<string> {
  const names = (await client.call('listExperiments', {})).map((one) => one.name);
  if (name !== undefined && names.includes(name)) return name;
  const running = names.length > 0 ? `running there are: ${names.join(', ')}` : 'none is running there';
  if (name !== undefined)
    throw new ControllerError(
      'EXPERIMENT_UNKNOWN',
      `there is no experiment "${name}" at ${client.url}`,
      suggest(name, names, running),
    );
  if (names.length === 1) return names[0]!;
  const [code, message] =
    names.length === 0
      ? (['EXPERIMENT_UNKNOWN', `no experiment is running at ${client.url}`] as const)
      : (['EXPERIMENT_AMBIGUOUS', `${names.length} experiments are running at ${client.url}`] as const);
  throw new ControllerError(code, message, running);
}

/** A topology, checked, and started until it is up; and hosts over SSH, asked. */
import type { AnswerOf, ParamsOf } from '../../../proto/api/v1/routes.ts';
import { get, post, Refusal } from './api.ts';
import { bodyOf, type Checked, type Draft, inventoryOf, settingsOf } from './draft.ts';

export type InjectedHost = AnswerOf<'askHosts'>['hosts'][number];
export type HostAction = ParamsOf<'askHosts'>['action'];

/** Between two looks at a start. */
const LOOK_MS = 250;

/** Throws `Refusal`. */
export async function check(draft: Draft): Promise<Checked> {
  const { topology, file } = draft;
  const set = settingsOf(draft.settings);
  return post('checkTopology', '/check', { topology, file, ...(set && { set }) });
}

export interface StartEnd {
  readonly name: string;
  /** Why it has failed. */
  readonly refusal: Refusal | undefined;
  /** Of hosts over SSH: what each of them says. */
  readonly hosts: readonly InjectedHost[];
}

/** Resolves when it is up, or has failed. `tell`: what it is doing. Throws `Refusal`, if it can't be asked for. */
export async function start(draft: Draft, tell: (progress: string) => void): Promise<StartEnd> {
  const { id } = await post('beginStart', '/starts', bodyOf(draft));
  for (;;) {
    const { state, progress, name, error, injected } = await get('getStart', `/starts/${id}`);
    if (state === 'up') return { name: name ?? '', refusal: undefined, hosts: injected };
    if (state === 'failed') {
      const refusal = new Refusal(error ?? { code: 'UNKNOWN', message: 'it has failed' });
      return { name: '', refusal, hosts: injected };
    }
    if (progress !== null) tell(progress);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Throws `Refusal`. */
export function askHosts(action: HostAction, draft: Draft): Promise<AnswerOf<'askHosts'>> {
  const name = draft.name.trim();
  return post('askHosts', `/injections/${action}`, {
    inventory: inventoryOf(draft),
    ...(name !== '' && { name }),
    ...(action === 'check' && { topology: draft.topology }),
  });
}

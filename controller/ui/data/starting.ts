/** A topology, checked, and started until it is up. */
import { get, post, Refusal } from './api.ts';
import { bodyOf, type Checked, type Draft, settingsOf } from './draft.ts';

/** Between two looks at a start. */
const LOOK_MS = 250;

/** Throws `Refusal`. */
export async function check(draft: Draft): Promise<Checked> {
  const { topology, file } = draft;
  const set = settingsOf(draft.settings);
  return post('checkTopology', '/check', { topology, file, ...(set && { set }) });
}

/** Resolves with the experiment's name when it is up. `tell`: what it is doing. Throws `Refusal`. */
export async function start(draft: Draft, tell: (progress: string) => void): Promise<string> {
  const { id } = await post('beginStart', '/starts', bodyOf(draft));
  for (;;) {
    const { state, progress, name, error } = await get('getStart', `/starts/${id}`);
    if (state === 'up' && name !== null) return name;
    if (state === 'failed') throw new Refusal(error ?? { code: 'UNKNOWN', message: 'it has failed' });
    if (progress !== null) tell(progress);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

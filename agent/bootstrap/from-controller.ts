/** The bootstrap of an agent that a controller starts. */
import { type Bootstrap, bootstrapSchema } from '../../proto/bootstrap.ts';
import { callJson } from '../../proto/http-json.ts';
import { systemClock } from '../clock/clock.ts';
import { type LocalSecurity, withLocalSecurity } from '../mesh/trust/security.ts';
import { checked } from './check.ts';

/** Throws `HttpError`, `MeshError`, and what `checked` throws. */
export async function bootstrapFromController(
  options: LocalSecurity & { readonly host: string; readonly announce?: readonly string[] },
): Promise<Bootstrap> {
  const { controller, host, announce } = options;
  const answer = await callJson(controller, `/bootstrap/${encodeURIComponent(host)}`);
  const { startedAgoMs, ...data } = checked(bootstrapSchema, answer, controller);
  const mesh = withLocalSecurity(data.mesh, options);
  return {
    ...data,
    ...(startedAgoMs !== undefined && { startAt: systemClock.wallNow() - startedAgoMs }),
    mesh: { ...mesh, ...(announce && { announce: [...announce] }) },
  };
}

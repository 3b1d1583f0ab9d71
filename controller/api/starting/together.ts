/** What of a start goes together: the rest of a request is told by its schema. */
import type { BodyOf } from '../../../proto/api/v1/routes.ts';
import { ControllerError } from '../../errors.ts';

type Request = BodyOf<'startExperiment'>;

/** The request as it is. Throws `START_USAGE`. */
export function together(request: Request): Request {
  const { hosts, delayBackend, duration, engine, pull, inject } = request;
  if (pull && engine === undefined)
    throw wrong('pull', 'the local lab starts no images', 'add engine: docker, or leave it out');
  if (hosts !== 1 && engine !== undefined)
    throw wrong(
      'hosts',
      "all containers are of one engine, the server's machine's",
      'leave it out, or use the local lab',
    );
  if (!inject) return request;
  const others = {
    engine,
    duration,
    ...(hosts !== 1 && { hosts }),
    ...(delayBackend !== 'auto' && { delayBackend }),
  };
  const [other] = Object.entries(others).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (other === undefined) return request;
  throw wrong(other, 'hosts over SSH are those of the inventory, until they are stopped', 'leave it out');
}

const wrong = (field: string, why: string, remedy: string): ControllerError =>
  new ControllerError('START_USAGE', `body.${field}: ${why}`, remedy);

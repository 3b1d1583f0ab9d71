/** What of a start goes together: the rest of a request is told by its schema. */
import type { BodyOf } from '../../../proto/api/v1/routes.ts';
import { ControllerError } from '../../errors.ts';

type Request = BodyOf<'startExperiment'>;

/** The request as it is. Throws `START_USAGE`. */
export function together(request: Request): Request {
  const { hosts, delayBackend, duration, engine, pull, inject, attach, at } = request;
  if (pull && engine === undefined)
    throw wrong('pull', 'the local lab starts no images', 'add engine: docker, or leave it out');
  if (hosts !== 1 && engine !== undefined)
    throw wrong(
      'hosts',
      "all containers are of one engine, the server's machine's",
      'leave it out, or use the local lab',
    );
  const manyHosts = hosts !== 1 ? { hosts } : {};
  refuseOthers(attach, { at, inject, engine, ...manyHosts }, 'the containers of attach run already');
  refuseOthers(at, { inject, engine, ...manyHosts }, 'the interfaces of at are there already');
  const chosen = delayBackend !== 'auto' ? { delayBackend } : {};
  refuseOthers(
    inject,
    { engine, duration, ...manyHosts, ...chosen },
    'hosts over SSH are those of the inventory, until they are stopped',
  );
  if (attach?.names && attach.engine === 'cri')
    throw wrong('attach.names', 'names resolve in containers of Docker only', 'leave it out');
  return request;
}

/** Refuses the first of `others` that is given where `given` is. */
function refuseOthers(given: object | undefined, others: object, why: string): void {
  if (!given) return;
  const other = Object.entries(others).find(([, value]) => value !== undefined);
  if (other) throw wrong(other[0], why, 'leave it out');
}

const wrong = (field: string, why: string, remedy: string): ControllerError =>
  new ControllerError('START_USAGE', `body.${field}: ${why}`, remedy);

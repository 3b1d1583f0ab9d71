/** The endpoints that an allow-list assigns to hosts, beside those of the machine that starts the experiment. */
import { MeshError } from '../../agent/mesh/errors.ts';
import type { ListedPeer } from '../../agent/mesh/trust/admission.ts';
import { serviceOf } from '../../topology/model/names.ts';

/** Endpoint → host, as the list says it. `names`: of all endpoints; `here`: those of this machine. Throws `MESH_ALLOW_LIST`. */
export function assignmentOf(
  listed: readonly ListedPeer[],
  names: readonly string[],
  here: Readonly<Record<string, string>>,
): Record<string, string> {
  const found = new Map<string, string>();
  for (const { host = '', endpoints } of listed) {
    for (const word of endpoints) {
      const meant = names.filter((name) => name === word || serviceOf(name) === word);
      if (meant.length === 0) throw wrongList(`there is no endpoint or service ${word}`);
      for (const name of meant) {
        const other = here[name] ?? found.get(name) ?? host;
        if (other !== host) throw wrongList(`${name} is on ${other}, and on ${host}`);
        found.set(name, host);
      }
    }
  }
  return Object.fromEntries(found);
}

const wrongList = (message: string): MeshError =>
  new MeshError('MESH_ALLOW_LIST', `the allow-list is wrong: ${message}`, {
    remedy: 'write a line `PEER HOST ENDPOINT…` for each agent, and each endpoint once',
    blame: 'input',
  });

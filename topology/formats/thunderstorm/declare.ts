/** Adds the declarations of a script to a topology. */
import { checkLinks, checkNodes, type LinkLabels, Names } from '../../model/check.ts';
import type { Findings } from '../../model/diagnostics.ts';
import type { LinkPair, Topology } from '../../model/model.ts';
import { parseReference } from '../../model/names.ts';
import type { PopulationOf } from '../../model/population.ts';
import { replicasNeeded } from '../kollaps/replicas.ts';
import type { Script } from './model.ts';

/**
 * Errors such as duplicate names and links to unknown nodes go to `findings`. `populationOf`: of all scripts whose
 * joins count. Throws `TooMuchWork`.
 */
export function withDeclarations(
  topology: Topology,
  script: Script,
  supervisors: ReadonlySet<string>,
  populationOf: PopulationOf,
  findings: Findings,
): Topology {
  const services = script.services.map((service) => {
    const { name, tags, replicas } = service;
    const needed = replicasNeeded(populationOf(name, tags), true) ?? replicas;
    return { ...service, replicas: Math.max(1, needed) };
  });
  const joined = {
    ...topology,
    services: [...topology.services, ...services],
    bridges: [...topology.bridges, ...script.bridges],
    links: [
      ...topology.links,
      ...linksWithout(script, new Set([...supervisors, ...script.supervisors]), findings),
    ],
  };
  if (services.length + script.bridges.length > 0) checkNodes(joined, findings);
  if (script.links.length > 0) checkLinks(joined.links, new Names(joined), labelsOf(joined.links), findings);
  return joined;
}

function linksWithout(script: Script, supervisors: ReadonlySet<string>, findings: Findings): LinkPair[] {
  return script.links.filter(({ from, to, position }) => {
    if (![from, to].some((end) => supervisors.has(parseReference(end)!.name))) return true;
    findings.warning('SUPERVISOR_LEFT_OUT', position, 'link', 'a link of a supervisor is left out', '');
    return false;
  });
}

/** The links of the topology itself were checked before. */
function labelsOf(links: readonly LinkPair[]): LinkLabels {
  return {
    field: () => 'link',
    place: (index) => links[index]?.position ?? { line: 1, column: 1 },
  };
}

/** A topology file for commands that run it, or that open many: all readers are loaded. */
import { loadTopology } from '../../../topology/load.ts';
import { topologyOfTemplate } from '../../workbench/templates/folders.ts';
import { askedFor, type FileOptions, type OpenedTopology, opened } from './files.ts';

/**
 * Reads and checks a file, or a version of a template (`NAME@VERSION`). Throws `ControllerError` (`FILE_UNREADABLE`),
 * `TemplateError` or `TopologyError`.
 */
export function openTopology(named: string, given: FileOptions = {}): OpenedTopology {
  const asked = askedFor(named, given, topologyOfTemplate(named, given.set));
  const { file, text, script, advice, extras } = asked;
  return opened(loadTopology(text, file, script, advice, extras), asked);
}

/** `netfold fmt`: a topology file with even indentation and spaces. Comments, order and quotes stay. */
import { parseDocument } from 'yaml';
import { Findings } from '../../model/diagnostics.ts';
import { YamlDocument } from './yaml/document.ts';

/** Throws `TopologyError` if the text is no YAML. */
export function formatNative(text: string, file: string): string {
  const findings = new Findings(file);
  const before = YamlDocument.parse(text, findings);
  findings.settle();
  const document = parseDocument(text, { stringKeys: true, uniqueKeys: false, logLevel: 'error' });
  const made = document.toString({ indent: 2, lineWidth: 0, flowCollectionPadding: true });
  const after = YamlDocument.parse(made, findings);
  if (!after || JSON.stringify(after.value) !== JSON.stringify(before?.value))
    throw new Error('the file would mean something else when it is laid out');
  return made;
}

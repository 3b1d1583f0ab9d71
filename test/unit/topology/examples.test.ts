import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { jsonSchemaText } from '../../../topology/formats/native/author-schema.ts';
import { loadTopology } from '../../../topology/load.ts';
import type { ReachableRow } from '../../../topology/report/paths.ts';
import { pathsReport } from '../../../topology/report/paths.ts';

const folder = new URL('../../../examples/', import.meta.url);
const files = readdirSync(folder).filter((file) => /\.(ya?ml|xml)$/.test(file));
const load = (file: string) => loadTopology(readFileSync(new URL(file, folder), 'utf8'), file);

describe('the examples', () => {
  it('are there', () => {
    expect(files).toEqual(expect.arrayContaining(['asymmetric.yaml', 'quickstart.yaml', 'ring.yaml']));
  });

  it.each(files)('%s is valid, and warns of nothing that it does not mean', (file) => {
    const { topology, warnings } = load(file);
    expect(topology.services.length).toBeGreaterThan(1);
    expect(warnings).toEqual([]);
  });

  it('regions keeps the round trips of its table, whatever a detour would take', () => {
    const { topology } = load('regions.yaml');
    const latency = (from: string, to: string): number =>
      ([...pathsReport(topology, { from, to }).rows()][0] as ReachableRow).latencyMs;
    expect(['web1', 'web2'].map((web) => [latency(web, 'database'), latency('database', web)])).toEqual([
      [40, 41],
      [40, 41],
    ]);
    expect([latency('database', 'probe'), latency('probe', 'database')]).toEqual([120, 120]);
    expect(latency('web1', 'web2')).toBe(0.2);
  });

  it('quickstart has the round trips and limits of the sharing example', () => {
    const { topology } = load('quickstart.yaml');
    const path = (from: string, to: string): ReachableRow =>
      [...pathsReport(topology, { from, to }).rows()][0] as ReachableRow;
    const summary = ['client1', 'client2', 'client3'].map((client, index) => {
      const [there, back] = [path(client, `server.${index}`), path(`server.${index}`, client)];
      return [there.latencyMs + back.latencyMs, there.bandwidthBps];
    });
    expect(summary).toEqual([
      [50, 50e6],
      [40, 50e6],
      [40, 10e6],
    ]);
    expect(path('probe', 'echo')).toMatchObject({ loss: 0.01, bandwidthBps: 20e6 });
    expect(path('echo', 'probe')).toMatchObject({ loss: 0.01, bandwidthBps: 5e6 });
    expect(path('left', 'right').latencyMs).toBe(0);
  });
});

describe('the published schema', () => {
  it('is what the code says', () => {
    expect(readFileSync(new URL('../topology/netfold.schema.json', folder), 'utf8')).toBe(jsonSchemaText());
  });

  it('documents every field', () => {
    const missing: string[] = [];
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, value] of Object.entries(node)) {
        if (key === 'properties') {
          for (const [name, field] of Object.entries(value as Record<string, { description?: string }>)) {
            if (!field.description) missing.push(`${path}.${name}`);
          }
        }
        visit(value, `${path}.${key}`);
      }
    };
    visit(JSON.parse(jsonSchemaText()), '');
    expect(missing).toEqual([]);
  });
});

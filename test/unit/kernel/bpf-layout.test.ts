import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NO_PATH, OWN_MAJOR, UNSHAPED } from '../../../agent/enforce/interface-state.ts';
import { ADDRESS_BYTES } from '../../../agent/kernel/netlink/addresses.ts';
import {
  ATTENDED,
  BACKLOG,
  BUFFER,
  CLASS_DROP,
  EXEMPT_NETWORK,
  EXEMPT_PORT,
  EXEMPTIONS,
  MANAGER,
  MANAGERS,
  PAIR,
  PARTITIONS,
  PARTY,
  PROBE,
  PROBE_PRIORITY,
  ROWS,
  RULE,
  RULE_ACTIONS,
  RULES,
  SELECTOR,
  TARGET,
  TRAITS,
  UNGUARDED_PRIORITY,
  USAGE,
} from '../../../agent/linux/objects/bpf-layout.ts';
import { compile, OBJECT_FILE } from '../../../bpf/build.ts';
import { MESH_PORT } from '../../../controller/names.ts';
import { MOST_EXEMPTIONS } from '../../../proto/bootstrap.ts';
import { MAX_RULES, MAX_SELECTORS } from '../../../proto/rules.ts';
import { type BpfObject, readBpfObject } from '../../support/kernel/btf.ts';

const BPF_MAP_TYPE_HASH = 1;
const BPF_MAP_TYPE_ARRAY = 2;
const BPF_MAP_TYPE_PERCPU_HASH = 5;
const BPF_MAP_TYPE_LRU_HASH = 9;

function compiled(): BpfObject {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-bpf-'));
  try {
    compile(join(folder, 'netfold.bpf.o'));
    return readBpfObject(readFileSync(join(folder, 'netfold.bpf.o')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.each([
  ['the built object', () => readBpfObject(readFileSync(OBJECT_FILE))],
  ['an object that clang has just made of the sources', compiled],
])('%s', (_, open) => {
  const { structs, maps, programs } = open();

  test('has pairs of addresses where TypeScript reads and writes them', () => {
    const { size, ...fields } = PAIR;
    expect(structs.get('pair')).toEqual({ size, fields });
  });

  test('has counters where TypeScript reads them', () => {
    const { size, ...fields } = USAGE;
    expect(structs.get('usage')).toEqual({ size, fields });
  });

  test.each([
    ['target', TARGET],
    ['buffer', BUFFER],
    ['backlog', BACKLOG],
    ['manager', MANAGER],
    ['rules', RULES],
    ['rule', RULE],
    ['selector', SELECTOR],
    ['party', PARTY],
    ['exemption_list', EXEMPTIONS],
    ['exempt_network', EXEMPT_NETWORK],
    ['probe', PROBE],
  ])('has %s where TypeScript reads and writes it', (name, { size, ...fields }) => {
    expect(structs.get(name)).toEqual({ size, fields });
  });

  test('has a counter per processor and pair, a class per pair, a party per address, buffers in rows, one lease and one promise, strays per interface, probes', () => {
    expect(Object.fromEntries(maps)).toEqual({
      usage: { type: BPF_MAP_TYPE_PERCPU_HASH, keySize: PAIR.size, valueSize: USAGE.size },
      classes: { type: BPF_MAP_TYPE_HASH, keySize: PAIR.size, valueSize: TARGET.size },
      members: { type: BPF_MAP_TYPE_HASH, keySize: ADDRESS_BYTES, valueSize: 4 },
      rows: { type: BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 8 },
      parties: { type: BPF_MAP_TYPE_HASH, keySize: ADDRESS_BYTES, valueSize: PARTY.size },
      buffers: { type: BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: BUFFER.size },
      backlogs: { type: BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: BACKLOG.size },
      managers: { type: BPF_MAP_TYPE_HASH, keySize: 4, valueSize: MANAGER.size },
      rules: { type: BPF_MAP_TYPE_HASH, keySize: 4, valueSize: RULES.size },
      seeds: { type: BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 4 },
      lease: { type: BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 8 },
      attended: { type: BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 8 },
      exemptions: { type: BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: EXEMPTIONS.size },
      probes: { type: BPF_MAP_TYPE_LRU_HASH, keySize: PROBE.size, valueSize: 4 },
      strays: { type: BPF_MAP_TYPE_HASH, keySize: 4, valueSize: 8 },
    });
  });

  test('has ports that are exempt where TypeScript writes them', () => {
    const { size, ...fields } = EXEMPT_PORT;
    expect(structs.get('exempt_port')).toEqual({ size, fields: { ...fields, unused: 3 } });
  });

  test('has the programs that are loaded by name, and what they call', () => {
    const called = {
      '.text': [
        ...['answer4', 'answer6', 'answer_reset', 'complete_checksum', 'cut_first_fragment', 'fragment'],
        ...['is_exempt', 'lane_of', 'make_reset4', 'make_reset6', 'obey'],
      ],
    };
    expect(programs).toEqual({ ...called, socket: ['count'], tc: ['arrive', 'classify', 'detach', 'guard'] });
  });
});

test('"drop" is the same number in the kernel, for TypeScript, and in plans', () => {
  const header = readFileSync(join(import.meta.dirname, '../../../bpf/layout.h'), 'utf8');
  const value = /^#define NETFOLD_CLASS_DROP (0x[0-9a-f]+)U$/m.exec(header)?.[1];
  expect(Number(value)).toBe(0xffffffff);
  expect(CLASS_DROP).toBe(Number(value));
  expect(NO_PATH).toBe(CLASS_DROP);
});

test('so are "pass", and how many partitions are known', () => {
  const header = readFileSync(join(import.meta.dirname, '../../../bpf/layout.h'), 'utf8');
  expect(Number(/^#define NETFOLD_CLASS_PASS (\d+)U$/m.exec(header)?.[1])).toBe(UNSHAPED);
  expect(Number(/^#define NETFOLD_PARTITIONS (\d+)$/m.exec(header)?.[1])).toBe(PARTITIONS);
});

test('so are the kinds of managers of queues', () => {
  const header = readFileSync(join(import.meta.dirname, '../../../bpf/layout.h'), 'utf8');
  const kind = (name: string): number =>
    Number(new RegExp(`^#define NETFOLD_${name} (\\w+)U$`, 'm').exec(header)?.[1]);
  expect({ red: kind('RED'), codel: kind('CODEL'), ecn: kind('ECN') }).toEqual(MANAGERS);
});

test('so are what rules do, how many there may be, and what they ask of packets', () => {
  const header = readFileSync(join(import.meta.dirname, '../../../bpf/layout.h'), 'utf8');
  const number = (name: string): number =>
    Number(new RegExp(`^#define NETFOLD_${name} (\\w+?)U?$`, 'm').exec(header)?.[1]);
  for (const [name, value] of Object.entries(RULE_ACTIONS))
    expect([name, number(`RULE_${name.toUpperCase()}`)]).toEqual([name, value]);
  for (const [name, value] of Object.entries(TRAITS))
    expect([name, number(`TRAIT_${name.toUpperCase()}`)]).toEqual([name, value]);
  expect([number('RULES'), number('SELECTORS')]).toEqual([MAX_RULES, MAX_SELECTORS]);
});

test('the major number of the root is the one that the plans name', () => {
  const header = readFileSync(join(import.meta.dirname, '../../../bpf/layout.h'), 'utf8');
  expect(Number(/^#define NETFOLD_MAJOR (0x[0-9a-f]+)U$/m.exec(header)?.[1])).toBe(OWN_MAJOR);
});

test('the entries of the rows’ numbers are the same in the kernel and for TypeScript', () => {
  const header = readFileSync(join(import.meta.dirname, '../../../bpf/layout.h'), 'utf8');
  expect(Number(/^#define NETFOLD_ROWS_MADE (\d+)U$/m.exec(header)?.[1])).toBe(ROWS.made);
  expect(Number(/^#define NETFOLD_ROWS_LACKED (\d+)U$/m.exec(header)?.[1])).toBe(ROWS.lacked);
});

test('so are those of the promise to serve the queues', () => {
  const header = readFileSync(join(import.meta.dirname, '../../../bpf/layout.h'), 'utf8');
  expect(Number(/^#define NETFOLD_ATTENDED_UNTIL (\d+)U$/m.exec(header)?.[1])).toBe(ATTENDED.until);
  expect(Number(/^#define NETFOLD_ATTENDED_PASSED (\d+)U$/m.exec(header)?.[1])).toBe(ATTENDED.passed);
});

test('the priority that is passed by is the same number in the kernel and in the rule', () => {
  const header = readFileSync(join(import.meta.dirname, '../../../bpf/layout.h'), 'utf8');
  const value = /^#define NETFOLD_UNGUARDED_PRIORITY (0x[0-9a-f]+)U$/m.exec(header)?.[1];
  expect(UNGUARDED_PRIORITY).toBe(Number(value));
});

test('the priority of probes is the same number in the kernel and at their sockets', () => {
  const header = readFileSync(join(import.meta.dirname, '../../../bpf/layout.h'), 'utf8');
  const value = /^#define NETFOLD_PROBE_PRIORITY (0x[0-9a-f]+)U$/m.exec(header)?.[1];
  expect(PROBE_PRIORITY).toBe(Number(value));
});

test('as many exemptions find room as are accepted', () => {
  const header = readFileSync(join(import.meta.dirname, '../../../bpf/layout.h'), 'utf8');
  expect(Number(/^#define NETFOLD_EXEMPTIONS (\d+)$/m.exec(header)?.[1])).toBe(MOST_EXEMPTIONS);
});

test('the port of the mesh is the one at which agents listen', () => {
  const header = readFileSync(join(import.meta.dirname, '../../../bpf/layout.h'), 'utf8');
  expect(Number(/^#define NETFOLD_MESH_PORT (\d+)$/m.exec(header)?.[1])).toBe(MESH_PORT);
});

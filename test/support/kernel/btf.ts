/**
 * Reads the description in a BPF object: its programs, and the types in its .BTF section (Documentation/bpf/btf.rst,
 * ELF-64, little endian). It has only what the layout test needs, so that nothing has to be installed for that.
 */

export interface StructLayout {
  readonly size: number;
  /** Field → byte offset, in order. */
  readonly fields: Readonly<Record<string, number>>;
}

export interface MapLayout {
  /** BPF_MAP_TYPE_… */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
}

export interface BpfObject {
  /** Section → names of the programs in it. */
  readonly programs: Readonly<Record<string, readonly string[]>>;
  readonly structs: ReadonlyMap<string, StructLayout>;
  readonly maps: ReadonlyMap<string, MapLayout>;
}

interface Section {
  readonly name: string;
  readonly bytes: Buffer;
  readonly link: number;
}

interface Member {
  readonly name: string;
  readonly type: number;
  readonly bits: number;
}

interface BtfType {
  readonly kind: number;
  readonly name: string;
  /** Its size, or the type that it refers to. */
  readonly sizeOrType: number;
  /** Of structs. */
  readonly members: readonly Member[];
  /** Of arrays. */
  readonly element: number;
  readonly count: number;
}

const KIND = { PTR: 2, ARRAY: 3, STRUCT: 4, VAR: 14 } as const;
/** Kinds that stand for the type that they refer to: typedef, volatile, const, restrict. */
const TRANSPARENT = new Set([8, 9, 10, 11]);
/** Bytes behind the 12 that all kinds have: for each element, and once. */
const PER_ELEMENT: Readonly<Record<number, number>> = { 4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12 };
const ONCE: Readonly<Record<number, number>> = { 1: 4, 3: 12, 14: 4, 17: 4 };

export function readBpfObject(elf: Buffer): BpfObject {
  const sections = readSections(elf);
  const btf = sections.find(({ name }) => name === '.BTF');
  if (!btf) throw new Error('the object has no .BTF section');
  const types = readTypes(btf.bytes);
  const structs = types.filter(({ kind, name }) => kind === KIND.STRUCT && name !== '');
  return {
    programs: readPrograms(sections),
    structs: new Map(structs.map((type) => [type.name, structLayout(type)])),
    maps: readMaps(types),
  };
}

const textAt = (strings: Buffer, at: number): string => strings.toString('utf8', at, strings.indexOf(0, at));

function readSections(elf: Buffer): Section[] {
  if (elf.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') throw new Error('not a little-endian ELF-64 file');
  const table = Number(elf.readBigUInt64LE(0x28));
  const [size, count, names] = [elf.readUInt16LE(0x3a), elf.readUInt16LE(0x3c), elf.readUInt16LE(0x3e)];
  const raw = Array.from({ length: count }, (_, index) => {
    const at = table + index * size;
    const start = Number(elf.readBigUInt64LE(at + 0x18));
    const length = Number(elf.readBigUInt64LE(at + 0x20));
    return {
      nameAt: elf.readUInt32LE(at),
      bytes: elf.subarray(start, start + length),
      link: elf.readUInt32LE(at + 0x28),
    };
  });
  return raw.map(({ nameAt, ...section }) => ({ name: textAt(raw[names]!.bytes, nameAt), ...section }));
}

function readPrograms(sections: readonly Section[]): Record<string, string[]> {
  const programs: Record<string, string[]> = {};
  const symbols = sections.find(({ name }) => name === '.symtab');
  for (let at = 0; symbols && at < symbols.bytes.length; at += 24) {
    const isFunction = (symbols.bytes.readUInt8(at + 4) & 0xf) === 2;
    if (!isFunction) continue;
    const section = sections[symbols.bytes.readUInt16LE(at + 6)]!.name;
    const name = textAt(sections[symbols.link]!.bytes, symbols.bytes.readUInt32LE(at));
    programs[section] = [...(programs[section] ?? []), name].sort();
  }
  return programs;
}

/** Types by their number; 0 is void. */
function readTypes(btf: Buffer): BtfType[] {
  if (btf.readUInt16LE(0) !== 0xeb9f) throw new Error('not BTF');
  const header = btf.readUInt32LE(4);
  const [typesAt, typesLength, stringsAt] = [8, 12, 16].map((at) => btf.readUInt32LE(at));
  const strings = btf.subarray(header + stringsAt!);
  const none = { kind: 0, name: 'void', sizeOrType: 0, members: [], element: 0, count: 0 };
  const types: BtfType[] = [none];
  for (let at = header + typesAt!; at < header + typesAt! + typesLength!; ) {
    const info = btf.readUInt32LE(at + 4);
    const kind = (info >>> 24) & 0x1f;
    const elements = info & 0xffff;
    types.push({
      ...none,
      kind,
      name: textAt(strings, btf.readUInt32LE(at)),
      sizeOrType: btf.readUInt32LE(at + 8),
      ...(kind === KIND.STRUCT && { members: readMembers(btf, at + 12, elements, strings) }),
      ...(kind === KIND.ARRAY && { element: btf.readUInt32LE(at + 12), count: btf.readUInt32LE(at + 20) }),
    });
    at += 12 + (ONCE[kind] ?? 0) + (PER_ELEMENT[kind] ?? 0) * elements;
  }
  return types;
}

function readMembers(btf: Buffer, start: number, count: number, strings: Buffer): Member[] {
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * 12;
    const name = textAt(strings, btf.readUInt32LE(at));
    return { name, type: btf.readUInt32LE(at + 4), bits: btf.readUInt32LE(at + 8) };
  });
}

function structLayout({ sizeOrType, members }: BtfType): StructLayout {
  return { size: sizeOrType, fields: Object.fromEntries(members.map(({ name, bits }) => [name, bits / 8])) };
}

/** Maps are variables whose struct has a number as the length of an array, and a type as a pointer to it. */
function readMaps(types: readonly BtfType[]): Map<string, MapLayout> {
  const pointee = (type: number): BtfType => types[types[type]!.sizeOrType]!;
  const sizeOf = (type: BtfType): number =>
    TRANSPARENT.has(type.kind) ? sizeOf(types[type.sizeOrType]!) : type.sizeOrType;
  const maps = new Map<string, MapLayout>();
  for (const { kind, name, sizeOrType } of types) {
    const definition = types[sizeOrType];
    if (kind !== KIND.VAR || definition?.kind !== KIND.STRUCT) continue;
    const field = (wanted: string): BtfType =>
      pointee(definition.members.find((member) => member.name === wanted)!.type);
    const [key, value] = [sizeOf(field('key')), sizeOf(field('value'))];
    maps.set(name, { type: field('type').count, keySize: key, valueSize: value });
  }
  return maps;
}

/** libbpf through koffi: loading an object, reaching its programs and maps, batches of map entries (bpf/libbpf.h). */
import { readFileSync } from 'node:fs';
import koffi from 'koffi';
import { KernelError } from '../sys/errors.ts';
import { errnoName } from '../sys/libc.ts';

const LIBRARY = 'libbpf.so.1';
const LIBBPF_STRICT_ALL = 0xffffffff;
const ENOENT = 2;
const EINVAL = 22;
const ENOSPC = 28;

type Native = (...args: unknown[]) => unknown;
interface Library {
  readonly open: Native;
  readonly close: Native;
  readonly load: Native;
  readonly findProgram: Native;
  readonly programFd: Native;
  readonly findMap: Native;
  readonly mapFd: Native;
  readonly setMaxEntries: Native;
  readonly lookup: Native;
  readonly takeBatch: Native;
  readonly updateBatch: Native;
  readonly deleteBatch: Native;
  readonly possibleCpus: Native;
}

let loaded: Library | undefined;

/** Opens libbpf at first use, so that a machine without it gets a message instead of a failing import. */
function library(): Library {
  loaded ??= bindLibrary();
  return loaded;
}

function bindLibrary(): Library {
  let lib: ReturnType<typeof koffi.load>;
  try {
    lib = koffi.load(LIBRARY);
  } catch (cause) {
    throw new KernelError({
      code: 'LIBBPF_MISSING',
      message: `${LIBRARY} can't be loaded`,
      remedy:
        'install it: apt-get install libbpf1 (Debian, Ubuntu), dnf install libbpf (Fedora), apk add libbpf (Alpine)',
      cause,
    });
  }
  silence(lib);
  const batch = '(int fd, void *keys, void *values, _Inout_ uint32_t *count, void *options)';
  return {
    open: lib.func('void *bpf_object__open_file(const char *path, void *options)'),
    close: lib.func('void bpf_object__close(void *object)'),
    load: lib.func('int bpf_object__load(void *object)'),
    findProgram: lib.func('void *bpf_object__find_program_by_name(void *object, const char *name)'),
    programFd: lib.func('int bpf_program__fd(void *program)'),
    findMap: lib.func('void *bpf_object__find_map_by_name(void *object, const char *name)'),
    mapFd: lib.func('int bpf_map__fd(void *map)'),
    setMaxEntries: lib.func('int bpf_map__set_max_entries(void *map, uint32_t entries)'),
    lookup: lib.func('int bpf_map_lookup_elem(int fd, void *key, void *value)'),
    takeBatch: lib.func(
      'int bpf_map_lookup_and_delete_batch(int fd, void *in, void *out, void *keys, void *values, _Inout_ uint32_t *count, void *options)',
    ),
    updateBatch: lib.func(`int bpf_map_update_batch${batch}`),
    deleteBatch: lib.func(
      'int bpf_map_delete_batch(int fd, void *keys, _Inout_ uint32_t *count, void *options)',
    ),
    possibleCpus: lib.func('int libbpf_num_possible_cpus()'),
  };
}

/** libbpf explains failures on stderr. The errors thrown here replace that. */
function silence(lib: ReturnType<typeof koffi.load>): void {
  lib.func('int libbpf_set_strict_mode(uint32_t mode)')(LIBBPF_STRICT_ALL);
  lib.func('void *libbpf_set_print(void *callback)')(null);
}

function refused(what: string, errno: number): KernelError {
  const denied = errno === 1 || errno === 13;
  return new KernelError({
    code: denied ? 'NO_PERMISSION' : 'BPF_REFUSED',
    message: `the kernel refused to ${what}: ${errnoName(errno)}`,
    errno,
    remedy: denied
      ? 'run as root, with CAP_BPF and CAP_NET_ADMIN'
      : 'netfold needs a kernel of 5.6 or newer with CONFIG_BPF_SYSCALL',
  });
}

/** The number by which the kernel knows a loaded program (Documentation/filesystems/proc.rst, "eBPF program"). */
export function programId(fd: number): number {
  const id = /^prog_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
  if (id === undefined) throw refused(`name the BPF program of descriptor ${fd}`, EINVAL);
  return Number(id);
}

/** The result of a call of libbpf; throws where it is a negative errno. */
function checked(what: string, result: unknown): number {
  if ((result as number) < 0) throw refused(what, -(result as number));
  return result as number;
}

/** How many slots each value of a per-CPU map has. */
export function possibleCpus(): number {
  return checked('count processors', library().possibleCpus());
}

export interface BpfObject {
  programFd(name: string): number;
  mapFd(name: string): number;
  close(): void;
}

/** Opens and loads the object file; `maxEntries` sizes its maps. */
export function loadObject(path: string, maxEntries: Readonly<Record<string, number>>): BpfObject {
  const lib = library();
  const object = lib.open(path, null) as bigint | null;
  if (!object) throw refused(`open ${path}`, koffi.errno());
  const find = (kind: 'findProgram' | 'findMap', name: string): bigint => {
    const found = lib[kind](object, name) as bigint | null;
    if (!found) throw refused(`find "${name}" in ${path}`, ENOENT);
    return found;
  };
  try {
    for (const [map, entries] of Object.entries(maxEntries))
      checked(`size the BPF map "${map}"`, lib.setMaxEntries(find('findMap', map), entries));
    checked(`load ${path}`, lib.load(object));
  } catch (error) {
    lib.close(object);
    throw error;
  }
  return {
    programFd: (name) => checked(`open the BPF program "${name}"`, lib.programFd(find('findProgram', name))),
    mapFd: (name) => checked(`open the BPF map "${name}"`, lib.mapFd(find('findMap', name))),
    close: () => void lib.close(object),
  };
}

/**
 * A hash map or array read and written in batches of entries. `valueSize` counts all CPUs of a per-CPU map.
 * The buffers are the map's own and are overwritten by the next call.
 */
export class BatchMap {
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
  readonly #fd: number;
  readonly #keySize: number;
  readonly #valueSize: number;
  readonly #capacity: number;
  readonly #cursor = new Uint8Array(64);
  readonly #count = new Uint32Array(1);
  #isEmptied = true;

  constructor(options: { fd: number; keySize: number; valueSize: number; capacity: number }) {
    this.#fd = options.fd;
    this.#keySize = options.keySize;
    this.#valueSize = options.valueSize;
    this.#capacity = options.capacity;
    this.keys = new Uint8Array(options.capacity * options.keySize);
    this.values = new Uint8Array(options.capacity * options.valueSize);
  }

  /**
   * Removes all entries from a hash map, into `keys` and `values`, and returns how many there were. What a program adds to
   * an entry at the instant of its removal is lost. While programs add entries, there may be more than find room in the
   * buffers: these stay for the next call, and `isEmptied` is false.
   */
  take(): number {
    const { takeBatch } = library();
    let total = 0;
    let started = false;
    this.#isEmptied = false;
    while (total < this.#capacity) {
      this.#count[0] = this.#capacity - total;
      const keys = this.keys.subarray(total * this.#keySize);
      const values = this.values.subarray(total * this.#valueSize);
      const result = takeBatch(
        this.#fd,
        started ? this.#cursor : null,
        this.#cursor,
        keys,
        values,
        this.#count,
        null,
      ) as number;
      total += this.#count[0] ?? 0;
      // ENOENT: this was the last batch, with `count` entries.
      if (result === -ENOENT) {
        this.#isEmptied = true;
        return total;
      }
      // The next bucket has more entries than there is room for (kernel/bpf/hashtab.c, `__htab_map_lookup_and_delete_batch`).
      if (result === -ENOSPC) return total;
      if (result < 0) throw refused('read a BPF map', -result);
      started = true;
    }
    return total;
  }

  /** Whether the last `take` has left no entry that was there when it began. */
  get isEmptied(): boolean {
    return this.#isEmptied;
  }

  /** The value of one key, new memory each time; `undefined` where there is none. */
  lookup(key: Uint8Array): Uint8Array | undefined {
    const value = new Uint8Array(this.#valueSize);
    const result = library().lookup(this.#fd, key, value) as number;
    if (result === 0) return value;
    if (result === -ENOENT) return undefined;
    throw refused('read an entry of a BPF map', -result);
  }

  /** Sets `count` entries. */
  update(keys: Uint8Array, values: Uint8Array, count: number): void {
    if (count === 0) return;
    this.#count[0] = count;
    const result = library().updateBatch(this.#fd, keys, values, this.#count, null);
    checked(`set ${count} entries of a BPF map`, result);
  }

  /** Removes `count` entries; those that don't exist are skipped. */
  remove(keys: Uint8Array, count: number): void {
    for (let done = 0; done < count; done++) {
      this.#count[0] = count - done;
      const result = library().deleteBatch(
        this.#fd,
        keys.subarray(done * this.#keySize),
        this.#count,
        null,
      ) as number;
      if (result === 0) return;
      if (result !== -ENOENT) throw refused('remove entries of a BPF map', -result);
      // The call stopped at an entry that does not exist; the next one starts after it.
      done += this.#count[0] ?? 0;
    }
  }
}

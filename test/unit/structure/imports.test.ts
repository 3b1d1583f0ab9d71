import { describe, expect, it } from 'vitest';
import { readCheckout } from './checkout.ts';
import { findBreaches } from './import-rules.ts';

/** The breaches of a checkout of one file. */
function breachesOf(file: string, text: string): string[] {
  return findBreaches(new Map([[file, text]]));
}

describe('the checkout', () => {
  const files = readCheckout();

  it('was read', () => {
    expect([...files.keys()]).toContain('proto/units.ts');
    expect([...files.keys()]).toContain('deploy/setup/start.mjs');
  });

  it('keeps all rules', () => {
    expect(findBreaches(files)).toEqual([]);
  });

  // Compiled, a.ts becomes a.js: one of both would be lost where netfold is installed.
  it('has no script of the name that a module gets', () => {
    const names = [...files.keys()];
    const scripts = names.filter(
      (file) => names.includes(file.replace(/\.js$/, '.ts')) && file.endsWith('.js'),
    );
    expect(scripts).toEqual([]);
  });
});

describe('only agent/kernel/ knows koffi', () => {
  const text = "import koffi from 'koffi';\n";
  it.each(['agent/tick/a.ts', 'controller/a.ts', 'bpf/a.ts'])('refuses it in %s', (file) => {
    expect(breachesOf(file, text)).toEqual([`${file}: imports koffi (only agent/kernel/ knows koffi)`]);
  });
  it('allows it in agent/kernel/', () => {
    expect(breachesOf('agent/kernel/sys/libc.ts', text)).toEqual([]);
  });
});

describe('platforms are independent of each other', () => {
  const of = (file: string, specifier: string): string[] =>
    breachesOf(file, `import { x } from '${specifier}';\n`);
  it.each([
    ['controller/platform/site/a.ts', '../lab/lab-plan.ts'],
    ['controller/platform/lab/a.ts', '../registry.ts'],
    ['controller/platform/port/a.ts', '../site/site.ts'],
  ])('refuses %s with %s', (file, specifier) => expect(of(file, specifier)).toHaveLength(1));
  it.each([
    ['controller/platform/site/a.ts', '../port/plan.ts'],
    ['controller/platform/site/a.ts', './b.ts'],
    ['controller/platform/site/a.ts', '../../names.ts'],
    ['controller/platform/registry.ts', './lab/lab.ts'],
    ['controller/experiment/a.ts', '../platform/registry.ts'],
  ])('allows %s with %s', (file, specifier) => expect(of(file, specifier)).toEqual([]));
});

describe('only agent/kernel/ makes raw calls', () => {
  const text = "import x from '../kernel/sys/thread-namespace.ts';\n";
  it('refuses them elsewhere', () => {
    expect(breachesOf('agent/linux/a.ts', text)).toHaveLength(1);
    expect(breachesOf('agent/linux/a.ts', text.replace('thread-namespace', 'libc'))).toHaveLength(1);
  });
  it('allows mechanisms, and all of it in agent/kernel/', () => {
    expect(breachesOf('agent/linux/a.ts', text.replace('thread-namespace', 'poller'))).toEqual([]);
    expect(breachesOf('agent/kernel/netns/a.ts', text.replace('kernel/', ''))).toEqual([]);
  });
});

describe('topology/ is pure', () => {
  it.each(["'node:fs'", "'pino'", "'../agent/share/a.ts'"])('refuses %s', (specifier) => {
    expect(breachesOf('topology/a.ts', `import x from ${specifier};\n`)).toHaveLength(1);
    expect(
      breachesOf('topology/native/a.ts', `import x from ${specifier.replace('../', '../../')};\n`),
    ).toHaveLength(1);
  });
  it.each(["'yaml'", "'zod'", "'fast-xml-parser'", "'./b.ts'", "'../proto/units.ts'"])(
    'allows %s',
    (specifier) => {
      expect(breachesOf('topology/a.ts', `import x from ${specifier};\n`)).toEqual([]);
    },
  );
  it('lets the programs that generate files write them', () => {
    expect(
      breachesOf('topology/formats/native/build-schema.ts', "import { writeFileSync } from 'node:fs';\n"),
    ).toEqual([]);
    expect(
      breachesOf('topology/native/builder.ts', "import { writeFileSync } from 'node:fs';\n"),
    ).toHaveLength(1);
  });
});

describe('shares and plans are pure', () => {
  it.each([
    'agent/share/filling.ts',
    'agent/usage/meter.ts',
    'agent/enforce/plan.ts',
    'agent/enforce/plan-tc.ts',
  ])('refuses builtins in %s', (file) => {
    expect(breachesOf(file, "import { readFileSync } from 'node:fs';\n")).toHaveLength(1);
    expect(breachesOf(file, "import { send } from '../kernel/netlink.ts';\n")).toHaveLength(1);
  });
  it('allows topology/, proto/ and neighbours', () => {
    const text =
      "import a from '../../topology/model.ts';\nimport b from '../../proto/units.ts';\nimport c from './b.ts';\n";
    expect(breachesOf('agent/share/a.ts', text)).toEqual([]);
  });
  it('leaves the stages that act alone', () => {
    expect(breachesOf('agent/enforce/apply.ts', "import { send } from '../kernel/netlink.ts';\n")).toEqual(
      [],
    );
  });
});

describe('pure code depends on nothing but its arguments', () => {
  it.each(['Date.now()', 'new Date()', 'performance.now()', 'Math.random()', 'process.env', 'console.log()'])(
    'refuses %s',
    (code) => {
      expect(breachesOf('topology/a.ts', `const a = ${code};\n`)).toHaveLength(1);
      expect(breachesOf('agent/share/a.ts', `const a = ${code};\n`)).toHaveLength(1);
      expect(breachesOf('agent/tick/a.ts', `const a = ${code};\n`)).toEqual([]);
    },
  );
});

describe('directions between folders', () => {
  it('refuses controller/ in agent/, and not the other way round', () => {
    expect(breachesOf('agent/main.ts', "import x from '../controller/api.ts';\n")).toHaveLength(1);
    expect(breachesOf('controller/cli/main.ts', "import x from '../../agent/main.ts';\n")).toEqual([]);
  });
  it('refuses anything but proto/ in proto/', () => {
    expect(breachesOf('proto/a.ts', "import x from '../topology/model.ts';\n")).toHaveLength(1);
    expect(breachesOf('proto/a.ts', "import x from './units.ts';\n")).toEqual([]);
  });
  it('refuses test/ in what is shipped', () => {
    expect(breachesOf('agent/main.ts', "import x from '../test/support/lab.ts';\n")).toHaveLength(1);
    expect(breachesOf('test/unit/a.test.ts', "import x from '../support/lab.ts';\n")).toEqual([]);
  });
});

describe('every way to import is seen', () => {
  it.each([
    "import 'koffi';",
    "import type { a } from 'koffi';",
    "import {\n  a,\n  b,\n} from 'koffi';",
    "export * from 'koffi';",
    "export { a } from 'koffi';",
    "const k = await import('koffi');",
    "const k = require('koffi');",
    "import a from './a.ts';\nimport koffi from 'koffi';",
    "type K = import('koffi').Pointer;",
  ])('%s', (text) => {
    expect(breachesOf('controller/a.ts', `${text}\n`)).toHaveLength(1);
  });
  it('but not comments', () => {
    expect(
      breachesOf('controller/a.ts', "// import koffi from 'koffi';\n/*\nimport koffi from 'koffi';\n*/\n"),
    ).toEqual([]);
  });
});

describe('texts', () => {
  it('refuses files of more than 400 lines', () => {
    expect(breachesOf('agent/a.ts', 'a();\n'.repeat(400))).toEqual([]);
    expect(breachesOf('agent/a.ts', 'a();\n'.repeat(401))).toHaveLength(1);
  });
  it.each(['enum A { B }', 'export enum A { B }', 'export const enum A { B }', 'declare enum A { B }'])(
    'refuses %s',
    (text) => {
      expect(breachesOf('agent/a.ts', `${text}\n`)).toHaveLength(1);
    },
  );
  it('allows the word enum', () => {
    expect(breachesOf('agent/a.ts', "// no enum here\nconst a = z.enum(['b']);\n")).toEqual([]);
  });
  it.each(['TODO', 'FIXME', 'XXX'])('refuses %s and says in which line', (mark) => {
    expect(breachesOf('agent/a.ts', `a();\n// ${mark}: later\n`)).toEqual([
      `agent/a.ts:2: ${mark} (do it, or file an issue)`,
    ]);
  });
});

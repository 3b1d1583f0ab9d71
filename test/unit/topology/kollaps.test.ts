import { describe, expect, it } from 'vitest';
import { micros } from '../../../proto/units.ts';
import { Folding } from '../../../topology/fold/fold.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { formatDiagnostic } from '../../../topology/load.ts';
import type { Graph } from '../../../topology/model/model.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';
import { kollaps, problems, warnings } from './support.ts';

const file = (
  services: string,
  links: string,
  dynamic = '',
  bridges = '<bridge name="b1"/>',
): string => `<?xml version="1.0"?>
<experiment boot="boot:1">
  <services>${services}</services>
  <bridges>${bridges}</bridges>
  <links>${links}</links>
  ${dynamic === '' ? '' : `<dynamic>${dynamic}</dynamic>`}
</experiment>`;
const TWO = '<service name="a" image="i"/><service name="z" image="i"/>';
const LINKS =
  '<link origin="a" dest="b1" latency="2.5" jitter="0.3" drop="0.01" upload="10Mbps" download="4Mbps" network="n"/><link origin="b1" dest="z" latency="1" upload="1Gbps" download="500Kbps" network="n"/>';

describe('the Kollaps dialect', () => {
  it('routes by hops and lets services forward', () => {
    const topology = kollaps(file(TWO, LINKS));
    expect(topology.routing).toBe('hops');
    expect(topology.services.every((service) => service.forward)).toBe(true);
  });

  it('reads milliseconds, fractions and rates, each direction with its own rate', () => {
    const { up, down } = kollaps(file(TWO, LINKS)).links[0]!;
    expect(up).toEqual({ latency: 2500, jitter: 300, loss: 0.01, bandwidth: 10e6 });
    expect(down).toEqual({ latency: 2500, jitter: 300, loss: 0.01, bandwidth: 4e6 });
  });

  it('takes bridges with colons in their names, which get hyphens, unless another has that name', () => {
    const links =
      '<link origin="a" dest="s1:1" latency="1" upload="1Mbps" network="n"/><link origin="s1:1" dest="z" latency="1" upload="1Mbps" network="n"/>';
    const colon = file(
      TWO,
      links,
      '<schedule name="s1:1" time="3" action="leave"/>',
      '<bridge name="s1:1"/>',
    );
    const { bridges, links: pairs } = kollaps(colon);
    expect(bridges.map(({ name }) => name)).toEqual(['s1-1']);
    expect(pairs.map(({ from, to }) => [from, to])).toEqual([
      ['a', 's1-1'],
      ['s1-1', 'z'],
    ]);
    expect(warnings(colon, 'test.xml').map(({ code, message }) => `${code} ${message}`)).toContainEqual(
      expect.stringContaining('NAME_CHANGED "s1:1" is called s1-1 here'),
    );
    const taken = file(TWO, links, '', '<bridge name="s1:1"/><bridge name="s1-1"/>');
    // One mistake, and not one more for each link that names it.
    expect(problems(taken, 'test.xml').map(({ message }) => message)).toEqual([
      expect.stringContaining('the name "s1:1" contains other'),
    ]);
  });

  it('lets the later of two changes of one instant hold', () => {
    const update = (upload: string): string => `<schedule origin="a" dest="b1" time="5" upload="${upload}"/>`;
    const topology = kollaps(file(TWO, LINKS, update('6Mbps') + update('7Mbps')));
    const { links } = graphAt(topology, micros(5e6));
    expect(links.find(({ name }) => name.startsWith('a'))?.bandwidth).toBe(7e6);
  });

  it('has one-way links without download', () => {
    const topology = kollaps(file(TWO, '<link origin="a" dest="z" latency="1" upload="1Mbps" network="n"/>'));
    const folding = new Folding(expandGraph(topology));
    expect(folding.path(0, 1)).toBeDefined();
    expect(folding.path(1, 0)).toBeUndefined();
  });

  it('reads containers and their commands', () => {
    const services = `<service name="a" image="img:1" command="['server', '1']"/><service name="z" image="img:2" command="sleep 5"/>`;
    const [a, z] = kollaps(file(services, LINKS)).services;
    expect(a).toMatchObject({ image: 'img:1', command: ['server', '1'] });
    expect(z).toMatchObject({ image: 'img:2', command: ['sleep 5'] });
  });

  it('reads bare-metal machines', () => {
    const services =
      '<service name="a" machinename = "m1.example" ip = "192.0.2.1" kollaps_folder = "/opt/k" topology_file = "t.xml" script = "run.sh"/><service name="z"/>';
    const [a, z] = kollaps(file(services, LINKS)).services;
    expect(a!.machine).toEqual({
      host: 'm1.example',
      address: '192.0.2.1',
      folder: '/opt/k',
      script: 'run.sh',
    });
    expect(z!.machine).toBeUndefined();
  });

  it('gives replicas links of their own unless share is true', () => {
    const services = (share: string): string =>
      `<service name="a" image="i" replicas="2" ${share}/><service name="z" image="i"/>`;
    const names = (share: string): string[] =>
      expandGraph(kollaps(file(services(share), LINKS))).links.map((link) => link.name);
    expect(names('')).toContain('a.1->b1');
    expect(names('share="false"')).toContain('a.1->b1');
    expect(names('share="true"')).toEqual(['a->b1', 'b1->a', 'b1->z.0', 'z.0->b1']);
  });

  it('leaves supervisors out, with their links and events, and says so', () => {
    const services = `${TWO}<service name="dashboard" image="d" supervisor="true" port="8088"/>`;
    const extra = '<link origin="dashboard" dest="b1" latency="1" upload="1Mbps"/>';
    const text = file(services, LINKS + extra, '<schedule name="dashboard" time="0" action="join"/>');
    expect(kollaps(text).services.map((service) => service.name)).toEqual(['a', 'z']);
    expect(kollaps(text).events).toEqual([]);
    expect(warnings(text, 'test.xml').map((one) => one.code)).toEqual([
      'SUPERVISOR_LEFT_OUT',
      'SUPERVISOR_LEFT_OUT',
    ]);
  });

  it('takes replicas from the joins: the most alive at once, or without reuse all that ever join', () => {
    const dynamic = `<schedule name="a" time="0" action="join" amount="3"/><schedule name="a" time="5" action="crash" amount="2"/>
      <schedule name="a" time="10" action="join" amount="1"/>`;
    const count = (reuse: string): number =>
      kollaps(
        file(
          `<service name="a" image="i" replicas="9" ${reuse}/><service name="z" image="i"/>`,
          LINKS,
          dynamic,
        ),
      ).services[0]!.replicas;
    expect(count('')).toBe(3);
    expect(count('reuse="true"')).toBe(3);
    expect(count('reuse="false"')).toBe(4);
  });

  it('uses a replica again, unless reuse is false', () => {
    const dynamic = `<schedule name="a" time="0" action="join" amount="2"/><schedule name="a" time="5" action="leave" amount="1"/>
      <schedule name="a" time="10" action="join"/>`;
    const alive = (reuse: string): string[] => {
      const topology = kollaps(
        file(`<service name="a" image="i" ${reuse}/><service name="z" image="i"/>`, LINKS, dynamic),
      );
      return present(graphAt(topology, micros(11e6)));
    };
    expect(alive('')).toEqual(['a.0', 'a.1', 'z.0']);
    expect(alive('reuse="false"')).toEqual(['a.0', 'a.2', 'z.0']);
  });

  it('keeps the number that is written where nothing joins', () => {
    const services = '<service name="a" image="i" replicas="4"/><service name="z" image="i"/>';
    const topology = kollaps(
      file(services, LINKS, '<schedule name="a" time="3" action="leave" amount="1"/>'),
    );
    expect(topology.services[0]!.replicas).toBe(4);
    expect(present(graphAt(topology, micros(0)))).toHaveLength(5);
  });

  it('has no endpoint present before the first join', () => {
    const topology = kollaps(file(TWO, LINKS, '<schedule name="a" time="1.5" action="join"/>'));
    expect(present(graphAt(topology, micros(1_499_999)))).toEqual(['z.0']);
    expect(present(graphAt(topology, micros(1_500_000)))).toEqual(['a.0', 'z.0']);
  });

  it('changes a link one way, and both where download is written', () => {
    const change = (attributes: string): Graph =>
      graphAt(
        kollaps(file(TWO, LINKS, `<schedule origin="a" dest="b1" time="5" ${attributes}/>`)),
        micros(6e6),
      );
    const both = (graph: Graph): unknown[] =>
      ['a.0->b1', 'b1->a.0'].map((name) => graph.links.find((link) => link.name === name));
    expect(both(change('latency="7" upload="3Mbps"'))).toMatchObject([
      { latency: 7000, bandwidth: 3e6 },
      { latency: 2500, bandwidth: 4e6 },
    ]);
    expect(both(change('jitter="2" drop="0.5" upload="3Mbps" download="1Mbps"'))).toMatchObject([
      { latency: 2500, jitter: 2000, loss: 0.5, bandwidth: 3e6 },
      { latency: 2500, jitter: 2000, loss: 0.5, bandwidth: 1e6 },
    ]);
  });

  it('removes links and bridges and puts them back', () => {
    const dynamic = `<schedule origin="b1" dest="a" time="1" action="leave"/><schedule origin="a" dest="b1" time="2" action="join"/>
      <schedule name="b1" time="3" action="leave"/><schedule name="b1" time="4" action="join"/>`;
    const topology = kollaps(file(TWO, LINKS, dynamic));
    const connected = [0, 1, 2, 3, 4].map(
      (second) => new Folding(graphAt(topology, micros(second * 1e6))).path(0, 1) !== undefined,
    );
    expect(connected).toEqual([true, false, true, false, true]);
  });

  it('adds links that only the schedule has', () => {
    const topology = kollaps(
      file(
        TWO,
        LINKS,
        '<schedule origin="a" dest="z" time="9" action="join" latency="8" upload="2Mbps" download="1Mbps" network="n"/>',
      ),
    );
    const path = (second: number, from: number, to: number): unknown =>
      new Folding(graphAt(topology, micros(second * 1e6))).path(from, to);
    expect(path(0, 0, 1)).toMatchObject({ hops: 2, latency: 3500 });
    expect(path(9, 0, 1)).toMatchObject({ hops: 1, latency: 8000, bandwidth: 2e6 });
    expect(path(9, 1, 0)).toMatchObject({ hops: 1, bandwidth: 1e6 });
  });

  it('uses the first of two links between the same nodes, with a warning', () => {
    const text = file(
      TWO,
      `${LINKS}<link origin="a" dest="b1" latency="99" upload="1Mbps" download="1Mbps" network="n"/>`,
    );
    expect(kollaps(text).links).toHaveLength(2);
    expect(warnings(text, 'test.xml').map((one) => one.code)).toEqual(['LINK_DUPLICATE']);
  });

  it('loads what Kollaps passes over, with warnings', () => {
    const text = file(
      '<service name="a" image="i" colour="red" activepaths="[\'z\']"/>><service name="z" image="i" share="yes"/>',
      LINKS,
    );
    expect(
      warnings(text, 'test.xml')
        .map((one) => one.code)
        .sort(),
    ).toEqual(['KEY_IGNORED', 'KEY_IGNORED', 'KEY_UNKNOWN', 'VALUE_INVALID']);
  });

  it('rounds what is finer than a microsecond, and says so once', () => {
    const text = file(TWO, LINKS.replace('2.5', '3.14159265').replace('0.3', '0.12345'));
    expect(kollaps(text).links[0]!.up).toMatchObject({ latency: 3142, jitter: 123 });
    expect(warnings(text, 'test.xml').map((one) => one.code)).toEqual(['UNIT']);
  });

  it('reads predefined entities and nothing else', () => {
    expect(kollaps(file(TWO.replace('"i"', '"a&amp;b&#45;c"'), LINKS)).services[0]!.image).toBe('a&b-c');
  });

  it('is recognised by its content if the name of the file is not enough', () => {
    expect(problems('<nonsense/>', 'topology')[0]!.code).toBe('NOT_A_TOPOLOGY');
  });
});

describe('a wrong file of the Kollaps dialect', () => {
  it.each([
    ['<other/>', 'NOT_A_TOPOLOGY', /root is <other>/],
    ['<!DOCTYPE html><html></html>', 'NOT_A_TOPOLOGY', /HTML page/],
    [
      '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><experiment>&b;</experiment>',
      'XML_ENTITY',
      /entities are not allowed/,
    ],
    ['<experiment><services></experiment>', 'XML_SYNTAX', /services/],
    ['<experiment/><experiment/>', 'XML_SYNTAX', /second root/],
    ['<experiment/>', 'NO_SERVICES', /no services/],
    ['<a>'.repeat(1000) + '</a>'.repeat(1000), 'XML_SYNTAX', /nested/i],
    [file(TWO.replace('"i"', '"&boom;"'), LINKS), 'XML_ENTITY', /no entity "&boom;"/],
    [file(TWO.replace('name="a"', ''), LINKS), 'KEY_MISSING', /name is missing/],
    [file(`${TWO}<service name="a" image="i"/>`, LINKS), 'NAME_DUPLICATE', /"a" is already used/],
    [
      file(TWO, LINKS.replace('"2.5"', '"10ms"')),
      'UNIT',
      /<link origin="a" dest="b1"> latency: "10ms" is not a number of milliseconds/,
    ],
    [file(TWO, LINKS.replace('"2.5"', '"-1"')), 'UNIT', /outside of 0 to 600000 milliseconds/],
    [file(TWO, LINKS.replace('"0.01"', '"1.5"')), 'UNIT', /drop: "1.5" is outside of 0 to 1/],
    [file(TWO, LINKS.replace('"10Mbps"', '"10"')), 'UNIT', /upload: "10" has no unit/],
    [file(TWO, LINKS.replace('dest="z"', 'dest="y"')), 'NAME_UNKNOWN', /no service or bridge "y"/],
    [
      file(TWO, LINKS, '<schedule name="y" time="0" action="join"/>'),
      'NAME_UNKNOWN',
      /no service or bridge "y"/,
    ],
    [file(TWO, LINKS, '<schedule name="a" time="-1" action="join"/>'), 'UNIT', /outside of 0 to/],
    [
      file(TWO, LINKS, '<schedule name="a" time="1" action="explode"/>'),
      'VALUE_INVALID',
      /no action "explode"/,
    ],
    [file(TWO, LINKS, '<schedule name="b1" time="1" action="crash"/>'), 'EVENT_TARGET', /"b1" is a bridge/],
    [
      file(TWO, LINKS, '<schedule name="a" time="1" action="leave" amount="2"/>'),
      'EVENT_AMOUNT',
      /only 1 of them is present/,
    ],
    [
      file(
        TWO,
        LINKS,
        '<schedule name="a" time="2" action="leave"/><schedule name="a" time="0" action="crash"/>',
      ),
      'EVENT_AMOUNT',
      /none of them/,
    ],
    [
      file(TWO, LINKS, '<schedule origin="a" dest="z" time="1" action="leave"/>'),
      'EVENT_TARGET',
      /no link a--z/,
    ],
  ])('%# is refused', (text, code, message) => {
    const found = problems(text, 'test.xml');
    expect(found.map((one) => one.code)).toContain(code);
    expect(found.map(formatDiagnostic).join('\n')).toMatch(message);
  });

  it('names the line and column of the element', () => {
    const [problem] = problems(file(TWO, LINKS.replace('"2.5"', '"x"')), 'test.xml');
    expect([problem!.line, problem!.column]).toEqual([5, 10]);
  });
});

/** Endpoints that have an edge. */
function present(graph: Graph): string[] {
  const linked = new Set(graph.edges.flatMap(({ from, to }) => [from, to]));
  return graph.endpoints.filter((_, number) => linked.has(number));
}

import { describe, expect, it } from 'vitest';
import { formatDiagnostic } from '../../../topology/load.ts';
import { diagnostics, YAML } from './thunderstorm-support.ts';

describe('a wrong script', () => {
  it.each([
    ['at 10 client crash', 4, /"10" has no unit/],
    ['at 10s client crsh', 15, /did you mean "crash"/],
    ['at 10s crash client', 14, /"client" is not a number of instances/],
    ['at 10s client crash 0', 21, /not a number of instances/],
    ['at 10s client crash 101%', 21, /outside of 0% to 100%/],
    ['from 10s client leave', 10, /expected "to", but found "client"/],
    ['from 10s to 5s client leave', 13, /the end is not after the start/],
    ['from 1s to 2s client set latency=1.0', 22, /"set" happens at one instant/],
    ['from 1s to 2s client reconnect', 22, /"reconnect" happens at one instant/],
    ['at 10s client churn 5', 15, /"churn" needs a start and an end/],
    ['client crash', 8, /"crash" needs a time/],
    ['at 200d quit', 4, /more than 100 days/],
    ['at 10s client quit', 15, /is not about one thing/],
    ['at 10s s1--s2 set', 18, /expected a property/],
    ['at 10s s1--s2 set drop=1%', 24, /"1%" is not a fraction/],
    ['at 10s s1--s2 set latency=10ms', 27, /without a unit/],
    ['at 10s s1--s2 set latency=2000000%', 27, /not a percentage of the value before/],
    ['at 10s s1--s2 set up=1Gb', 22, /"Gb" in "1Gb" is not a unit/],
    ['at 10s s1--s2 set up=-5Mbps', 22, /outside of 8bps/],
    ['at 10s s1--s2 set network=x', 19, /network can't change/],
    ['at 10s s1--s2 set up=1Mbps up=2Mbps', 28, /there is a second up/],
    ['at 10s s1--s2 set symmetric', 19, /symmetric needs up/],
    ['at 10s s1--s2 set up=1Mbps symmetric down=2Mbps', 28, /symmetric stands beside down/],
    ['at 10s partition client', 24, /expected ";" and another group/],
    ['at 10s partition client s1;client.3', 1, /client\.3 is in two groups/],
    ['at 10s partition client;s1--s2', 25, /a link is in no group/],
    ['from 1s to 2s s1--s2 flap 1ms', 27, /less than 10ms/],
    ['at 10s tags= crash', 14, /expected a tag, but found "crash"/],
    ['at 10s client crash 1 and', 23, /expected the end of the line/],
    ["at 10s client crash ['x", 21, /a list does not end/],
    ['from 1s to 2s s1 leave', 15, /names a bridge or a link/],
    ['from 1s to 2s tags=core leave', 15, /names a bridge or a link/],
  ])('%j is refused at the word', (line, column, message) => {
    const [problem, ...more] = diagnostics([line]);
    expect([problem!.file, problem!.line, problem!.column, more.length]).toEqual(['storm.tdl', 1, column, 0]);
    expect(formatDiagnostic(problem!)).toMatch(message);
  });

  it.each([
    ['at 5s clint crash', 'NAME_UNKNOWN', /did you mean "client"/],
    ['from 5s to 6s clint crash', 'NAME_UNKNOWN', /did you mean "client"/],
    ['at 5s client.6 crash', 'NAME_UNKNOWN', /client has 6 replicas/],
    ['at 5s s1 crash', 'EVENT_TARGET', /is a bridge, and crash is for/],
    ['at 5s client set latency=1.0', 'EVENT_TARGET', /is a service, and set is for links/],
    ['at 5s tags=edg crash', 'EVENT_TARGET', /did you mean "edge"/],
    ['at 5s client crash 7', 'EVENT_AMOUNT', /only 6 of them are present/],
    ['from 5s to 6s client join 7', 'EVENT_AMOUNT', /none of them are absent/],
    ['at 5s s1 leave 2', 'EVENT_TARGET', /an amount is for services/],
    ['at 5s server--client leave', 'EVENT_TARGET', /there is no link/],
  ])('%j is refused for what it names', (line, code, message) => {
    const [problem] = diagnostics(['# first line', line]);
    expect(problem).toMatchObject({ code, file: 'storm.tdl', line: 2 });
    expect(formatDiagnostic(problem!)).toMatch(message);
  });

  it('lists all errors of both files, the topology first', () => {
    const found = diagnostics(['at 1s', 'at 10 quit'], YAML.replace('10ms', '10'));
    expect(found.map(({ file, line }) => [file, line])).toEqual([
      ['net.yaml', 7],
      ['storm.tdl', 1],
      ['storm.tdl', 2],
    ]);
  });

  it('goes on after the quit, or quits twice, also across the files', () => {
    const text = `${YAML}events: [at 9s quit]\n`;
    expect(diagnostics(['at 10s client crash'], text)[0]).toMatchObject({
      code: 'EVENT_TIME',
      file: 'storm.tdl',
    });
    expect(diagnostics(['at 9s quit'], text)[0]).toMatchObject({ code: 'EVENT_TIME', file: 'storm.tdl' });
  });

  it('is empty or no text', () => {
    expect(diagnostics(['  '])[0]).toMatchObject({ code: 'FILE_EMPTY', file: 'storm.tdl' });
    expect(diagnostics(['at 1s quit', '\u0000'])[0]).toMatchObject({ code: 'FILE_NOT_TEXT', line: 2 });
  });
});

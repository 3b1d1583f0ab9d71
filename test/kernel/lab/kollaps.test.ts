/** A file in the Kollaps dialect runs unchanged, and its paths are those of `netfold paths`. */
import { expect, it } from 'vitest';
import { Verification } from '../../../controller/verify/verify.ts';
import { startLab } from '../../support/lab/lab.ts';

const FILE = `<?xml version="1.0" encoding="UTF-8"?>
<experiment boot="kollaps:2.0">
  <services>
    <service name="dashboard" image="kollaps/dashboard:1.0" supervisor="true" port="8088"/>
    <service name="source" image="example/source:1" command="['sink']"/>
    <service name="sink" image="example/sink:1" share="false"/>
  </services>
  <bridges><bridge name="left"/><bridge name="right"/></bridges>
  <links>
    <link origin="source" dest="left" latency="4" upload="30Mbps" download="12Mbps" network="any"/>
    <link origin="left" dest="right" latency="6.5" upload="20Mbps" download="20Mbps" network="any"/>
    <link origin="right" dest="sink" latency="2" upload="40Mbps" download="40Mbps" drop="0.0" network="any"/>
  </links>
  <dynamic>
    <schedule name="source" time="0.0" action="join" amount="2"/>
    <schedule name="sink" time="0.0" action="join" amount="2"/>
  </dynamic>
</experiment>`;

it('runs with its replicas and gives what its links say', async () => {
  const lab = await startLab(FILE, { hosts: 2, file: 'experiment.xml' });
  expect(lab.graph.endpoints).toEqual(['sink.0', 'sink.1', 'source.0', 'source.1']);
  const verification = new Verification(lab);
  const findings = [
    ...(await verification.roundTrips()),
    ...(await verification.alone()),
    ...(await verification.competing()),
    ...(await verification.releases()),
  ];
  expect(findings.map(({ what }) => what)).toEqual(
    expect.arrayContaining(['round trip', 'bandwidth', 'share', 'release']),
  );
  expect(findings.filter(({ ok }) => !ok)).toEqual([]);
});

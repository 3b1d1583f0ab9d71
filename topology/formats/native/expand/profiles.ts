/**
 * Links as people have them, for `profile:`. `from` is the subscriber's end: `up` is from there to the network. Latencies are
 * one way, half of the round trip that the source gives. No source is a promise: write what you have measured beside the
 * profile, which then counts.
 */

export interface Profile {
  readonly fields: Readonly<Record<string, string>>;
  readonly source: string;
}

const WEBPAGETEST = 'connectivity.ini of WebPageTest';

export const PROFILES: Readonly<Record<string, Profile>> = {
  dsl: {
    fields: { latency: '25ms', up: '384Kbps', down: '1.5Mbps' },
    source: `${WEBPAGETEST}: DSL, 50 ms round trip`,
  },
  cable: {
    fields: { latency: '14ms', up: '1Mbps', down: '5Mbps' },
    source: `${WEBPAGETEST}: Cable, 28 ms round trip`,
  },
  fibre: {
    fields: { latency: '2ms', up: '5Mbps', down: '20Mbps' },
    source: `${WEBPAGETEST}: FIOS, 4 ms round trip`,
  },
  '3g': {
    fields: { latency: '150ms', up: '768Kbps', down: '1.6Mbps' },
    source: `${WEBPAGETEST}: 3G, 300 ms round trip`,
  },
  lte: {
    fields: { latency: '35ms', up: '12Mbps', down: '12Mbps' },
    source: `${WEBPAGETEST}: LTE, 70 ms round trip`,
  },
  '5g': {
    fields: { latency: '4ms', up: '50Mbps', down: '100Mbps' },
    source: 'ITU-R M.2410-0: what IMT-2020 requires of eMBB, user plane latency and user experienced rates',
  },
  geo: {
    fields: { latency: '260ms', up: '10Mbps', down: '100Mbps' },
    source:
      "ITU-T G.114, table A.1 (satellite at 36,000 km); the rates of the subscription in APNIC's blog, 2022-11-28",
  },
  leo: {
    fields: { latency: '16.5ms', down: '105Mbps' },
    source:
      "Starlink's report of March 2024 (median round trip in the United States 33 ms); Ookla, first quarter of 2025 (median down)",
  },
  'wi-fi': {
    fields: { latency: '1.5ms' },
    source:
      'Sui et al., MobiSys 2016: median of the hop to the access point 3 ms; the 90th percentile is 20 ms',
  },
  'intra-zone': {
    fields: { latency: '0.22ms' },
    source: 'EC2, pings within a zone of us-east-1, 0.446 ms on average (J. Misiti, 2014)',
  },
  'inter-zone': {
    fields: { latency: '1ms' },
    source: 'EC2: zones are less than 2 ms apart (J. Hamilton, re:Invent 2014)',
  },
};

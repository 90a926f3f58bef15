/** SDP and bodies as call controllers send them. */

const audio = (port: number, label: string | undefined, payloads: string): string =>
  [
    `m=audio ${port} RTP/AVP ${payloads} 101`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=ptime:20',
    'a=sendonly',
    ...(label === undefined ? [] : [`a=label:${label}`]),
    '',
  ].join('\r\n');

const head = ['v=0', 'o=src 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ''].join('\r\n');

/** Two voices: PCMU on label 1, PCMA on label 2. */
export const twoVoices = head + audio(40_000, '1', '0') + audio(40_002, '2', '8');

/** The same as CUBE forks it: no labels. */
export const twoForked = head + audio(40_000, undefined, '0') + audio(40_002, undefined, '0');

/** One voice. */
export const oneVoice = head + audio(40_000, undefined, '0 8');

const participant = (id: string, aor: string, name: string): string =>
  `<participant participant_id="${id}"><nameID aor="${aor}"><name xml:lang="en">${name}</name></nameID></participant>` +
  `<participantsessionassoc participant_id="${id}" session_id="s1"><associate-time>2026-11-23T07:00:00.000Z</associate-time></participantsessionassoc>`;

/** rs-metadata of a call between Alice (label 1) and whoever `other` is (label 2). */
export const metadata = (other = 'sip:bob@example.com', name = 'Bob'): string =>
  [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>',
    '<session session_id="s1"><sipSessionID>e9fffff2020a598b86962867715db0cf;remote=cd0f7093d62c5f0697098fd69a4aa57b</sipSessionID></session>',
    participant('p1', 'sip:alice@example.com', 'Alice'),
    participant('p2', other, name),
    '<stream stream_id="t1" session_id="s1"><label>1</label></stream>',
    '<stream stream_id="t2" session_id="s1"><label>2</label></stream>',
    '<participantstreamassoc participant_id="p1"><send>t1</send><recv>t2</recv></participantstreamassoc>',
    '<participantstreamassoc participant_id="p2"><send>t2</send><recv>t1</recv></participantstreamassoc>',
    '</recording>',
  ].join('\r\n');

const boundary = 'uniqueBoundary';

/** An INVITE's headers and body as a SIPREC client sends them. */
export const siprec = (sdp = twoVoices, xml = metadata()) => ({
  headers: [
    'Require: siprec',
    'Contact: <sip:src@127.0.0.1:5999>;+sip.src',
    `Content-Type: multipart/mixed;boundary=${boundary}`,
  ],
  body: [
    `--${boundary}`,
    'Content-Type: application/sdp',
    '',
    sdp,
    `--${boundary}`,
    'Content-Type: application/rs-metadata+xml',
    'Content-Disposition: recording-session',
    '',
    xml,
    `--${boundary}--`,
    '',
  ].join('\r\n'),
});

/** A new picture of who is on the call, without media. */
export const metadataOnly = (other: string, name: string) => ({
  headers: ['Content-Type: application/rs-metadata+xml', 'Content-Disposition: recording-session'],
  body: metadata(other, name),
});

export const plain = (sdp: string, ...headers: readonly string[]) => ({
  headers: ['Content-Type: application/sdp', ...headers],
  body: sdp,
});

/** Ports of the m-lines of an SDP, in order. */
export const portsOf = (sdp: string): number[] =>
  [...sdp.matchAll(/^m=\w+ (\d+)/gm)].map((match) => Number(match[1]));

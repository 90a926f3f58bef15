import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeMetadata, participantsByLabel } from './metadata-participants.ts';
import { parseMetadata } from './metadata.ts';

const recording = (inner: string, dataMode = 'complete'): string =>
  `<?xml version="1.0"?><recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>${dataMode}</datamode>${inner}</recording>`;
const call = recording(`
  <group group_id="g1"><associate-time>2026-01-01T10:00:00Z</associate-time></group>
  <session session_id="s1"><sipSessionID>ab;remote=cd</sipSessionID><group-ref>g1</group-ref><start-time>2026-01-01T12:00:00+02:00</start-time></session>
  <participant participant_id="p1"><nameID aor="sip:alice@a"><name xml:lang="en">Alice &amp; co</name></nameID></participant>
  <participant participant_id="p2"><nameID aor="sip:bob@b"/></participant>
  <participantsessionassoc participant_id="p1" session_id="s1"><associate-time>2026-01-01T10:00:01Z</associate-time></participantsessionassoc>
  <stream stream_id="t1" session_id="s1"><label>1</label></stream>
  <stream stream_id="t2" session_id="s1"><label>2</label></stream>
  <participantstreamassoc participant_id="p1"><send>t1</send><recv>t2</recv></participantstreamassoc>
  <participantstreamassoc participant_id="p2"><send>t2</send><recv>t1</recv><associate-time>2026-01-01T10:00:02</associate-time></participantstreamassoc>`);

test('a complete description resolves to who is heard on which label, and since when', () => {
  const metadata = parseMetadata(call);
  assert.deepEqual(metadata.problems, []);
  assert.deepEqual(metadata.sessions[0], {
    id: 's1',
    groupId: 'g1',
    sipSessionIds: ['ab;remote=cd'],
    startedAt: '2026-01-01T10:00:00.000Z',
    stoppedAt: undefined,
  });
  assert.deepEqual(
    [...participantsByLabel(metadata)],
    [
      [
        '1',
        [
          {
            participantId: 'p1',
            address: 'sip:alice@a',
            name: 'Alice & co',
            joinedAt: '2026-01-01T10:00:01.000Z',
            leftAt: undefined,
          },
        ],
      ],
      [
        '2',
        [
          {
            participantId: 'p2',
            address: 'sip:bob@b',
            name: undefined,
            joinedAt: '2026-01-01T10:00:02.000Z',
            leftAt: undefined,
          },
        ],
      ],
    ],
  );
});

test('a partial update replaces what it names and keeps the rest', () => {
  const update = parseMetadata(
    recording(
      `<participant participant_id="p3"><nameID aor="sip:carol@c"/></participant>
       <stream stream_id="t2" session_id="s1"><label>2</label></stream>
       <participantstreamassoc participant_id="p2"><disassociate-time>2026-01-01T10:05:00Z</disassociate-time></participantstreamassoc>
       <participantstreamassoc participant_id="p3"><send>t2</send></participantstreamassoc>`,
      'partial',
    ),
  );
  const names = (label: string): (string | undefined)[] =>
    (participantsByLabel(mergeMetadata(parseMetadata(call), update)).get(label) ?? []).map(
      ({ address }) => address,
    );
  assert.deepEqual(names('1'), ['sip:alice@a']);
  assert.deepEqual(names('2'), ['sip:carol@c']);
});

test('prefixes and the namespace of a draft make no difference', () => {
  const prefixed = call.replace(/<(\/?)(?!\?)/g, '<$1r:').replace('xmlns=', 'xmlns:r=');
  assert.deepEqual(parseMetadata(prefixed).streams, parseMetadata(call).streams);
});

test('broken metadata is named and read as far as it goes', () => {
  const torn = parseMetadata(call.slice(0, call.indexOf('<participantstreamassoc')));
  assert.equal(torn.streams.length, 2);
  assert.equal(torn.problems.length, 1);
  assert.ok(parseMetadata('').problems.length > 0);
  assert.ok(parseMetadata('<recording><stream/></recording>').problems.includes('1 streams without id'));
  assert.ok(
    parseMetadata(recording('<session session_id="s"><start-time>soon</start-time></session>')).problems.some(
      (problem) => problem.includes('soon'),
    ),
  );
});

test('no entity is expanded, no depth or length is without bound', () => {
  const bomb = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><recording><x>&b;</x></recording>';
  assert.match(parseMetadata(bomb).problems[0] ?? '', /document type/);
  assert.match(parseMetadata('<recording>&b;</recording>').problems[0] ?? '', /XML/);
  assert.match(parseMetadata('<a>'.repeat(1_000)).problems[0] ?? '', /deeper/);
  assert.match(parseMetadata(`<recording>${'<stream/>'.repeat(10_000)}`).problems[0] ?? '', /elements/);
});
